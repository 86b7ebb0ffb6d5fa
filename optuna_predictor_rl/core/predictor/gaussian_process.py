"""An exact Gaussian process over encoded configurations: the ensemble's smooth member.

Matern-5/2 kernel with a lengthscale per feature (Rasmussen and Williams, 2006, "GPML", Eq. 4.17).
The hyperparameters maximize the posterior by L-BFGS with analytic gradients (GPML, Eq. 5.9).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import scipy
from jaxtyping import Float, Int
from numpy import ndarray

JITTER = 1e-6

BLOCK = 2048
"""Rows that are predicted at once: of 10,000, the kernel alone would take 80 MB."""

MAX_CELLS = 8_000_000
"""Distances of pairs of rows, one for each feature, that a fit keeps: 64 MB."""


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

    lengthscale: float = 0.8
    lengthscale_spread: float = 0.8
    noise: float = 0.05
    noise_spread: float = 1.5
    scale_spread: float = 1.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise ValueError(f"{name} must be positive, but got {value}.")


@dataclass(frozen=True)
class GaussianProcess:
    """A fitted process; `fit_gaussian_process` makes one.

    Args:
        x: Training inputs.
        inverse_lengthscale: One for each column.
        scale: Signal variance.
        noise: Noise variance of a label without an error of its own.
        mean: Constant mean.
        factor: Lower Cholesky factor of the kernel matrix with the noise of all labels.
        alpha: The weights of the kernels to the training inputs in the posterior mean.
    """

    x: Float[ndarray, "n d"]
    inverse_lengthscale: Float[ndarray, " d"]
    scale: float
    noise: float
    mean: float
    factor: Float[ndarray, "n n"]
    alpha: Float[ndarray, " n"]

    def predict(
        self, x: Float[ndarray, "m d"]
    ) -> tuple[Float[ndarray, " m"], Float[ndarray, " m"]]:
        """Posterior mean and standard deviation of the noise-free function (GPML, Eq. 2.25).

        The errors that single labels are known to have move the mean. The deviation leaves them
        out: it is what is not known because no label is near, which another label would lift.
        """
        blocks = [x[i : i + BLOCK] for i in range(0, max(len(x), 1), BLOCK)]
        moments = [self._predict(block) for block in blocks]
        return np.concatenate([m for m, _ in moments]), np.concatenate([s for _, s in moments])

    def _predict(
        self, x: Float[ndarray, "m d"]
    ) -> tuple[Float[ndarray, " m"], Float[ndarray, " m"]]:
        squared = _squared_distance(
            x * self.inverse_lengthscale, self.x * self.inverse_lengthscale
        )
        kernel = self.scale * _matern(squared)
        solved = scipy.linalg.solve_triangular(
            self.factor, kernel.T, lower=True, check_finite=False
        )
        variance = self.scale - np.einsum("nm,nm->m", solved, solved)
        return self.mean + kernel @ self.alpha, np.sqrt(np.maximum(variance, JITTER))

    def relabelled(self, y: Float[ndarray, " n"]) -> GaussianProcess:
        """The process of other labels, without errors of their own, at the same inputs."""
        mean = float(y.mean())
        alpha = scipy.linalg.cho_solve((self.factor, True), y - mean, check_finite=False)
        return replace(self, mean=mean, alpha=alpha)

    def expecting(self, x: Float[ndarray, "m d"]) -> GaussianProcess:
        """The process once the values at x are known to be as predicted: surer, the mean kept."""
        scaled, known = x * self.inverse_lengthscale, self.x * self.inverse_lengthscale
        cross = self.scale * _matern(_squared_distance(known, scaled))
        lower = scipy.linalg.solve_triangular(self.factor, cross, lower=True, check_finite=False)
        block = self.scale * _matern(_squared_distance(scaled, scaled)) - lower.T @ lower
        block[np.diag_indices_from(block)] += self.noise + JITTER
        n, m = cross.shape
        factor = np.zeros((n + m, n + m))
        factor[:n, :n] = self.factor
        factor[n:, :n] = lower.T
        factor[n:, n:] = scipy.linalg.cholesky(block, lower=True, check_finite=False)
        return replace(
            self,
            x=np.concatenate([self.x, x]),
            factor=factor,
            alpha=np.concatenate([self.alpha, np.zeros(m)]),
        )


def fit_gaussian_process(
    x: Float[ndarray, "n d"],
    y: Float[ndarray, " n"],
    feature: Int[ndarray, " d"],
    *,
    error: Float[ndarray, " n"] | None = None,
    prior: KernelPrior | None = None,
    max_fit: int = 200,
    max_rows: int = 1000,
    max_iterations: int = 60,
) -> GaussianProcess:
    """Fit a process to labels of about unit variance.

    Args:
        x: Encoded configurations.
        y: Their labels; lower is better.
        feature: The feature of each column; columns of a feature share a lengthscale.
        error: Standard deviation of what is known to be wrong with each label, beside the noise
            that they all have; None is 0. It tells how much the mean follows the label.
        prior: Priors of the hyperparameters.
        max_fit: Hyperparameters are fitted on at most so many rows, the best half and an even
            sample of the rest; on fewer if there are more than 200 features.
        max_rows: Likewise, at most so many rows enter the posterior: its cost is cubic in them.
        max_iterations: Bound on L-BFGS iterations.
    """
    prior = prior or KernelPrior()
    own = np.zeros(len(y)) if error is None else error**2
    n_features = int(feature.max()) + 1
    subset = representative_rows(y, min(max_fit, math.isqrt(MAX_CELLS // n_features)))
    objective = _NegativeLogPosterior(x[subset], y[subset], feature, prior, own[subset])
    solution = scipy.optimize.minimize(
        objective,
        objective.start,
        jac=True,
        method="L-BFGS-B",
        bounds=objective.bounds,
        options={"maxiter": max_iterations},
    )
    lengthscale, scale, noise = objective.hyperparameters(solution.x)
    kept = representative_rows(y, max_rows)
    inverse = 1.0 / lengthscale[feature]
    return _condition(x[kept], y[kept], inverse, scale, noise, own[kept])


def representative_rows(y: Float[ndarray, " n"], limit: int) -> Int[ndarray, " m"]:
    """Indices of at most `limit` rows: the best half, and an even sample of the rest."""
    if len(y) <= limit:
        return np.arange(len(y))
    order = np.argsort(y, kind="stable")
    best, rest = order[: limit // 2], order[limit // 2 :]
    even = np.linspace(0, len(rest) - 1, limit - len(best)).round().astype(np.int64)
    return np.sort(np.concatenate([best, rest[even]]))


def _condition(
    x: Float[ndarray, "n d"],
    y: Float[ndarray, " n"],
    inverse_lengthscale: Float[ndarray, " d"],
    scale: float,
    noise: float,
    own: Float[ndarray, " n"] | float = 0.0,
) -> GaussianProcess:
    scaled = x * inverse_lengthscale
    kernel = scale * _matern(_squared_distance(scaled, scaled))
    kernel[np.diag_indices_from(kernel)] = scale + noise
    factor = scipy.linalg.cholesky(kernel, lower=True, check_finite=False)
    process = GaussianProcess(
        x=x,
        inverse_lengthscale=inverse_lengthscale,
        scale=scale,
        noise=noise,
        mean=0.0,
        factor=factor,
        alpha=np.zeros(len(y)),
    ).relabelled(y)
    if not np.any(own):
        return process
    kernel[np.diag_indices_from(kernel)] += own
    noisy = scipy.linalg.cholesky(kernel, lower=True, check_finite=False)
    alpha = scipy.linalg.cho_solve((noisy, True), y - process.mean, check_finite=False)
    return replace(process, alpha=alpha)


class _NegativeLogPosterior:
    """Value and gradient in (log lengthscales, log scale, log noise).

    Each label may have a variance of its own beside the noise.
    """

    def __init__(
        self,
        x: Float[ndarray, "n d"],
        y: Float[ndarray, " n"],
        feature: Int[ndarray, " d"],
        prior: KernelPrior,
        own: Float[ndarray, " n"] | float = 0.0,
    ) -> None:
        self.own = own
        self.n_features = int(feature.max()) + 1
        self.distance = np.empty((self.n_features, len(x) ** 2))
        for g in range(self.n_features):
            columns = x[:, feature == g]
            self.distance[g] = _squared_distance(columns, columns).ravel()
        self.y = y - y.mean()
        middle = math.log(prior.lengthscale) + 0.5 * math.log(self.n_features)
        self.start = np.array([middle] * self.n_features + [0.0, math.log(prior.noise)])
        self.spread = np.array(
            [prior.lengthscale_spread] * self.n_features + [prior.scale_spread, prior.noise_spread]
        )
        self.bounds = [(-4.0, 7.0)] * self.n_features + [(-5.0, 4.0), (-14.0, 2.0)]

    def hyperparameters(
        self, theta: Float[ndarray, " p"]
    ) -> tuple[Float[ndarray, " g"], float, float]:
        """Lengthscales, signal variance and noise variance."""
        return np.exp(theta[:-2]), math.exp(theta[-2]), math.exp(theta[-1]) + JITTER

    def __call__(self, theta: Float[ndarray, " p"]) -> tuple[float, Float[ndarray, " p"]]:
        n = len(self.y)
        lengthscale, scale, noise = self.hyperparameters(theta)
        weight = lengthscale**-2
        r = np.sqrt(5.0 * np.maximum(weight @ self.distance, 0.0)).reshape(n, n)
        decay = np.exp(-r)
        correlation = (1.0 + r + r * r / 3.0) * decay
        kernel = scale * correlation
        kernel[np.diag_indices(n)] = scale + noise + self.own
        try:
            factor = scipy.linalg.cholesky(kernel, lower=True, check_finite=False)
        except np.linalg.LinAlgError:
            return 1e10, np.zeros_like(theta)
        inverse = scipy.linalg.cho_solve((factor, True), np.eye(n), check_finite=False)
        alpha = inverse @ self.y
        outer = inverse - np.outer(alpha, alpha)  # twice d value / d kernel, GPML Eq. 5.9
        by_distance = outer * (decay * (1.0 + r))  # dk/d(r^2/5) = -5/6 scale (1 + r) e^-r
        gradient = np.empty_like(theta)
        gradient[:-2] = (5.0 / 6.0) * scale * weight * (self.distance @ by_distance.ravel())
        gradient[-2] = 0.5 * scale * np.vdot(outer, correlation)
        gradient[-1] = 0.5 * (noise - JITTER) * np.trace(outer)
        deviation = (theta - self.start) / self.spread
        value = 0.5 * self.y @ alpha + np.log(np.diag(factor)).sum() + 0.5 * deviation @ deviation
        return float(value), gradient + deviation / self.spread


def _squared_distance(a: Float[ndarray, "n d"], b: Float[ndarray, "m d"]) -> Float[ndarray, "n m"]:
    squared = (a * a).sum(1)[:, None] + (b * b).sum(1)[None, :] - 2.0 * a @ b.T
    return np.maximum(squared, 0.0)


def _matern(squared: Float[ndarray, "n m"]) -> Float[ndarray, "n m"]:
    r = np.sqrt(5.0 * squared)
    return np.asarray((1.0 + r + r * r / 3.0) * np.exp(-r))
