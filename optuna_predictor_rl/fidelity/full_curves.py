"""Full trials whose curves show what a whole training does, and the steps they share."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from optuna.trial import FrozenTrial

from optuna_predictor_rl.core.curves import (
    Curve,
)
from optuna_predictor_rl.core.curves.curve import float_step
from optuna_predictor_rl.core.curves.cutoff import report_steps
from optuna_predictor_rl.study.objective import trial_values

STARTS_LATE = 0.2
"""A curve that begins after this share of a whole training, one interval of reports before the
first, ..."""

TOO_LONG = 10.0
"""... ends after so many times its steps, ..."""

TOO_SHORT = 0.01
"""... or before this share of it is none of a whole training: it went on from a checkpoint, or its
steps are of another unit."""

MAX_CHECKPOINTS = 64
"""Steps at which a trial is looked at; reports between them cost next to nothing."""

MIN_WHOLE = 3
"""Curves without which there is nothing to compare."""


def checkpoints(curves: Sequence[Curve], cutoff: float | None = None) -> Float[np.ndarray, " c"]:
    """The steps at which running trials are looked at and their errors learned, growing.

    They are the steps at which full trials report, thinned to `MAX_CHECKPOINTS`, and the cutoff.
    """
    steps = report_steps(curves, at_most=MAX_CHECKPOINTS) if curves else np.empty(0)
    return steps if cutoff is None or not len(steps) else np.union1d(steps, [cutoff])


def nearest(steps: Float[np.ndarray, " c"], step: float) -> float:
    """The nearest of some steps; the step itself if there are none."""
    return float(steps[np.abs(steps - step).argmin()]) if len(steps) else step


def with_whole_curves(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """The full trials whose curves span a whole training, as most do; all if those are few.

    A training that went on from a checkpoint, or that counts in another unit, has a final value,
    but its curve tells nothing of where others can stop.
    """
    if len(trials) <= MIN_WHOLE:
        return list(trials)
    first = np.array([float_step(min(t.intermediate_values)) for t in trials])
    last = np.array([float_step(max(t.intermediate_values)) for t in trials])
    n_intervals = np.array([max(1, len(t.intermediate_values) - 1) for t in trials])
    start = first - (last - first) / n_intervals
    usual_last = np.median(last)
    whole = (
        (start - np.median(start) <= STARTS_LATE * usual_last)
        & (last <= TOO_LONG * usual_last)
        & (last >= TOO_SHORT * usual_last)
    )
    kept = [trial for trial, is_whole in zip(trials, whole, strict=True) if is_whole]
    return kept if len(kept) >= MIN_WHOLE else list(trials)


def report_in_another_unit(full: Sequence[FrozenTrial]) -> bool:
    """Whether most full trials returned what lies farther from their last report than all differ.

    That holds for a loss that is reported and a percentage that is returned, not for an average
    over the last epochs.
    """
    last = np.array([t.intermediate_values[max(t.intermediate_values)] for t in full])
    values = trial_values(full)
    known = np.isfinite(last) & np.isfinite(values)
    if known.sum() < MIN_WHOLE:
        return False
    last, values = last[known] / 2, values[known] / 2  # their difference may overflow
    return bool(np.median(np.abs(values - last)) > max(np.ptp(last), 1e-3 * np.abs(last).max()))
