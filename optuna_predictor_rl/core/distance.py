"""Which rows are so near to others that a trial of them would tell little that is new."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool
from numpy import ndarray
from scipy.spatial import KDTree

from optuna_predictor_rl.core.space import Categorical, Decision, Rows, SearchSpace

FEW = 16
"""Values of a stepped decision up to which they all differ, as choices do."""

WIDE = 6
"""Decisions that are not exact from which a distance is taken as it is."""

APART = 1e-9
"""Positions that differ by more are different values."""


def near_to(
    space: SearchSpace, others: Rows, distance: float
) -> Callable[[Rows], Bool[ndarray, " n"]]:
    """Tells of rows whether they are within a distance of one of the others in every decision.

    Categories, the values of a decision that has few, and inactive decisions have to be the same.
    In spaces of fewer than six other decisions the distance is less, so that each row closes the
    same share of the space: (2 distance)^6.

    Args:
        space: The search space.
        others: (m, decisions).
        distance: In positions, 1 is the whole range of a numeric decision. At 0, none is near.

    Returns:
        A function of rows, (n, decisions).

    Examples:
        >>> from optuna_predictor_rl.core.space import Numeric
        >>> space = SearchSpace(tuple(Numeric(name=n, low=0.0, high=10.0) for n in "abcdef"))
        >>> rows = np.array([[0.5] * 5 + [0.52], [0.5] * 5 + [0.6]])
        >>> near_to(space, np.full((1, 6), 0.5), 0.05)(rows).tolist()
        [True, False]
    """
    if distance == 0.0 or len(others) == 0:
        return lambda rows: np.zeros(len(rows), dtype=bool)
    exact = np.array([_is_exact(decision) for decision in space.decisions])
    n_wide = max(1, int((~exact).sum()))
    if n_wide < WIDE:
        distance = (2.0 * distance) ** (WIDE / n_wide) / 2.0
    unit = np.where(exact, APART, max(distance, APART))

    def place(rows: Rows) -> Rows:  # so that near is less than 1 away, and inactive on its own
        return np.nan_to_num(rows / unit, nan=-2.0)

    tree = KDTree(place(others))

    def is_near(rows: Rows) -> Bool[ndarray, " n"]:
        away, _ = tree.query(place(rows), p=np.inf, distance_upper_bound=1.0)
        return np.isfinite(away)

    return is_near


def _is_exact(decision: Decision) -> bool:
    n_values = decision.n_values
    return isinstance(decision, Categorical) or (n_values is not None and n_values <= FEW)
