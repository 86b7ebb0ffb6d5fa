"""How much configurations differ: which are too near to others, and which are diverse."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from scipy.spatial import KDTree

from optuna_predictor_rl.core.decisions import Categorical, has_few_values
from optuna_predictor_rl.core.space import Rows, SearchSpace

N_NUMERIC_FOR_FULL_DISTANCE = 6
"""Numeric decisions from which on a distance is taken as given.

With fewer, one row would close a larger share of the space to the next. On six small models of
scikit-learn with two to five parameters, shrinking the distance takes the mean regret after 60
trials from .019 to .013 (`python -m benchmarks search held_out`, three seeds).
"""

SAME_POSITION = 1e-9
"""Positions that differ by less are the same value, up to rounding."""


def near_to(
    space: SearchSpace, others: Rows, distance: float
) -> Callable[[Rows], Bool[ndarray, " n"]]:
    """Return a test of rows: are they within a distance of one other row in every decision?

    Categories, the values of a decision that has few, and inactive decisions have to be the same.
    In spaces of fewer than six other decisions the distance is less, so that each row closes the
    same share of the space: (2 distance)^6.

    Args:
        space: The search space.
        others: (m, decisions).
        distance: In positions, 1 is the whole range of a numeric decision. At 0, none is near.

    Returns:
        A function of rows, (n, decisions) -> (n,).

    Example:
        >>> from optuna_predictor_rl.core.decisions import Numeric
        >>> space = SearchSpace(tuple(Numeric(name=n, low=0.0, high=10.0) for n in "abcdef"))
        >>> rows = np.array([[0.5] * 5 + [0.52], [0.5] * 5 + [0.6]])
        >>> near_to(space, np.full((1, 6), 0.5), 0.05)(rows).tolist()
        [True, False]
    """
    if distance == 0.0 or len(others) == 0:
        return lambda rows: np.zeros(len(rows), dtype=bool)
    exact = np.array([has_few_values(decision) for decision in space.decisions])
    n_numeric = max(1, int((~exact).sum()))
    if n_numeric < N_NUMERIC_FOR_FULL_DISTANCE:
        distance = (2.0 * distance) ** (N_NUMERIC_FOR_FULL_DISTANCE / n_numeric) / 2.0
    unit = np.where(exact, SAME_POSITION, max(distance, SAME_POSITION))

    def scaled(rows: Rows) -> Rows:
        # Rows are near if they are less than 1 apart. Positions are at least 0, so that -2 keeps
        # inactive decisions apart from all others.
        return np.nan_to_num(rows / unit, nan=-2.0)

    tree = KDTree(scaled(others))

    def is_near(rows: Rows) -> Bool[ndarray, " n"]:
        away, _ = tree.query(scaled(rows), p=np.inf, distance_upper_bound=1.0)
        return np.isfinite(away)

    return is_near


def gower_distance(
    rows: Rows, row: Float[ndarray, " d"], space: SearchSpace
) -> Float[ndarray, " n"]:
    """Return the distance in [0, 1] of rows from one: the mean difference of their decisions.

    Choices are 0 or 1 apart, numeric decisions the difference of their positions in the range, on
    a log scale where it is one; a decision that is active in only one of the rows is 1 apart
    (Gower, 1971, "A general coefficient of similarity and some of its properties").

    Example:
        >>> from optuna_predictor_rl.core.decisions import Numeric
        >>> x = Numeric(name="x", low=0.0, high=10.0)
        >>> space = SearchSpace((Categorical(name="kind", choices=("a", "b")), x))
        >>> rows = space.rows([{"kind": "a", "x": 3.0}, {"kind": "b", "x": 8.0}])
        >>> gower_distance(rows, rows[0], space).round(3).tolist()
        [0.0, 0.75]
    """
    categorical = np.array([isinstance(d, Categorical) for d in space.decisions], dtype=bool)
    inactive, row_inactive = np.isnan(rows), np.isnan(row)
    apart = np.abs(np.nan_to_num(rows) - np.nan_to_num(row))
    apart = np.where(categorical, apart > 0, apart)
    apart = np.where(inactive | row_inactive, inactive != row_inactive, apart)
    return np.asarray(apart.mean(axis=1, dtype=np.float64))


def diverse(
    rows: Rows, space: SearchSpace, k: int, distance: float, apart_from: Rows | None = None
) -> Int[ndarray, " m"]:
    """Return the indices of the first k rows that are so far from all chosen before them.

    Args:
        rows: Rows of the space, best first.
        space: The space.
        k: How many to choose; fewer are chosen if no more are far enough.
        distance: Least `gower_distance` between two of them; equal rows are never chosen.
        apart_from: Rows that all chosen ones keep the same distance from.
    """
    nearest = np.full(len(rows), np.inf)
    for row in () if apart_from is None else apart_from:
        nearest = np.minimum(nearest, gower_distance(rows, row, space))
    chosen: list[int] = []
    while len(chosen) < k:
        far = (nearest >= distance) & (nearest > 0.0)
        if not far.any():
            break
        chosen.append(int(far.argmax()))
        nearest = np.minimum(nearest, gower_distance(rows, rows[chosen[-1]], space))
    return np.array(chosen, dtype=np.int64)
