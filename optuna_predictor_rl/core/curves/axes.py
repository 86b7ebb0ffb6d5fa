"""Axes on which the end of a learning curve is taken for straight."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy
from jaxtyping import Float

from optuna_predictor_rl.core.curves.curve import Curve

AxisName = Literal["linear", "log", "power", "exponential"]

MIN_SHAPE_POINTS = 4
"""Fewer points than this say nothing of a curve's shape: ``log`` stands in."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """Steps to places on an axis, and how fast the place grows with the step."""

    of: Callable[[np.ndarray], np.ndarray]
    rate: Callable[[float], float]


def _linear(_: Curve) -> Axis:
    return Axis(of=lambda steps: steps, rate=lambda _: 1.0)


def _log(curve: Curve) -> Axis:
    origin = _origin(curve)
    return Axis(of=lambda steps: np.log(steps - origin), rate=lambda step: 1.0 / (step - origin))


def _power(curve: Curve) -> Axis:
    """Of ``a + b * l ** -c`` fitted to the whole curve, the axis ``l ** -c``."""
    if len(curve) < MIN_SHAPE_POINTS:
        return _log(curve)
    origin = _origin(curve)
    length = float(curve.steps[-1]) - origin
    c = _shape(curve, (curve.steps - origin) / length, lambda u, c: u**-c, c_max=3.0)
    return Axis(
        of=lambda steps: ((steps - origin) / length) ** -c,
        rate=lambda step: -c / length * ((step - origin) / length) ** (-c - 1),
    )


def _exponential(curve: Curve) -> Axis:
    """Of ``a + b * exp(-c * l)`` fitted to the whole curve, the axis ``exp(-c * l)``."""
    if len(curve) < MIN_SHAPE_POINTS:
        return _log(curve)
    origin = _origin(curve)
    length = float(curve.steps[-1]) - origin
    c = _shape(curve, (curve.steps - origin) / length, lambda u, c: np.exp(-c * u), c_max=9.0)
    return Axis(
        of=lambda steps: np.exp(-c * (steps - origin) / length),
        rate=lambda step: -c / length * float(np.exp(-c * (step - origin) / length)),
    )


def _shape(
    curve: Curve,
    u: Float[np.ndarray, " n"],
    basis: Callable[[np.ndarray, float], np.ndarray],
    c_max: float,
) -> float:
    """The bounded shape ``c`` of ``a + b * basis(u, c)``; outliers count linearly."""
    values = curve.values - curve.values.mean()
    spread = float(values.std())
    if spread == 0.0:
        return 1.0
    try:
        (_, _, c), _ = scipy.optimize.curve_fit(
            lambda u, a, b, c: a + b * basis(u, c),
            u,
            values / spread,
            p0=(0.0, float(np.sign(values[0] - values[-1])), 1.0),
            bounds=([-np.inf, -np.inf, 0.05], [np.inf, np.inf, c_max]),
            loss="soft_l1",
            max_nfev=200,
        )
    except RuntimeError:  # no convergence within max_nfev
        return 1.0
    return float(c)


def _origin(curve: Curve) -> float:
    # The first report ends the first interval, so training began one interval before it.
    intervals = np.sort(np.diff(curve.steps))
    middle = intervals[(len(intervals) - 1) // 2] + intervals[len(intervals) // 2]
    return float(curve.steps[0] - middle / 2)  # the median; NumPy's takes ten times as long


# NOTE[paper]: section 3.1 fits a straight line in the step ("linear"). In the logarithm of the
# step the rank correlation depends less on Delta x.
AXES: dict[str, Callable[[Curve], Axis]] = {
    "linear": _linear,
    "log": _log,
    "power": _power,
    "exponential": _exponential,
}
