"""The long-term value of a short training, from a line through its curve's end (Eqs. 1, 2)."""

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
    """A long-term value and its standard error.

    Attributes:
        value: The long-term value of Eq. (2), in the unit of the curve.
        std: Its standard error, from the residuals of the fit; NaN if the fit has as many
            parameters as points.
        slope: The slope `m` of Eq. (1) at the end of the curve, in values per step.
        step: The step that `value` predicts.
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
    """Predict a curve `delta` steps past its end, by Eqs. (1) and (2) of Yin et al. (2024).

    Values that are not finite are left out. A curve with one point keeps its value.

    Args:
        steps: Where the values were reported, growing.
        values: The learning curve.
        delta: Delta x of Eq. (2), in steps; 0 returns the last value.
        n_fit_points: Number of points at the end of the curve that the line is fitted to.
        axis: "linear" as in Eq. (1), or "log", straight in the logarithm of the step.
        smooth: Start from the end of the fitted line instead of from the last value.
        shrink: Multiplies the slope `m` by `max(0, 1 - shrink / t ** 2)`, where `t` is `m` in its
            own standard errors, so that a slope of mere noise has no effect. 0 keeps all slopes.

    Raises:
        ValueError: If there is no finite value, or an argument is out of its range.

    Example:
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
    """Return numbers as an array.

    Raises:
        ValueError: If they are no numbers, or rows of different lengths.
    """
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be numbers, but got {values!r}: {error}.") from error


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # values and steps have any size
def extrapolate_curve(
    curve: Curve, delta: float, n_fit_points: int, axis: AxisName, smooth: bool, shrink: float
) -> Extrapolation:
    """Do as `extrapolate`, for a `Curve` and arguments that have been checked."""
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
    """Raise a `ValueError` unless the axis is known and the numbers are in their range."""
    check_at_least(2, n_fit_points=n_fit_points)
    if axis not in AXES:
        raise ValueError(f"axis must be one of {sorted(AXES)}, but got {axis!r}.")
    if not (math.isfinite(shrink) and shrink >= 0):
        raise ValueError(f"shrink must be finite and not negative, but got {shrink}.")


@dataclass(frozen=True)
class _Line:
    """A least-squares line through values at places u on an axis.

    Attributes:
        slope: `m` of Eq. (1).
        end: The line's value at the last point.
        variance: Variance of the residuals; NaN for two points.
        n: Number of points.
        s_uu: Sum of the points' squared distances from their mean place.
        reach: Distance of the last point from their mean place.
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
        """Return the error of a value d ahead, from the line's end if smooth or the last value."""
        if smooth:  # the line at u_n + d: s^2 (1 / n + (u_n + d - mean)^2 / S_uu)
            factor = 1 / self.n + (self.reach + ahead) ** 2 / self.s_uu
        else:  # y_n + m d, with Cov(y_n, m) = s^2 (u_n - mean) / S_uu
            factor = 1.0 + (ahead**2 + 2.0 * ahead * self.reach) / self.s_uu
        return math.sqrt(self.variance * factor)


def _kept(line: _Line, shrink: float) -> float:
    """Return the share of a slope that is kept, from the variance of its estimate."""
    # NOTE[paper]: Eq. (2) takes the slope as fitted. Shrinking it as James and Stein do changes
    # nothing on clean curves and keeps noise out of the labels of others.
    square = line.slope * line.slope
    if shrink == 0 or math.isnan(line.variance) or square == 0:
        return 1.0
    return max(0.0, 1.0 - shrink * (line.variance / line.s_uu) / square)
