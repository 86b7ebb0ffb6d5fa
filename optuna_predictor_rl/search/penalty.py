"""What is added to the score of a row that must not be tried."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

FORBIDDEN = 1e3
"""Penalty that is above all rewards, so that any row without it is better."""


def beyond_limit(excess: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
    """Return the penalty of rows beyond a limit; by how much, tells the search the way back.

    Example:
        >>> beyond_limit(np.array([0.0, 0.5])).tolist()
        [0.0, 1500.0]
    """
    return np.asarray(FORBIDDEN * ((excess > 0.0) + excess))
