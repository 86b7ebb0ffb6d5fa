"""Studies whose value and cost are known functions, and small samplers of them."""

from typing import Any

import optuna
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from optuna_predictor_rl import PolicyConfig, PredictorConfig, PredictorRLSampler

SMALL = PredictorConfig(n_members=3, n_epochs=8)


def cost_of(trial: FrozenTrial) -> float:
    return trial.params["y"] + 1.0


def objective(trial: Trial) -> float:
    x, y = trial.suggest_float("x", 0.0, 1.0), trial.suggest_float("y", 0.0, 1.0)
    kind = trial.suggest_categorical("kind", ["plain", "rich"])
    trial.set_user_attr("price", 1.0 + y)
    return 3.0 * x + y + (0.0 if kind == "plain" else 0.1)


def small_sampler(**options: Any) -> PredictorRLSampler:
    policy = PolicyConfig(n_rounds=2, n_steps=4, batch_size=6)
    defaults: dict[str, Any] = {"predictor": SMALL, "policy": policy, "seed": 0}
    return PredictorRLSampler(**(defaults | options))


def searched(n_trials: int = 12, *, direction: str = "minimize", **options: Any) -> Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = small_sampler(**options)
    study = optuna.create_study(sampler=sampler, direction=direction)
    sign = 1.0 if direction == "minimize" else -1.0
    study.optimize(lambda trial: sign * objective(trial), n_trials=n_trials)
    return study


def add_stopped(study: Study, **attributes: Any) -> None:
    """Add a trial that was stopped after its first report."""
    first = study.trials[0]
    study.add_trial(
        create_trial(
            state=TrialState.PRUNED,
            params=first.params | {"x": 0.9},
            distributions=first.distributions,
            value=2.0,
            intermediate_values={1: 2.0},
            user_attrs=attributes,
        )
    )
