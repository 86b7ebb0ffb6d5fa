"""Axes on which the end of a learning curve is taken for straight."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from optuna_predictor_rl.core.curves.curve import Curve

AxisName = Literal["linear", "log"]


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A map from steps to places on an axis, and its derivative.

    Attributes:
        of: The places of steps.
        rate: How fast the place grows with the step.
    """

    of: Callable[[np.ndarray], np.ndarray]
    rate: Callable[[float], float]


def _linear(_: Curve) -> Axis:
    return Axis(of=lambda steps: steps, rate=lambda _: 1.0)


def _log(curve: Curve) -> Axis:
    # The first report ends the first interval, so training began one interval before it. The
    # interval is the median; NumPy's function for it takes ten times as long.
    intervals = np.sort(np.diff(curve.steps))
    twice = intervals[(len(intervals) - 1) // 2] + intervals[len(intervals) // 2]
    origin = float(curve.steps[0] - twice / 2)
    return Axis(of=lambda steps: np.log(steps - origin), rate=lambda step: 1.0 / (step - origin))


# NOTE[paper]: section 3.1 fits a straight line in the step ("linear"). In the logarithm of the
# step the rank correlation depends less on Delta x.
AXES: dict[str, Callable[[Curve], Axis]] = {"linear": _linear, "log": _log}
