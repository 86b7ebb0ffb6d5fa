"""Studies to show in the dashboard, cheap to search."""

import math
from typing import Any

import optuna
from optuna.study import Study
from optuna.trial import Trial

from optuna_predictor_rl import (
    LowFidelityPruner,
    PolicyConfig,
    PredictorConfig,
    PredictorRLSampler,
)


def tiny(**options: Any) -> PredictorRLSampler:
    return PredictorRLSampler(
        predictor=PredictorConfig(n_members=2, n_epochs=5),
        policy=PolicyConfig(n_steps=3),
        **{"n_startup_trials": 4, "seed": 0, **options},
    )


def training(trial: Trial) -> float:
    """Report a curve that falls to a level set by the parameters, a cost, and a constraint."""
    lr = trial.suggest_float("lr", 1e-4, 1e-1, log=True)
    width = trial.suggest_categorical("width", [16, 32, 64])
    trial.set_user_attr("flops", float(width**2))
    trial.set_constraint("memory", width - 48.0)
    level = (math.log10(lr) + 2.5) ** 2 + 1.0 / width
    for step in range(1, 9):
        trial.report(level + 1.0 / step, step)
        if trial.should_prune():
            raise optuna.TrialPruned
    return level + 1.0 / 8


def searched(n_trials: int, *, storage: str | None = None, callbacks: Any = None) -> Study:
    """Return a study of trainings with a cost, labels, constraints and predictions."""
    study = optuna.create_study(
        study_name="trainings",
        storage=storage,
        sampler=tiny(cost="flops", cost_weight=0.3),
        pruner=LowFidelityPruner(n_pilot_trials=5),
    )
    study.optimize(training, n_trials=n_trials, callbacks=callbacks)
    return study
