"""Pareto fronts and the hypervolume that they dominate; lower is better in every column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

AUGMENTATION = 0.05
"""Weight of the sum beside the largest part: weakly dominated points lose (rho of ParEGO)."""


def is_pareto(points: Float[ndarray, "n t"]) -> Bool[ndarray, " n"]:
    """Return which points no other point dominates; equal points are all on the front or none.

    Example:
        >>> is_pareto(np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])).tolist()
        [True, True, False]
    """
    distinct, inverse = np.unique(points, axis=0, return_inverse=True)
    kept = np.ones(len(distinct), dtype=bool)
    for i, point in enumerate(distinct):
        if kept[i]:  # in ascending order, a point comes after those that dominate it
            kept[i + 1 :] &= (distinct[i + 1 :] < point).any(1)
    return kept[inverse.ravel()]


def hypervolume(points: Float[ndarray, "n 2"], reference: Float[ndarray, " 2"]) -> float:
    """Return the area that points of two objectives dominate below a reference point.

    Example:
        >>> hypervolume(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([2.0, 2.0]))
        3.0
    """
    front = np.unique(points[is_pareto(points) & (points < reference).all(1)], axis=0)
    if not len(front):
        return 0.0
    right = np.append(front[1:, 0], reference[0])
    return float((right - front[:, 0]) @ (reference[1] - front[:, 1]))


@dataclass(frozen=True)
class FrontScale:
    """Where a front begins and how far it extends: the unit in which objectives are compared.

    Args:
        size: Largest absolute value of each objective, by which values are divided first:
            differences may overflow.
        low: Best value of each objective on the front, in shares of the size.
        extent: How far the front extends, likewise.
    """

    size: Float[ndarray, " t"]
    low: Float[ndarray, " t"]
    extent: Float[ndarray, " t"]

    @classmethod
    def of(
        cls, values: Float[ndarray, "n t"], feasible: Bool[ndarray, " n"] | None = None
    ) -> FrontScale:
        """Return the scale of the front of values; see `chebyshev` for the arguments."""
        size = np.maximum(np.abs(values).max(0), 1e-300)
        values = values / size
        # NOTE[paper]: each objective spans 1 on the front, not standardized as in Eq. (6):
        # outliers are far from the front.
        known = values if feasible is None or not feasible.any() else values[feasible]
        front = known[is_pareto(known)]
        extent = np.ptp(front, axis=0)
        extent = np.where(extent > 0.0, extent, np.maximum(np.ptp(values, axis=0), 1e-300))
        return cls(size, front.min(0), extent)

    def shares(self, values: Float[ndarray, "n t"]) -> Float[ndarray, "n t"]:
        """Return how far values are from the best ones, in shares of the front's extent."""
        return np.asarray((values / self.size - self.low) / self.extent)

    def distance(
        self, values: Float[ndarray, "n t"], weight: Float[ndarray, " t"]
    ) -> Float[ndarray, " n"]:
        """Return the augmented Chebyshev distance of values from the ideal point."""
        weighted = weight * self.shares(values)
        return np.asarray(weighted.max(1) + AUGMENTATION * weighted.sum(1))


def chebyshev(
    values: Float[ndarray, "n t"],
    weight: Float[ndarray, " t"],
    feasible: Bool[ndarray, " n"] | None = None,
) -> Float[ndarray, " n"]:
    """Return several objectives as one: the augmented Chebyshev distance from the ideal point.

    Knowles, 2006, "ParEGO: a hybrid algorithm with on-line landscape approximation for expensive
    multiobjective optimization problems", Eq. 2. Every point of a front, also of its concave
    parts, is the best for some weight.

    Args:
        values: Finite values of each objective, lower is better.
        weight: Weight of each objective.
        feasible: Rows that may be on the front; all of them where none is feasible.

    Example:
        >>> values = np.array([[0.0, 1.0], [0.4, 0.4], [1.0, 0.0]])
        >>> chebyshev(values, np.array([0.5, 0.5])).argmin()
        np.int64(1)
    """
    return FrontScale.of(values, feasible).distance(values, weight)


def front_order(values: Float[ndarray, "n t"], at_most: int | None = None) -> Int[ndarray, " m"]:
    """Return the indices of points: the front, then the front of the others, and so on.

    Each front begins with its compromise, the best for equal weights of `chebyshev`. Every other
    point is the farthest of its front from those before it, in shares of the front's extent, so
    that the first few are spread along the front.

    Args:
        values: Finite values of each objective, lower is better.
        at_most: How many indices to return; None returns all.

    Example:
        >>> front_order(np.array([[0.0, 1.0], [0.9, 0.9], [0.3, 0.3], [1.0, 0.0]])).tolist()
        [2, 0, 3, 1]
    """
    wanted = len(values) if at_most is None else min(at_most, len(values))
    if values.shape[1] == 1:  # each value is a front
        return np.argsort(values[:, 0], kind="stable")[:wanted]
    left, order = np.arange(len(values)), np.empty(0, dtype=np.int64)
    while len(order) < wanted:
        on_front = is_pareto(values[left])
        front = left[on_front]
        order = np.append(order, front[_spread(values[front], wanted - len(order))])
        left = left[~on_front]
    return order


def _spread(front: Float[ndarray, "n t"], n: int) -> Int[ndarray, " m"]:
    """Return the first n points of a front, each far from those before it."""
    scale = FrontScale.of(front)
    shares = scale.shares(front)
    chosen = [int(scale.distance(front, np.full(front.shape[1], 1.0 / front.shape[1])).argmin())]
    nearest = np.full(len(front), np.inf)
    while len(chosen) < min(n, len(front)):
        last = np.linalg.norm(shares - shares[chosen[-1]], axis=1)
        nearest = np.minimum(nearest, last)
        nearest[chosen[-1]] = -1.0  # equal points are 0 apart, and come last
        chosen.append(int(nearest.argmax()))
    return np.array(chosen, dtype=np.int64)
