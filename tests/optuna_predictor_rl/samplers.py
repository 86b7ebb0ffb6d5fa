"""Samplers whose suggestions take little time, an objective for them, and what they suggested."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
from optuna.study import Study
from optuna.trial import Trial

from optuna_predictor_rl import PolicyConfig, PredictorConfig, PredictorRLSampler

N_STARTUP = 4
CHOICES = (None, True, "relu", 3, 0.5, math.nan)


def tiny(**options: Any) -> PredictorRLSampler:
    return PredictorRLSampler(
        predictor=PredictorConfig(n_members=2, n_epochs=5),
        policy=PolicyConfig(n_steps=3),
        **{"n_startup_trials": N_STARTUP, "seed": 0, **options},
    )


def everything(trial: Trial) -> float:
    """One parameter of each kind, the best of each in the middle of its range."""
    x = trial.suggest_float("x", -2.0, 2.0)
    rate = trial.suggest_float("rate", 1e-4, 1.0, log=True)
    share = trial.suggest_float("share", 0.0, 1.0, step=0.1)
    n = trial.suggest_int("n", 1, 9)
    width = trial.suggest_int("width", 4, 1024, log=True)
    even = trial.suggest_int("even", 0, 20, step=2)
    kind = trial.suggest_categorical("kind", CHOICES)
    numbers = (
        x,
        math.log(rate) + 4.6,
        4 * share - 2,
        (n - 5) / 2,
        math.log(width / 64),
        even - 10,
    )
    return sum(v * v for v in numbers) + 3.0 * (kind != "relu")


def optimized(
    objective: Callable[[Trial], float], n_trials: int, direction: str = "minimize", **options: Any
) -> Study:
    study = optuna.create_study(sampler=tiny(**options), direction=direction)
    study.optimize(objective, n_trials=n_trials)
    return study


def params(study: Study) -> list[dict[str, Any]]:
    return [trial.params for trial in study.trials]


def levels(study: Study, name: str = "x", last: int = 10) -> float:
    """Mean of a parameter over the last trials."""
    return float(np.mean([trial.params[name] for trial in study.trials[-last:]]))
