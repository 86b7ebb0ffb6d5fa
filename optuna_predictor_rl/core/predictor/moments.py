"""Means and standard deviations of targets, as the parts of the predictor exchange them."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float
from numpy import ndarray


class Moments(NamedTuple):
    """Mean and standard deviation of t targets of n rows."""

    mean: Float[ndarray, "n t"]
    std: Float[ndarray, "n t"]


class MemberMoments(NamedTuple):
    """What one member predicts: the targets of the tasks, and those of the constraints."""

    tasks: Moments
    constraints: Moments
