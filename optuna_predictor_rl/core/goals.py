"""What a search is to improve: a weighted sum of tasks, or the hypervolume of objectives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.core.acquisition import (
    log_expected_improvement,
    log_hypervolume_improvement,
)
from optuna_predictor_rl.core.pareto import Boxes, empty_boxes, is_pareto, thinned

MARGIN = 0.1
"""How far beyond the worst of the front, in extents of the front, the reference point lies."""


@dataclass(frozen=True)
class WeightedSum:
    """Eq. (6): the weighted sum of the tasks is to become lower than the best so far.

    Args:
        weight: Weight of each task.
        best: Lowest sum so far.
    """

    weight: Float[ndarray, " t"]
    best: float

    def log_gain(
        self, mean: Float[ndarray, "n t"], std: Float[ndarray, "n t"]
    ) -> Float[ndarray, " n"]:
        """Logarithm of the expected improvement of independent Gaussians."""
        spread = np.sqrt(std**2 @ self.weight**2)
        return log_expected_improvement(mean @ self.weight, spread, self.best)


@dataclass(frozen=True)
class Hypervolume:
    """The objectives are to dominate more below a reference point than they do so far.

    Args:
        boxes: What they do not dominate yet.
    """

    boxes: Boxes

    def log_gain(
        self, mean: Float[ndarray, "n t"], std: Float[ndarray, "n t"]
    ) -> Float[ndarray, " n"]:
        """Logarithm of the expected hypervolume improvement of independent Gaussians."""
        return log_hypervolume_improvement(mean, std, self.boxes)


Goal = WeightedSum | Hypervolume


def hypervolume_goal(known: Float[ndarray, "n t"]) -> Hypervolume:
    """The hypervolume up to a little beyond the worst of the known points' front.

    Args:
        known: Objectives of what is known, in units of about one standard deviation each.
    """
    front = known[is_pareto(known)]
    best, worst = front.min(0), front.max(0)
    extent = np.where(worst > best, worst - best, known.std(0))
    return Hypervolume(empty_boxes(thinned(front), worst + MARGIN * np.maximum(extent, 1e-3)))
