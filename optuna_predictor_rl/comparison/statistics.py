"""Statistics of a report: means of best values, gains, standard errors, a paired bootstrap."""

import math

import numpy as np
from jaxtyping import Float
from numpy import ndarray

N_RESAMPLES = 10_000
"""Resamples of the bootstrap: its own error of a probability is at most 0.005."""


def mean_of_best(values: list[float], n: int, *, maximize: bool) -> float:
    """Return the mean of the `n` best values, of all if there are fewer; NaN if there is none."""
    if not values:
        return math.nan
    return float(np.mean(sorted(values, reverse=maximize)[:n]))


def gain(value: float, baseline: float, *, values_are_gains: bool) -> float:
    """Return the change from a baseline to a value, in % of the baseline.

    It is negative if the value is lower, and NaN if the baseline is 0. With `values_are_gains`,
    both are gains in % over a common third value.
    """
    if values_are_gains:
        value, baseline = 1.0 + value / 100.0, 1.0 + baseline / 100.0
    if baseline == 0:
        return math.nan
    return 100.0 * (value - baseline) / abs(baseline)


def standard_error(values: Float[ndarray, "seeds ..."]) -> Float[ndarray, "..."]:
    """Return the standard error of the mean over seeds; NaN for a single seed."""
    if len(values) < 2:
        return np.full(values.shape[1:], np.nan)
    return np.asarray(values.std(axis=0, ddof=1) / math.sqrt(len(values)))


def probability_of_being_best(
    best: Float[ndarray, "seeds searchers"], *, maximize: bool
) -> Float[ndarray, " searchers"]:
    """Return how often each searcher has the best mean when the seeds are resampled.

    The bootstrap is paired, because a seed is as hard for all searchers: a drawn seed counts for
    all of them. Ties are shared. Seeds in which a searcher has no value are left out.

    Returns:
        Probabilities that sum to one; NaN if fewer than two seeds are left.

    Example:
        >>> probability_of_being_best(np.array([[1.0, 2.0], [1.5, 3.0]]), maximize=False)
        array([1., 0.])
    """
    best = best[~np.isnan(best).any(axis=1)]
    n_seeds, n_searchers = best.shape
    if n_seeds < 2:
        return np.full(n_searchers, np.nan)
    drawn = np.random.default_rng(0).integers(n_seeds, size=(N_RESAMPLES, n_seeds))
    means = (-best if maximize else best)[drawn].mean(axis=1)  # (N_RESAMPLES, n_searchers)
    wins = means == means.min(axis=1, keepdims=True)
    return np.asarray((wins / wins.sum(axis=1, keepdims=True)).mean(axis=0))
