"""How early training can stop and still rank like the whole training (section 3.1)."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from optuna_predictor_rl.core.curves.correlation import TauByCutoff, tau_with_interval
from optuna_predictor_rl.core.curves.curve import Curve
from optuna_predictor_rl.core.curves.extrapolation import Fit, check_fit, extrapolate_curve

Direction = Literal["minimize", "maximize"]


def rank_correlation_by_cutoff(
    curves: Sequence[Mapping[int, float] | Curve],
    *,
    finals: ArrayLike | None = None,
    cutoffs: ArrayLike | None = None,
    extrapolate_by: float = 1.0,
    n_fit_points: int = 5,
    fit: Fit = "log",
    direction: Direction = "minimize",
    confidence: float = 0.8,
    n_resamples: int = 500,
    generator: np.random.Generator | None = None,
) -> TauByCutoff:
    """Kendall's tau between the value at each cutoff, raw and extrapolated, and the final value.

    The curves may have different lengths and grids. At a cutoff each has the last finite value it
    had reported by then; one that ended earlier keeps its final value.

    Args:
        curves: Step to value, such as ``FrozenTrial.intermediate_values``.
        finals: The final values; without them, the last value of each curve.
        cutoffs: Steps to try; without them, all steps at which a curve reports.
        extrapolate_by: Delta x of Eq. (2) as a share of the steps between the first report and
            the cutoff. It never reaches past the end of the curve.
        n_fit_points: How many points before the cutoff the line is fitted to.
        fit: See ``extrapolate``.
        direction: Only says which end is worst, for curves that end in NaN.
        confidence: Of the two-sided interval.
        n_resamples: Of the bootstrap over curves.
        generator: Of the bootstrap; without it, one seeded with 0, so that equal curves give
            equal intervals.

    Raises:
        ValueError: If there are fewer than 3 curves, or an argument is out of its range.

    Examples:
        >>> curves = [{1: 0.9, 2: 0.5, 3: 0.1}, {1: 0.8, 2: 0.6, 3: 0.4}, {1: 0.7, 2: 0.7, 3: 0.6}]
        >>> table = rank_correlation_by_cutoff(curves)
        >>> table.raw.tau
        array([-1.,  1.,  1.])
    """
    check_shares(extrapolate_by=extrapolate_by, confidence=confidence)
    check_fit(n_fit_points=n_fit_points, fit=fit)
    read = [curve if isinstance(curve, Curve) else Curve.of(curve) for curve in curves]
    if len(read) < 3:
        raise ValueError(f"curves must hold at least 3 curves, but got {len(read)}.")
    worst = math.inf if direction == "minimize" else -math.inf
    y = np.array([value_at(curve, math.inf, worst) for curve in read])
    if finals is not None:
        y = np.asarray(finals, dtype=np.float64)
        if y.shape != (len(read),):
            raise ValueError(
                f"finals must have one value a curve ({len(read)}), but got {y.size}."
            )
    grid = _grid(read) if cutoffs is None else np.unique(np.asarray(cutoffs, dtype=np.float64))
    raw = np.array([[value_at(curve, cutoff, worst) for curve in read] for cutoff in grid])
    label = np.array(
        [
            [
                value_at(
                    curve,
                    cutoff,
                    worst,
                    extrapolate_by=extrapolate_by,
                    n_fit_points=n_fit_points,
                    fit=fit,
                )
                for curve in read
            ]
            for cutoff in grid
        ]
    )
    seeds = generator or np.random.default_rng(0)
    estimates = [
        tau_with_interval(
            values, y, confidence=confidence, n_resamples=n_resamples, generator=seeds
        )
        for values in (raw.reshape(len(grid), -1), label.reshape(len(grid), -1))
    ]
    return TauByCutoff(
        cutoffs=grid,
        n_curves=(~np.isnan(raw)).sum(axis=1).reshape(-1),
        n_total=len(read),
        raw=estimates[0],
        label=estimates[1],
    )


def value_at(
    curve: Curve,
    cutoff: float,
    worst: float,
    *,
    extrapolate_by: float = 0.0,
    n_fit_points: int = 5,
    fit: Fit = "linear",
) -> float:
    """The value known at a cutoff: ``worst`` if the curve diverged, NaN if it has none yet."""
    known = curve.until(cutoff)
    if known.diverged:
        return worst
    if len(known) == 0:
        return math.nan
    if extrapolate_by == 0:
        return float(known.values[-1])
    delta = horizon(known, extrapolate_by=extrapolate_by, end=curve.last_step)
    return extrapolate_curve(known, delta=delta, n_fit_points=n_fit_points, fit=fit).value


def horizon(curve: Curve, *, extrapolate_by: float, end: float = math.inf) -> float:
    """Delta x of Eq. (2) in steps: a share of the way trained, never past ``end``."""
    # NOTE[paper]: the paper sets a step size; a share of the way needs no knowledge of its unit.
    return max(0.0, min(extrapolate_by * curve.span, end - float(curve.steps[-1])))


def check_shares(*, extrapolate_by: float, confidence: float) -> None:
    """Raises ``ValueError`` unless both are in their range."""
    if not (math.isfinite(extrapolate_by) and extrapolate_by >= 0):
        raise ValueError(f"extrapolate_by must be finite and >= 0, but got {extrapolate_by}.")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, but got {confidence}.")


def _grid(curves: Sequence[Curve]) -> Float[np.ndarray, " c"]:
    return np.unique(np.concatenate([curve.steps for curve in curves]))
