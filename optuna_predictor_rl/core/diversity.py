"""How much configurations differ, and which of the best differ enough."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from optuna_predictor_rl.core.space import Categorical, Rows, SearchSpace


def gower_distance(
    rows: Rows, row: Float[ndarray, " d"], space: SearchSpace
) -> Float[ndarray, " n"]:
    """Distance in [0, 1] of rows from one: the mean over decisions of how far they are apart.

    Choices are 0 or 1 apart, numeric decisions the difference of their positions in the range, on
    a log scale where it is one; a decision that is active in only one of the rows is 1 apart
    (Gower, 1971, "A general coefficient of similarity and some of its properties").

    Example:
        >>> from optuna_predictor_rl.core.space import Numeric
        >>> x = Numeric(name="x", low=0.0, high=10.0)
        >>> space = SearchSpace((Categorical(name="kind", choices=("a", "b")), x))
        >>> rows = space.rows([{"kind": "a", "x": 3.0}, {"kind": "b", "x": 8.0}])
        >>> gower_distance(rows, rows[0], space).round(3).tolist()
        [0.0, 0.75]
    """
    categorical = np.array([isinstance(d, Categorical) for d in space.decisions], dtype=bool)
    missing, lacks = np.isnan(rows), np.isnan(row)
    apart = np.abs(np.nan_to_num(rows) - np.nan_to_num(row))
    apart = np.where(categorical, apart > 0, apart)
    apart = np.where(missing | lacks, missing != lacks, apart)
    return np.asarray(apart.mean(axis=1, dtype=np.float64))


def diverse(
    rows: Rows, space: SearchSpace, k: int, distance: float, apart_from: Rows | None = None
) -> Int[ndarray, " m"]:
    """Indices of the first k rows that are at least so far from all chosen before them.

    Args:
        rows: Rows of the space, best first.
        space: The space.
        k: How many to choose; fewer are chosen if no more are far enough.
        distance: Least `gower_distance` between two of them; equal rows are never chosen.
        apart_from: Rows that all must be as far from.
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
