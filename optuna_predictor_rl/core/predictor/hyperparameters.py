"""The hyperparameters of a Gaussian process: those of the largest posterior density.

Notation, beside that of `gaussian_process`:

    feature         The feature g of each of d columns: columns of a feature share a lengthscale.
    D_g             Squared distances of all pairs of rows in the columns of a feature.
    theta           (log ell_1, ..., log ell_G, log s, log (noise - JITTER)), unbounded.
    r               Scaled distance: r^2 = 5 sum_g D_g / ell_g^2.
    k(r)            s (1 + r + r^2 / 3) exp(-r), GPML, Eq. 4.17.
    W               K^-1 - alpha alpha^T, twice the derivative of the value by K (GPML, Eq. 5.9).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy
from jaxtyping import Float, Int
from numpy import ndarray

from optuna_predictor_rl.core.predictor.kernel import JITTER, squared_distance

MAX_FITTED = 200
"""Rows on which hyperparameters are fitted: each step of L-BFGS is cubic in them."""

MAX_CELLS = 8_000_000
"""Distances of pairs of rows, one for each feature, that a fit keeps: 64 MB."""

MAX_ITERATIONS = 60
"""Bound on the iterations of L-BFGS."""


@dataclass(frozen=True, kw_only=True)
class KernelPrior:
    """Log-normal priors of the hyperparameters, for labels of unit variance.

    Args:
        lengthscale: Median lengthscale of a feature when there is one feature; it grows with the
            square root of their number (Hvarfner et al., 2024, "Vanilla Bayesian optimization
            performs great in high dimensions").
        lengthscale_spread: Standard deviation of its logarithm.
        noise: Median noise variance.
        noise_spread: Standard deviation of its logarithm.
        scale_spread: Standard deviation of the logarithm of the signal variance around 1.

    Raises:
        ValueError: If a value is not positive.
    """

    # Other priors of lengthscale and noise did not help on 34 tasks.
    lengthscale: float = 0.8
    lengthscale_spread: float = 0.8
    noise: float = 0.05
    noise_spread: float = 1.5
    scale_spread: float = 1.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise ValueError(f"{name} must be positive, but got {value}.")


class Hyperparameters(NamedTuple):
    """Lengthscale of each feature, signal variance and noise variance."""

    lengthscale: Float[ndarray, " g"]
    scale: float
    noise: float


def fit_hyperparameters(
    x: Float[ndarray, "n d"],
    y: Float[ndarray, " n"],
    feature: Int[ndarray, " d"],
    variance: Float[ndarray, " n"],
    prior: KernelPrior,
) -> Hyperparameters:
    """Maximize the posterior density on at most `MAX_FITTED` rows, fewer of many features."""
    n_features = int(feature.max()) + 1
    subset = representative_rows(y, min(MAX_FITTED, math.isqrt(MAX_CELLS // n_features)))
    objective = NegativeLogPosterior(x[subset], y[subset], feature, prior, variance[subset])
    solution = scipy.optimize.minimize(
        objective,
        objective.start,
        jac=True,
        method="L-BFGS-B",
        bounds=objective.bounds,
        options={"maxiter": MAX_ITERATIONS},
    )
    return objective.hyperparameters(solution.x)


def representative_rows(y: Float[ndarray, " n"], limit: int) -> Int[ndarray, " m"]:
    """Return the indices of at most `limit` rows: the best half, and an even sample of the rest.

    The best are kept because the search goes on around them.
    """
    if len(y) <= limit:
        return np.arange(len(y))
    order = np.argsort(y, kind="stable")
    best, rest = order[: limit // 2], order[limit // 2 :]
    even = np.linspace(0, len(rest) - 1, limit - len(best)).round().astype(np.int64)
    return np.sort(np.concatenate([best, rest[even]]))


class NegativeLogPosterior:
    """Value and gradient in theta, up to constants."""

    def __init__(
        self,
        x: Float[ndarray, "n d"],
        y: Float[ndarray, " n"],
        feature: Int[ndarray, " d"],
        prior: KernelPrior,
        variance: Float[ndarray, " n"],
    ) -> None:
        self.variance = variance
        n_features = int(feature.max()) + 1
        self.distance = np.empty((n_features, len(x) ** 2))  # D_g, a row for each feature
        for g in range(n_features):
            columns = x[:, feature == g]
            self.distance[g] = squared_distance(columns, columns).ravel()
        self.y = y - y.mean()
        middle = math.log(prior.lengthscale) + 0.5 * math.log(n_features)
        self.start = np.array([middle] * n_features + [0.0, math.log(prior.noise)])
        self.spread = np.array(
            [prior.lengthscale_spread] * n_features + [prior.scale_spread, prior.noise_spread]
        )
        self.bounds = [(-4.0, 7.0)] * n_features + [(-5.0, 4.0), (-14.0, 2.0)]

    def hyperparameters(self, theta: Float[ndarray, " p"]) -> Hyperparameters:
        """Return what theta stands for."""
        return Hyperparameters(
            np.exp(theta[:-2]), math.exp(theta[-2]), math.exp(theta[-1]) + JITTER
        )

    def __call__(self, theta: Float[ndarray, " p"]) -> tuple[float, Float[ndarray, " p"]]:
        """Return value and gradient at theta."""
        n = len(self.y)
        lengthscale, scale, noise = self.hyperparameters(theta)
        weight = lengthscale**-2
        r = np.sqrt(5.0 * np.maximum(weight @ self.distance, 0.0)).reshape(n, n)
        decay = np.exp(-r)
        correlation = (1.0 + r + r * r / 3.0) * decay
        kernel = scale * correlation
        kernel[np.diag_indices(n)] = scale + noise + self.variance
        try:
            factor = scipy.linalg.cholesky(kernel, lower=True, check_finite=False)
        except np.linalg.LinAlgError:  # a high wall: the line search of L-BFGS turns back
            return 1e10, np.zeros_like(theta)
        inverse = scipy.linalg.cho_solve((factor, True), np.eye(n), check_finite=False)
        alpha = inverse @ self.y
        outer = inverse - np.outer(alpha, alpha)  # W
        by_distance = outer * (decay * (1.0 + r))  # dk/d(r^2/5) = -5/6 scale (1 + r) e^-r
        gradient = np.empty_like(theta)
        gradient[:-2] = (5.0 / 6.0) * scale * weight * (self.distance @ by_distance.ravel())
        gradient[-2] = 0.5 * scale * np.vdot(outer, correlation)
        gradient[-1] = 0.5 * (noise - JITTER) * np.trace(outer)
        deviation = (theta - self.start) / self.spread
        value = 0.5 * self.y @ alpha + np.log(np.diag(factor)).sum() + 0.5 * deviation @ deviation
        return float(value), gradient + deviation / self.spread
