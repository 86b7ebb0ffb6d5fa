"""Pareto fronts and the hypervolume that they dominate; lower is better in every column."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
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
    values = values / np.maximum(np.abs(values).max(0), 1e-300)  # differences may overflow
    # NOTE[paper]: each objective spans 1 on the front, not standardized as in Eq. (6): outliers
    # are far from the front.
    known = values if feasible is None or not feasible.any() else values[feasible]
    front = known[is_pareto(known)]
    extent = np.ptp(front, axis=0)
    extent = np.where(extent > 0.0, extent, np.maximum(np.ptp(values, axis=0), 1e-300))
    weighted = weight * ((values - front.min(0)) / extent)
    return np.asarray(weighted.max(1) + AUGMENTATION * weighted.sum(1))
