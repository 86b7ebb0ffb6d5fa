"""Kendall's tau with ties, and its interval by a bootstrap over the curves."""

from dataclasses import dataclass

import numpy as np
import scipy
from jaxtyping import Float, Int


@dataclass(frozen=True, kw_only=True)
class TauEstimate:
    """Kendall's tau-b at each cutoff and its confidence interval; NaN where it is undefined.

    Attributes:
        tau: Tau of all curves that have a value at the cutoff.
        low: Lower bound.
        high: Upper bound.
    """

    tau: Float[np.ndarray, " c"]
    low: Float[np.ndarray, " c"]
    high: Float[np.ndarray, " c"]

    def __getitem__(self, index: int) -> tuple[float, float, float]:
        return float(self.tau[index]), float(self.low[index]), float(self.high[index])


@dataclass(frozen=True, kw_only=True)
class TauByCutoff:
    """How values at each cutoff rank the curves, compared with the final values.

    Attributes:
        cutoffs: In steps, growing.
        n_curves: Number of curves that have a finite value by then.
        n_total: Number of curves.
        raw: Tau of the last values before the cutoff.
        label: Tau of the values extrapolated from there (Eq. 2).
    """

    cutoffs: Float[np.ndarray, " c"]
    n_curves: Int[np.ndarray, " c"]
    n_total: int
    raw: TauEstimate
    label: TauEstimate

    def recommend(self, min_rank_correlation: float) -> float | None:
        """Return the earliest cutoff from which tau's lower bound is high enough, or None.

        The next cutoff's bound must be high enough as well: one good cutoff among bad ones is
        chance. The last cutoff has no next one and is never returned.
        """
        keeps = (self.label.low >= min_rank_correlation) & (self.n_curves == self.n_total)
        found = np.flatnonzero(keeps[:-1] & keeps[1:])
        return float(self.cutoffs[found[0]]) if len(found) else None


def kendall_tau(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]) -> float:
    """Return Kendall's tau-b; pairs with a NaN are left out, and a constant input gives NaN."""
    return float(bootstrap_tau(x, y, np.ones((1, len(x))))[0])


def bootstrap_tau(
    x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"], weights: Float[np.ndarray, "b n"]
) -> Float[np.ndarray, " b"]:
    """Return Kendall's tau-b of each resample.

    A curve drawn twice makes no pair with itself, so resampling adds no ties.

    Args:
        x: Infinite values are ranks like others; NaN is missing.
        y: Likewise.
        weights: How often each resample holds each pair of values.

    Returns:
        Tau-b of each row of `weights`; NaN where it is undefined.
    """
    sign_x, sign_y = _signs(x), _signs(y)  # (n, n)
    known = ~(np.isnan(sign_x) | np.isnan(sign_y))
    sign_x, sign_y = np.where(known, sign_x, 0.0), np.where(known, sign_y, 0.0)

    def total(pairs: Float[np.ndarray, "n n"]) -> Float[np.ndarray, " b"]:
        return np.asarray(((weights @ pairs) * weights).sum(axis=1))

    scale = np.sqrt(total(sign_x**2) * total(sign_y**2))
    taus = np.full(len(weights), np.nan)
    np.divide(total(sign_x * sign_y), scale, out=taus, where=scale > 0)
    return taus


def tau_with_interval(
    x: Float[np.ndarray, "c n"],
    y: Float[np.ndarray, " n"],
    *,
    confidence: float,
    n_resamples: int,
    generator: np.random.Generator,
) -> TauEstimate:
    """Return tau-b of each row of `x` with `y`, with a two-sided percentile bootstrap interval."""
    n = len(y)
    weights = generator.multinomial(n, np.full(n, 1 / n), size=n_resamples).astype(np.float64)
    weights = np.concatenate([np.ones((1, n)), weights])  # the first row is the sample itself
    taus = np.stack([bootstrap_tau(row, y, weights) for row in x])  # (c, b)
    bounds = [(1 - confidence) / 2, (1 + confidence) / 2]
    low, high = np.full(len(x), np.nan), np.full(len(x), np.nan)
    defined = ~np.isnan(taus[:, 0])
    if defined.any():
        low[defined], high[defined] = np.nanquantile(taus[defined], bounds, axis=1)
    return TauEstimate(tau=taus[:, 0], low=low, high=high)


def _signs(x: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n n"]:
    # Signs of ranks, since inf - inf is NaN and not a tie.
    ranks = np.asarray(scipy.stats.rankdata(x, nan_policy="omit"))
    return np.asarray(np.sign(ranks[:, None] - ranks[None, :]))
