"""Labels of trainings that were stopped, and the choice of the fit whose labels rank best."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from optuna_predictor_rl.core.curves.axes import AxisName
from optuna_predictor_rl.core.curves.correlation import kendall_tau
from optuna_predictor_rl.core.curves.curve import Curve
from optuna_predictor_rl.core.curves.extrapolation import (
    Extrapolation,
    check_fit,
    extrapolate_curve,
)
from optuna_predictor_rl.support.checked import checked

CHOICE_MARGIN = 0.3
"""Least gain in tau, times the number of curves, for which another fit replaces the first.

Some fit ranks few noisy curves better by chance.
"""


@checked
@dataclass(frozen=True, kw_only=True)
class LabelFit:
    """Settings of the fit that labels a training that was stopped.

    Attributes:
        extrapolate_by: Delta x of Eq. (2) as a share of the steps between the first report and
            the last one; 0 takes the curve's last value.
        n_fit_points: Number of points at the end of the curve for the line, Eq. (1).
        axis: See `extrapolate`.
        smooth: See `extrapolate`.
        shrink: See `extrapolate`.
    """

    # NOTE[paper]: the paper sets a step size; a share of the way needs no knowledge of its unit.
    extrapolate_by: float = 1.0
    n_fit_points: int = 5
    axis: AxisName = "log"
    smooth: bool = False
    shrink: float = 25.0

    def __post_init__(self) -> None:
        check_fit(n_fit_points=self.n_fit_points, axis=self.axis, shrink=self.shrink)
        if not (math.isfinite(self.extrapolate_by) and self.extrapolate_by >= 0):
            raise ValueError(
                f"extrapolate_by must be finite and >= 0, but got {self.extrapolate_by}."
            )

    @property
    def keeps_value(self) -> bool:
        """Return True if a label is the curve's last value."""
        return self.extrapolate_by == 0 and not self.smooth

    def label(self, curve: Curve, *, end: float = math.inf) -> Extrapolation | None:
        """Return the long-term value; None for a curve that diverged or has no finite value.

        Args:
            curve: The curve as far as it was trained.
            end: The last step of a full training, where extrapolation ends.
        """
        if curve.diverged or len(curve) == 0:
            return None
        delta = max(0.0, min(self.extrapolate_by * curve.span, end - float(curve.steps[-1])))
        return extrapolate_curve(
            curve, delta, self.n_fit_points, self.axis, self.smooth, self.shrink
        )

    def alternatives(self) -> list["LabelFit"]:
        """Return the raw value first, then this fit, shorter horizons and smoother fits."""
        half = self.extrapolate_by / 2
        smooth = replace(self, smooth=True)
        twice = replace(smooth, n_fit_points=2 * self.n_fit_points)
        return [
            replace(self, extrapolate_by=0.0),
            self,
            replace(self, extrapolate_by=half),
            twice,
            replace(twice, extrapolate_by=half),
            replace(twice, extrapolate_by=0.0),
            replace(smooth, extrapolate_by=0.0),
        ]


def labels_at(
    curves: Sequence[Curve], cutoff: float, fit: LabelFit, worst: float
) -> Float[np.ndarray, " n"]:
    """Return the labels of trainings stopped at a cutoff.

    A training that diverged by then has the label `worst`, one without a finite value NaN, and
    one that ended by then its last value.
    """
    values = np.full(len(curves), math.nan)
    for i, curve in enumerate(curves):
        known = curve.until(cutoff)
        if fit.keeps_value and len(known) and not known.diverged:
            values[i] = known.values[-1]  # skips the fit, which takes most of the time
            continue
        label = fit.label(known, end=curve.last_step)
        if label is not None:
            ended = known.last_step >= curve.last_step
            values[i] = known.values[-1] if ended else label.value
        elif known.diverged:
            values[i] = worst
    return values


def choose_fit(
    curves: Sequence[Curve],
    finals: Float[np.ndarray, " n"],
    candidates: Sequence[LabelFit],
    *,
    cutoffs: Float[np.ndarray, " c"],
    worst: float,
) -> LabelFit:
    """Return the candidate whose labels rank full trainings best, on average over the cutoffs.

    The first candidate stays unless another's Kendall's tau is better by `CHOICE_MARGIN` over the
    number of curves.
    """
    if len(candidates) == 1:
        return candidates[0]
    taus = [
        np.mean(
            [
                np.nan_to_num(kendall_tau(labels_at(curves, cutoff, fit, worst), finals))
                for cutoff in cutoffs
            ]
        )
        for fit in candidates
    ]
    best = int(np.argmax(taus))
    wanted = taus[0] + CHOICE_MARGIN / len(curves)
    return candidates[best] if taus[best] > wanted else candidates[0]
