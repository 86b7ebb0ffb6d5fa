"""Studies that random search has filled, and a sampler to ask about them."""

import math
from collections.abc import Callable
from typing import Any

import optuna
from optuna.study import Study
from optuna.trial import Trial

from optuna_predictor_rl import PolicyConfig, PredictorConfig, PredictorRLSampler


def sampler(**options: Any) -> PredictorRLSampler:
    predictor, policy = PredictorConfig(n_members=3, n_epochs=10), PolicyConfig(n_steps=4)
    return PredictorRLSampler(predictor=predictor, policy=policy, **{"seed": 0, **options})


def value(params: dict[str, Any]) -> float:
    gap = math.log10(params["rate"]) + 2.0
    return 100.0 + 3.0 * gap**2 + abs(params["n"] - 4) + 5.0 * (params["kind"] == "b")


def objective(trial: Trial) -> float:
    params = {
        "rate": trial.suggest_float("rate", 1e-4, 1.0, log=True),
        "n": trial.suggest_int("n", 1, 9),
        "kind": trial.suggest_categorical("kind", ["a", "b", None]),
    }
    trial.set_user_attr("flops", 10.0 * params["n"])
    return value(params)


def searched(
    n_trials: int = 30, of: Callable[[Trial], float] = objective, direction: str = "minimize",
    **options: Any,
) -> tuple[PredictorRLSampler, Study]:  # fmt: skip
    made = sampler(**options)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1), direction=direction)
    study.optimize(of, n_trials=n_trials)
    study.sampler = made
    return made, study
