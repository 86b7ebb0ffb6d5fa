"""How early training can stop and still rank like full training (section 3.1)."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from optuna_predictor_rl.core.curves.correlation import TauByCutoff, tau_with_interval
from optuna_predictor_rl.core.curves.curve import Curve
from optuna_predictor_rl.core.curves.extrapolation import as_floats
from optuna_predictor_rl.core.curves.label import LabelFit, labels_at
from optuna_predictor_rl.support.checked import check_at_least, checked

Direction = Literal["minimize", "maximize"]

RAW = LabelFit(extrapolate_by=0.0)
"""The label that is the last value before the cutoff."""


@checked
def rank_correlation_by_cutoff(
    curves: Sequence[Mapping[int, float] | Curve],
    *,
    finals: ArrayLike | None = None,
    cutoffs: ArrayLike | None = None,
    fit: LabelFit | None = None,
    direction: Direction = "minimize",
    confidence: float = 0.8,
    n_resamples: int = 500,
    generator: np.random.Generator | None = None,
) -> TauByCutoff:
    """Return Kendall's tau between values at each cutoff, raw and extrapolated, and final values.

    The curves may have different lengths and steps. At a cutoff each has the last finite value it
    had reported by then; one that ended earlier keeps its final value.

    Args:
        curves: Step to value, such as `FrozenTrial.intermediate_values`.
        finals: The final values; by default the last value of each curve.
        cutoffs: Steps to try; by default all steps at which a curve reports.
        fit: How the values are extrapolated; by default `LabelFit()`.
        direction: Says which end is worst, where curves that end in NaN are ranked.
        confidence: Coverage of the two-sided intervals, such as 0.8.
        n_resamples: Number of resamples of the bootstrap over curves.
        generator: Source of the bootstrap's randomness; by default seeded with 0, so that equal
            curves give equal intervals.

    Returns:
        Tau and its intervals at each cutoff.

    Raises:
        ValueError: If there are fewer than 3 curves, or an argument is out of its range.

    Example:
        >>> curves = [{1: 0.9, 2: 0.5, 3: 0.1}, {1: 0.8, 2: 0.6, 3: 0.4}, {1: 0.7, 2: 0.7, 3: 0.6}]
        >>> table = rank_correlation_by_cutoff(curves)
        >>> table.raw.tau
        array([-1.,  1.,  1.])
    """
    check_confidence(confidence)
    check_at_least(1, n_resamples=n_resamples)
    read = [curve if isinstance(curve, Curve) else Curve.of(curve) for curve in curves]
    if len(read) < 3:
        raise ValueError(f"curves must hold at least 3 curves, but got {len(read)}.")
    y = final_values(read, direction) if finals is None else as_floats("finals", finals)
    if y.shape != (len(read),):
        raise ValueError(f"finals must have one value a curve ({len(read)}), but got {y.size}.")
    grid = report_steps(read) if cutoffs is None else np.unique(as_floats("cutoffs", cutoffs))
    if len(grid) == 0:
        raise ValueError("cutoffs must hold at least one step, but got none.")
    raw, label = (
        np.stack([labels_at(read, cutoff, way, worst_value(direction)) for cutoff in grid])
        for way in (RAW, fit or LabelFit())
    )
    generator = generator or np.random.default_rng(0)
    estimates = [
        tau_with_interval(
            values, y, confidence=confidence, n_resamples=n_resamples, generator=generator
        )
        for values in (raw, label)
    ]
    return TauByCutoff(
        cutoffs=grid,
        n_curves=(~np.isnan(raw)).sum(axis=1),
        n_total=len(read),
        raw=estimates[0],
        label=estimates[1],
    )


def final_values(curves: Sequence[Curve], direction: Direction) -> Float[np.ndarray, " n"]:
    """Return the last value of each curve; the worst of all for one that diverged."""
    return labels_at(curves, math.inf, RAW, worst_value(direction))


def worst_value(direction: Direction) -> float:
    """Return the infinite value that ranks last."""
    return math.inf if direction == "minimize" else -math.inf


def report_steps(curves: Sequence[Curve], at_most: int | None = None) -> Float[np.ndarray, " c"]:
    """Return all steps at which a curve reports, thinned evenly to `at_most`."""
    steps = np.asarray(np.unique(np.concatenate([curve.steps for curve in curves])))
    if at_most is None or len(steps) <= at_most:
        return steps
    places = np.linspace(0, len(steps) - 1, at_most).round().astype(int)
    return np.asarray(steps[places])


def check_confidence(confidence: float) -> None:
    """Raise a `ValueError` unless the confidence is between 0 and 1."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, but got {confidence}.")
