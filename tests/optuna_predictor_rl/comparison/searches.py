"""An objective, trials of searchers, and what a comparison leaves in a study."""

from collections import Counter
from typing import Any

import optuna
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl.comparison.marks import searcher_of
from optuna_predictor_rl.study.attributes import SEARCHER
from tests.optuna_predictor_rl.trials import trial


def parabola(trial: optuna.Trial) -> float:
    """Return at least 1, at 0."""
    x = trial.suggest_float("x", -1.0, 1.0)
    y = trial.suggest_int("y", 0, 8)
    return 1.0 + x**2 + y * float(trial.suggest_categorical("z", ["0", "1"]))


def ended(
    searcher: str,
    value: float | None,
    state: TrialState = TrialState.COMPLETE,
    **attributes: Any,
) -> FrozenTrial:
    """Return a trial of a searcher, without parameters."""
    return trial(None, value, state, **{SEARCHER: searcher}, **attributes)


def of(study: Study, searcher: str) -> list[FrozenTrial]:
    return [t for t in study.get_trials(deepcopy=False) if searcher_of(t) == searcher]


def complete(study: Study) -> Counter[str]:
    """Return the number of complete trials by searcher."""
    return Counter(map(searcher_of, study.get_trials(states=(TrialState.COMPLETE,))))


def order(study: Study) -> list[str]:
    """Return the searchers of the trials, in the order of their numbers."""
    return [searcher_of(t) for t in study.trials]
