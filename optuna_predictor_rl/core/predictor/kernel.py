"""The Matern-5/2 kernel of the Gaussian processes (GPML, Eq. 4.17)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

JITTER = 1e-6
"""Least variance of noise and of predictions: rounding errors of smaller ones may exceed them."""


def squared_distance(a: Float[ndarray, "n d"], b: Float[ndarray, "m d"]) -> Float[ndarray, "n m"]:
    """Return the squared Euclidean distance of each row of `a` to each of `b`."""
    # One matrix product, where differences of all pairs would take n * m * d numbers. What
    # cancels below 0 is clipped.
    squared = (a * a).sum(1)[:, None] + (b * b).sum(1)[None, :] - 2.0 * a @ b.T
    return np.maximum(squared, 0.0)


def matern52(squared: Float[ndarray, "n m"]) -> Float[ndarray, "n m"]:
    """Return the correlation at squared distances in units of the lengthscales."""
    r = np.sqrt(5.0 * squared)
    return np.asarray((1.0 + r + r * r / 3.0) * np.exp(-r))
