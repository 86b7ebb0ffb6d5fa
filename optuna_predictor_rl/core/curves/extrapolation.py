"""The long-term value of a short training, by a fit of the end of its curve (Eqs. 1 and 2)."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from optuna_predictor_rl.core.curves.curve import Curve

Fit = Literal["linear", "log"]


@dataclass(frozen=True, kw_only=True)
class Scale:
    """The axis on which the end of a curve is taken for straight.

    Attributes:
        of: Steps to places on the axis.
        rate: How fast the place grows with the step, at a step.
    """

    of: Callable[[np.ndarray], np.ndarray]
    rate: Callable[[float], float]


@dataclass(frozen=True, kw_only=True)
class Extrapolation:
    """A long-term value and how sure the fit is of it.

    Attributes:
        value: The long-term value of Eq. (2), in the unit of the curve.
        std: Its standard error, from the residuals of the fit; NaN when the fit has as many
            parameters as points.
        slope: The slope ``m`` of Eq. (1) at the end of the curve, in values per step.
        step: The step for which ``value`` stands.
    """

    value: float
    std: float
    slope: float
    step: float


def extrapolate(
    steps: ArrayLike,
    values: ArrayLike,
    *,
    delta: float | int,
    n_fit_points: int = 5,
    fit: Fit = "linear",
) -> Extrapolation:
    """Predicts a curve ``delta`` steps past its end, by Eqs. (1) and (2) of Yin et al. (2024).

    Values that are not finite are left out. A curve with one point keeps its value.

    Args:
        steps: Where the values were reported, growing.
        values: The learning curve.
        delta: Delta x of Eq. (2), in steps; 0 gives the last value as it stands.
        n_fit_points: How many of the last points the line is fitted to.
        fit: ``"linear"`` as in Eq. (1), or ``"log"``, linear in the logarithm of the step.

    Raises:
        ValueError: If there is no finite value, or an argument is out of its range.

    Examples:
        >>> extrapolate([1, 2, 3, 4], [8.0, 6.0, 4.0, 2.0], delta=2).value
        -2.0
    """
    x, y = np.asarray(steps, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(
            f"steps and values must be two sequences of one length, "
            f"but got the shapes {x.shape} and {y.shape}."
        )
    return extrapolate_curve(
        Curve.from_arrays(x, y), delta=delta, n_fit_points=n_fit_points, fit=fit
    )


def extrapolate_curve(
    curve: Curve, *, delta: float | int, n_fit_points: int = 5, fit: Fit = "linear"
) -> Extrapolation:
    """``extrapolate`` for a curve that has been read already."""
    check_fit(n_fit_points=n_fit_points, fit=fit)
    if not (math.isfinite(delta) and delta >= 0):
        raise ValueError(f"delta must be finite and not negative, but got {delta}.")
    if len(curve) == 0:
        raise ValueError("values must hold at least one finite value, but got none.")
    last = float(curve.values[-1])
    end = float(curve.steps[-1])
    if len(curve) == 1:
        return Extrapolation(value=last, std=math.nan, slope=0.0, step=end + delta)
    n = min(n_fit_points, len(curve))
    scale = FITS[fit](curve)
    u = scale.of(curve.steps[-n:])
    ahead = float(scale.of(np.array([end + delta]))[0] - u[-1])
    m, std = _line(u, curve.values[-n:], ahead)
    return Extrapolation(
        value=last + m * ahead,  # Eq. (2)
        std=std,
        slope=m * scale.rate(end),
        step=end + delta,
    )


def check_fit(*, n_fit_points: int, fit: str) -> None:
    """Raises ``ValueError`` unless the fit is known and has enough points for a slope."""
    if n_fit_points < 2:
        raise ValueError(f"n_fit_points must be at least 2, but got {n_fit_points}.")
    if fit not in FITS:
        raise ValueError(f"fit must be one of {sorted(FITS)}, but got {fit!r}.")


def _line(
    u: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"], ahead: float
) -> tuple[float, float]:
    """Least-squares slope, and the standard error of ``y[-1] + slope * ahead``."""
    centred = u - u.mean()
    s_uu = float((centred**2).sum())
    m = float((centred * (y - y.mean())).sum()) / s_uu  # Eq. (1)
    if len(u) == 2:
        return m, math.nan
    residuals = y - y.mean() - m * centred
    variance = float((residuals**2).sum()) / (len(u) - 2)
    # Var(y_n + m * d) with Var(m) = s^2 / S_uu and Cov(y_n, m) = s^2 (u_n - mean) / S_uu.
    factor = 1.0 + (ahead**2 + 2.0 * ahead * float(centred[-1])) / s_uu
    return m, math.sqrt(variance * factor)


def _linear_scale(_: Curve) -> Scale:
    return Scale(of=lambda steps: steps, rate=lambda _: 1.0)


def _log_scale(curve: Curve) -> Scale:
    # The first report ends the first interval, so training began one interval before it.
    origin = float(curve.steps[0] - np.median(np.diff(curve.steps)))
    return Scale(of=lambda steps: np.log(steps - origin), rate=lambda step: 1.0 / (step - origin))


# NOTE[paper]: section 3.1 fits a straight line in the step ("linear"). In the logarithm of the
# step the label depends less on Delta x.
FITS: dict[str, Callable[[Curve], Scale]] = {"linear": _linear_scale, "log": _log_scale}
