"""The long-term value of a short training, by a fit of the end of its curve (Eqs. 1 and 2)."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from optuna_predictor_rl.core.curves.axes import AXES, AxisName
from optuna_predictor_rl.core.curves.curve import Curve
from optuna_predictor_rl.support.checked import check_at_least, checked


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


@checked
def extrapolate(
    steps: ArrayLike,
    values: ArrayLike,
    *,
    delta: float | int,
    n_fit_points: int = 5,
    axis: AxisName = "linear",
    smooth: bool = False,
    shrink: float | int = 0,
) -> Extrapolation:
    """Predicts a curve ``delta`` steps past its end, by Eqs. (1) and (2) of Yin et al. (2024).

    Values that are not finite are left out. A curve with one point keeps its value.

    Args:
        steps: Where the values were reported, growing.
        values: The learning curve.
        delta: Delta x of Eq. (2), in steps; 0 gives the last value as it stands.
        n_fit_points: How many of the last points the line is fitted to.
        axis: ``"linear"`` as in Eq. (1); ``"log"``, straight in the logarithm of the step;
            ``"power"`` or ``"exponential"``, straight on a curved axis that is fitted first.
        smooth: Start from the end of the fitted line instead of from the last value.
        shrink: Takes the slope ``m`` by the factor ``max(0, 1 - shrink / t ** 2)``, where ``t``
            is ``m`` in its own standard errors, so that a slope of mere noise is left out.

    Raises:
        ValueError: If there is no finite value, or an argument is out of its range.

    Examples:
        >>> extrapolate([1, 2, 3, 4], [8.0, 6.0, 4.0, 2.0], delta=2).value
        -2.0
    """
    x, y = as_floats("steps", steps), as_floats("values", values)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(
            f"steps and values must be two sequences of one length, "
            f"but got the shapes {x.shape} and {y.shape}."
        )
    check_fit(n_fit_points=n_fit_points, axis=axis, shrink=shrink)
    if not (math.isfinite(delta) and delta >= 0):
        raise ValueError(f"delta must be finite and not negative, but got {delta}.")
    curve = Curve.from_arrays(x, y)
    if len(curve) == 0:
        raise ValueError("values must hold at least one finite value, but got none.")
    return extrapolate_curve(curve, float(delta), n_fit_points, axis, smooth, float(shrink))


def as_floats(name: str, values: ArrayLike) -> Float[np.ndarray, "..."]:
    """Numbers as an array.

    Raises:
        ValueError: If they are no numbers, or rows of different lengths.
    """
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be numbers, but got {values!r}: {error}.") from error


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # of values and steps of any size
def extrapolate_curve(
    curve: Curve, delta: float, n_fit_points: int, axis: AxisName, smooth: bool, shrink: float
) -> Extrapolation:
    """``extrapolate`` for a curve that has been read and arguments that have been checked."""
    short_term, end = float(curve.values[-1]), float(curve.steps[-1])
    if len(curve) == 1:
        return Extrapolation(value=short_term, std=math.nan, slope=0.0, step=end + delta)
    n = min(n_fit_points, len(curve))
    place = AXES[axis](curve)
    u, y = place.of(curve.steps[-n:]), curve.values[-n:]
    ahead = float(place.of(np.array([end + delta]))[0] - u[-1])
    line = _Line.of(u, y)
    m = line.slope * _kept(line, shrink)
    if smooth:
        # NOTE[paper]: Eq. (2) starts from the value observed at the end. The end of the line
        # is less noisy, which pays when the noise is large beside the differences of curves.
        short_term = line.end
    value = short_term + m * ahead  # Eq. (2)
    return Extrapolation(
        value=value if math.isfinite(value) else short_term,
        std=line.standard_error(ahead, smooth),
        slope=m * place.rate(end),
        step=end + delta,
    )


def check_fit(*, n_fit_points: int, axis: str, shrink: float | int) -> None:
    """Raises ``ValueError`` unless the axis is known and the numbers are in their range."""
    check_at_least(2, n_fit_points=n_fit_points)
    if axis not in AXES:
        raise ValueError(f"axis must be one of {sorted(AXES)}, but got {axis!r}.")
    if not (math.isfinite(shrink) and shrink >= 0):
        raise ValueError(f"shrink must be finite and not negative, but got {shrink}.")


@dataclass(frozen=True)
class _Line:
    """A least-squares line.

    Attributes:
        slope: ``m`` of Eq. (1).
        end: Its value at the last point.
        variance: Of its residuals; NaN for two points.
        n: How many points it was fitted to.
        s_uu: The sum of their squared distances from their mean.
        reach: The distance of the last one.
    """

    slope: float
    end: float
    variance: float
    n: int
    s_uu: float
    reach: float

    @classmethod
    def of(cls, u: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]) -> "_Line":
        n = len(u)
        centred, y_mean = u - u.sum() / n, float(y.sum()) / n
        s_uu, reach = float(centred @ centred), float(centred[-1])
        m = float(centred @ (y - y_mean)) / s_uu  # Eq. (1)
        residuals = y - y_mean - m * centred
        variance = float(residuals @ residuals) / (n - 2) if n > 2 else math.nan
        return cls(m, y_mean + m * reach, variance, n, s_uu, reach)

    def standard_error(self, ahead: float, smooth: bool) -> float:
        """Of the value so far ahead of the last point, from the line's end or from that point."""
        if smooth:  # the line at u_n + d: s^2 (1 / n + (u_n + d - mean)^2 / S_uu)
            factor = 1 / self.n + (self.reach + ahead) ** 2 / self.s_uu
        else:  # y_n + m d, with Cov(y_n, m) = s^2 (u_n - mean) / S_uu
            factor = 1.0 + (ahead**2 + 2.0 * ahead * self.reach) / self.s_uu
        return math.sqrt(self.variance * factor)


def _kept(line: _Line, shrink: float) -> float:
    """The share of a slope that is kept, by the variance of its estimate."""
    # NOTE[paper]: Eq. (2) takes the slope as fitted. Shrinking it as James and Stein do costs
    # nothing on clean curves and keeps the noise of others out of their labels.
    square = line.slope * line.slope
    if shrink == 0 or math.isnan(line.variance) or square == 0:
        return 1.0
    return max(0.0, 1.0 - shrink * (line.variance / line.s_uu) / square)
