"""Pareto fronts and the hypervolume that they dominate; lower is better in every column."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray


def is_pareto(points: Float[ndarray, "n t"]) -> Bool[ndarray, " n"]:
    """Which points no other point dominates; of equal points each is on the front or none.

    Example:
        >>> is_pareto(np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])).tolist()
        [True, True, False]
    """
    distinct, inverse = np.unique(points, axis=0, return_inverse=True)  # in ascending order
    kept = np.ones(len(distinct), dtype=bool)
    for i, point in enumerate(distinct):
        if kept[i]:  # what it dominates comes later
            kept[i + 1 :] &= (distinct[i + 1 :] < point).any(1)
    return kept[inverse.ravel()]


def hypervolume(points: Float[ndarray, "n 2"], reference: Float[ndarray, " 2"]) -> float:
    """Area that points of two objectives dominate below a reference point.

    Example:
        >>> hypervolume(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([2.0, 2.0]))
        3.0
    """
    front = np.unique(points[is_pareto(points) & (points < reference).all(1)], axis=0)
    if not len(front):
        return 0.0
    right = np.append(front[1:, 0], reference[0])
    return float((right - front[:, 0]) @ (reference[1] - front[:, 1]))


MAX_BOXES = 1000
"""About how many boxes may enter an expected hypervolume improvement."""

Boxes = tuple[Float[ndarray, "b t"], Float[ndarray, "b t"]]
"""Lower and upper corners."""


def empty_boxes(points: Float[ndarray, "n t"], reference: Float[ndarray, " t"]) -> Boxes:
    """Boxes that make up all below a reference point that no point dominates.

    Sorted by the last objective, the points cut space into slabs; in each slab the points below
    it leave boxes of the other objectives empty.

    Example:
        >>> lower, upper = empty_boxes(np.array([[1.0, 1.0]]), np.array([2.0, 2.0]))
        >>> lower.tolist(), upper.tolist()
        ([[-inf, -inf], [-inf, 1.0]], [[2.0, 1.0], [1.0, 2.0]])
    """
    n_objectives = len(reference)
    points = points[(points < reference).all(1)]
    if not len(points):
        return np.full((1, n_objectives), -np.inf), reference[None]
    if n_objectives == 1:
        return np.full((1, 1), -np.inf), points.min(0, keepdims=True)
    front = np.unique(points[is_pareto(points)], axis=0)
    front = front[np.argsort(front[:, -1], kind="stable")]
    levels = np.concatenate([[-np.inf], front[:, -1], reference[-1:]])
    lower, upper = [], []
    for i in range(len(front) + 1):
        if levels[i] == levels[i + 1]:
            continue
        low, high = empty_boxes(front[:i, :-1], reference[:-1])
        lower.append(np.insert(low, n_objectives - 1, levels[i], axis=1))
        upper.append(np.insert(high, n_objectives - 1, levels[i + 1], axis=1))
    return np.concatenate(lower), np.concatenate(upper)


def thinned(front: Float[ndarray, "n t"]) -> Float[ndarray, "m t"]:
    """As many points, far from each other, as give about `MAX_BOXES` empty boxes."""
    n_objectives = front.shape[1]
    limit = int((MAX_BOXES * math.factorial(n_objectives - 1)) ** (1 / max(n_objectives - 1, 1)))
    if len(front) <= limit:
        return front
    chosen = list(dict.fromkeys(front.argmin(0).tolist()))  # the best in each objective
    distance = np.min([((front - front[i]) ** 2).sum(1) for i in chosen], axis=0)
    while len(chosen) < limit:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, ((front - front[chosen[-1]]) ** 2).sum(1))
    return front[chosen]
