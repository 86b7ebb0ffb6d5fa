"""Trials that another pruner stopped: they rank behind those that passed the step.

Their last report is no final value: a sum grows, the folds of a cross-validation differ. All that
such a trial shows is that the pruner preferred those that trained on. Optuna's TPE ranks alike.
"""

import math
import sys
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl.fidelity.labels import stored_label

SPREAD_SHARE = 0.1
"""Labels of stopped trials lie behind the worst other label, by at most this share of the range of
the others: their order is known, their distance is not."""

N_FIRST = 10
"""The first trials, which are spread over the space: they show what an ordinary label is."""

OUTLIER_FACTOR = 10.0
"""A label is an outlier if it lies behind the third quartile of the first trials by more than this
many times the quartile's distance from the best. Outliers are drawn in: stopped trials behind one
that diverged would make all good trials look the same."""


def is_stopped_by_another(trial: FrozenTrial) -> bool:
    """Return whether a trial was stopped with a report, but without a low-fidelity label.

    The report may be NaN: such a trial diverged, and ranks last of those stopped at its step.
    """
    if trial.state != TrialState.PRUNED or not (trial.intermediate_values or trial.values):
        return False
    stored = stored_label(trial)
    return stored is None or math.isnan(stored)


def ranked_behind(
    labels: Float[ndarray, " n"],
    trials: Sequence[FrozenTrial],
    stopped: Bool[ndarray, " n"],
    sign: float,
) -> Float[ndarray, " n"]:
    """Return labels in which the stopped trials come last, those with the most steps first.

    Args:
        labels: Of all trials, lower is better; those of the stopped ones are not read.
        trials: The trials.
        stopped: Which of them another pruner stopped.
        sign: 1 if the study minimizes, -1 if it maximizes.

    Returns:
        The labels, with new ones for the stopped trials and outliers drawn in. Trials that were
        stopped at one step are ordered by their last report. Without any other label they are
        ranks in (0, 1].
    """
    ranked = np.where(stopped, math.nan, labels)
    known = ranked[~np.isnan(ranked)]
    if len(known):
        ranked = np.minimum(ranked, _outlier_bound(known))
    best, worst = (np.nanmin(ranked), np.nanmax(ranked)) if len(known) else (0.0, 0.0)
    keys = [_order(trial, sign) for trial, late in zip(trials, stopped, strict=True) if late]
    place = {key: i for i, key in enumerate(sorted(set(keys)), 1)}
    share = np.array([place[key] / len(place) for key in keys])
    with np.errstate(over="ignore"):  # of values near the largest float
        unit = SPREAD_SHARE * (worst - best) or SPREAD_SHARE * abs(worst) or 1.0
        behind = np.minimum(worst + unit * share, sys.float_info.max)
    ranked[stopped] = behind
    return ranked


@np.errstate(over="ignore")  # of values near the largest float
def _outlier_bound(known: Float[ndarray, " n"]) -> float:
    """Return the label past which others are outliers; infinite if the first ones are alike."""
    good = np.quantile(known[:N_FIRST], 0.75, method="lower")
    distance = float(good - known.min())
    return float(good + OUTLIER_FACTOR * distance) if distance > 0.0 else math.inf


def _order(trial: FrozenTrial, sign: float) -> tuple[int, float]:
    """Return a key that sorts later steps first, then better reports, NaN at the end."""
    last, value = trial.last_step, trial.value
    diverged = value is None or math.isnan(value)
    return (1 if last is None else -last), math.inf if diverged else sign * float(value or 0.0)
