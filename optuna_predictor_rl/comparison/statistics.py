"""Numbers of a report: the best trials, gains over a baseline, who is best how surely."""

import math

import numpy as np
from jaxtyping import Float
from numpy import ndarray


def mean_of_best(values: list[float], n: int, *, maximize: bool) -> float:
    """Mean of the ``n`` best values, of all if there are fewer; NaN if there are none."""
    if not values:
        return math.nan
    return float(np.mean(sorted(values, reverse=maximize)[:n]))


def gain(value: float, baseline: float, *, values_are_gains: bool) -> float:
    """How a value differs from the baseline, in %.

    Args:
        value: Of a trial.
        baseline: To compare with.
        values_are_gains: Both are gains in % already, over something else.

    Returns:
        The change, negative if the value is lower; NaN if the baseline is 0.
    """
    if values_are_gains:
        value, baseline = 1.0 + value / 100.0, 1.0 + baseline / 100.0
    if baseline == 0:
        return math.nan
    return 100.0 * (value - baseline) / abs(baseline)


def standard_error(values: Float[ndarray, "seeds ..."]) -> Float[ndarray, "..."]:
    """Standard error of the mean over seeds; NaN for a single seed."""
    if len(values) < 2:
        return np.full(values.shape[1:], np.nan)
    return np.asarray(values.std(axis=0, ddof=1) / math.sqrt(len(values)))


def probability_of_being_best(
    best: Float[ndarray, "seeds searchers"],
    *,
    maximize: bool,
    n_resamples: int = 10_000,
    generator: np.random.Generator | None = None,
) -> Float[ndarray, " searchers"]:
    """How often a searcher's mean is the best when the seeds are drawn again.

    The bootstrap is paired: a drawn seed counts for all searchers. Ties are shared. Seeds in which
    a searcher has no value are left out.

    Args:
        best: Each searcher's best value under each seed.
        maximize: Whether higher is better.
        n_resamples: How often seeds are drawn.
        generator: Of the draws; by default one with a fixed seed.

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
    generator = generator or np.random.default_rng(0)
    drawn = generator.integers(n_seeds, size=(n_resamples, n_seeds))
    means = (-best if maximize else best)[drawn].mean(axis=1)  # (n_resamples, n_searchers)
    wins = means == means.min(axis=1, keepdims=True)
    return np.asarray((wins / wins.sum(axis=1, keepdims=True)).mean(axis=0))
