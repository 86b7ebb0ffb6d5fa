"""Objectives, and what a comparison has left in a study."""

from collections import Counter

import optuna
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState


def parabola(trial: optuna.Trial) -> float:
    """Its best value is 1, at 0."""
    x = trial.suggest_float("x", -1.0, 1.0)
    y = trial.suggest_int("y", 0, 8)
    return 1.0 + x**2 + y * float(trial.suggest_categorical("z", ["0", "1"]))


def of(study: Study, searcher: str) -> list[FrozenTrial]:
    return [
        t
        for t in study.get_trials(deepcopy=False)
        if t.user_attrs["predictor_rl:searcher"] == searcher
    ]


def complete(study: Study) -> Counter[str]:
    """Number of complete trials by searcher."""
    trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return Counter(trial.user_attrs["predictor_rl:searcher"] for trial in trials)


def order(study: Study) -> list[str]:
    """Searchers of the trials, in the order of their numbers."""
    return [t.user_attrs["predictor_rl:searcher"] for t in study.get_trials(deepcopy=False)]
