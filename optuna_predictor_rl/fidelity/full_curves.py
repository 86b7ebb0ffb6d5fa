"""Full trials whose curves span a full training, and the steps they share."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from optuna.trial import FrozenTrial

from optuna_predictor_rl.core.curves import Curve
from optuna_predictor_rl.core.curves.curve import float_step
from optuna_predictor_rl.core.curves.cutoff import report_steps
from optuna_predictor_rl.study.objective import trial_values

MAX_LATE_START = 0.2
"""Share of the usual training by which a curve may start later than usual. One that starts later
went on from a checkpoint."""

MAX_LENGTH_FACTOR = 10.0
"""A curve that ends past this many usual trainings counts its steps in another unit."""

MIN_LENGTH_FACTOR = 0.01
"""A curve that ends before this share of a usual training counts them in another unit, too."""

MAX_CHECKPOINTS = 64
"""Steps at which a trial is looked at; reports between them cost next to nothing."""

MIN_FULL_CURVES = 3
"""Curves without which there is nothing to compare."""


def checkpoints(curves: Sequence[Curve], cutoff: float | None = None) -> Float[np.ndarray, " c"]:
    """Return the steps, growing, at which errors are learned and running trials are looked at.

    They are the steps at which full trials report, thinned to `MAX_CHECKPOINTS`, and the cutoff.
    """
    steps = report_steps(curves, at_most=MAX_CHECKPOINTS) if curves else np.empty(0)
    return steps if cutoff is None or not len(steps) else np.union1d(steps, [cutoff])


def nearest(steps: Float[np.ndarray, " c"], step: float) -> float:
    """Return the nearest of some steps; the step itself if there are none."""
    return float(steps[np.abs(steps - step).argmin()]) if len(steps) else step


def with_full_curves(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Return the full trials whose curves span a full training; all if those are few.

    A training that went on from a checkpoint, or that counts in another unit, has a final value,
    but its curve does not show where others can stop.
    """
    if len(trials) <= MIN_FULL_CURVES:
        return list(trials)
    first = np.array([float_step(min(t.intermediate_values)) for t in trials])
    last = np.array([float_step(max(t.intermediate_values)) for t in trials])
    n_intervals = np.array([max(1, len(t.intermediate_values) - 1) for t in trials])
    # A training that reports every r steps reports first at r: its start is one interval earlier.
    start = first - (last - first) / n_intervals
    usual_last = np.median(last)
    is_full = (
        (start - np.median(start) <= MAX_LATE_START * usual_last)
        & (last <= MAX_LENGTH_FACTOR * usual_last)
        & (last >= MIN_LENGTH_FACTOR * usual_last)
    )
    kept = [trial for trial, keep in zip(trials, is_full, strict=True) if keep]
    return kept if len(kept) >= MIN_FULL_CURVES else list(trials)


def report_in_another_unit(full: Sequence[FrozenTrial]) -> bool:
    """Return whether final values are on another scale than the reports.

    They are if most lie farther from their last report than all last reports lie apart. That
    holds for a loss that is reported and a percentage that is returned, and not for an average
    over the last epochs.
    """
    last = np.array([t.intermediate_values[max(t.intermediate_values)] for t in full])
    values = trial_values(full)
    known = np.isfinite(last) & np.isfinite(values)
    if known.sum() < MIN_FULL_CURVES:
        return False
    last, values = last[known] / 2, values[known] / 2  # their difference may overflow
    return bool(np.median(np.abs(values - last)) > max(np.ptp(last), 1e-3 * np.abs(last).max()))
