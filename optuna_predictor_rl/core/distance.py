"""Which rows are so near to others that a trial of them would tell little that is new."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from optuna_predictor_rl.core.space import Categorical, Rows, SearchSpace

FEW = 16
"""Values of a stepped decision up to which they all differ, as choices do."""


def is_near(space: SearchSpace, rows: Rows, others: Rows, distance: float) -> Bool[ndarray, " n"]:
    """Whether a row is within a distance of one of the others in every decision.

    Categories, the values of a decision that has few, and inactive decisions have to be the same.

    Args:
        space: The search space.
        rows: (n, decisions).
        others: (m, decisions).
        distance: In positions, 1 is the whole range of a numeric decision. At 0, none is near.

    Examples:
        >>> from optuna_predictor_rl.core.space import Numeric
        >>> space = SearchSpace((Numeric(name="x", low=0.0, high=10.0),))
        >>> is_near(space, np.array([[0.52], [0.6]]), np.array([[0.5]]), 0.05).tolist()
        [True, False]
    """
    if distance == 0.0:
        return np.zeros(len(rows), dtype=bool)
    others = np.unique(others, axis=0)
    near = np.ones((len(rows), len(others)), dtype=bool)
    for j, decision in enumerate(space.decisions):
        n_values = decision.n_values
        exact = isinstance(decision, Categorical) or (n_values is not None and n_values <= FEW)
        a, b = rows[:, j, None], others[None, :, j]
        inactive = np.isnan(a) & np.isnan(b)
        near &= (np.abs(a - b) < (1e-9 if exact else distance)) | inactive
    return np.asarray(near.any(axis=1))
