"""An exact Gaussian process over encoded configurations: the ensemble's smooth member.

"GPML" is Rasmussen and Williams, 2006, "Gaussian processes for machine learning". Notation:

    x, y            Encoded configurations (n, d), and their labels (n,) of about unit variance.
    inverse_lengthscale
                    1 / ell, ell the lengthscale of each column.
    scale           Signal variance s.
    noise           Noise variance of all labels.
    variance        Variance of each label's own error, known beforehand, beside the noise.
    mean            Mean m of the labels: the prior mean of the function everywhere.
    k, K            Matern-5/2 kernel (`kernel`), and its matrix (n, n) with noise on the diagonal.
    factor          Lower Cholesky factor L of K, without the labels' own errors: K = L L^T.
    alpha           (K + diag(variance))^-1 (y - m): posterior mean m + k(x*, x) alpha.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy
from jaxtyping import Float, Int
from numpy import ndarray

from optuna_predictor_rl.core.predictor.hyperparameters import (
    KernelPrior,
    fit_hyperparameters,
    representative_rows,
)
from optuna_predictor_rl.core.predictor.kernel import JITTER, matern52, squared_distance

BLOCK = 2048
"""Rows that are predicted at once: of 10,000, the kernel alone would take 80 MB."""

MAX_ROWS = 1000
"""Rows that enter the posterior at most: its cost is cubic in them."""


@dataclass(frozen=True)
class GaussianProcess:
    """A fitted process in the notation above; `fit_gaussian_process` makes one."""

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
        """Return posterior mean and standard deviation of the noise-free function (GPML, 2.25).

        The labels' own errors move the mean alone. The deviation is what is unknown because no
        label is near: what one more label there would teach.
        """
        blocks = [x[i : i + BLOCK] for i in range(0, max(len(x), 1), BLOCK)]
        moments = [self._predict(block) for block in blocks]
        return np.concatenate([m for m, _ in moments]), np.concatenate([s for _, s in moments])

    def _predict(
        self, x: Float[ndarray, "m d"]
    ) -> tuple[Float[ndarray, " m"], Float[ndarray, " m"]]:
        kernel = self._kernel(x, self.x)
        solved = scipy.linalg.solve_triangular(
            self.factor, kernel.T, lower=True, check_finite=False
        )
        variance = self.scale - np.einsum("nm,nm->m", solved, solved)
        return self.mean + kernel @ self.alpha, np.sqrt(np.maximum(variance, JITTER))

    def relabelled(self, y: Float[ndarray, " n"]) -> GaussianProcess:
        """Return the process of other labels, without errors of their own, at the same inputs."""
        mean = float(y.mean())
        alpha = scipy.linalg.cho_solve((self.factor, True), y - mean, check_finite=False)
        return replace(self, mean=mean, alpha=alpha)

    def condition_on_pending(self, x: Float[ndarray, "m d"]) -> GaussianProcess:
        """Return the process once the values at x are observed to be the predicted means.

        The mean stays what it is, so that alpha is 0 at x; the deviation falls around x. The
        factor grows by a block, which is quadratic in the rows where a new one is cubic.
        """
        cross = self._kernel(self.x, x)
        lower = scipy.linalg.solve_triangular(self.factor, cross, lower=True, check_finite=False)
        block = self._kernel(x, x) - lower.T @ lower
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

    def _kernel(self, a: Float[ndarray, "n d"], b: Float[ndarray, "m d"]) -> ndarray:
        inverse = self.inverse_lengthscale
        return self.scale * matern52(squared_distance(a * inverse, b * inverse))


def fit_gaussian_process(
    x: Float[ndarray, "n d"],
    y: Float[ndarray, " n"],
    feature: Int[ndarray, " d"],
    *,
    error: Float[ndarray, " n"] | None = None,
    prior: KernelPrior | None = None,
) -> GaussianProcess:
    """Fit a process to labels of about unit variance.

    Args:
        x: Encoded configurations.
        y: Their labels; lower is better.
        feature: The feature of each column; columns of a feature share a lengthscale.
        error: Standard deviation of what is known to be wrong with each label, beside the noise
            that they all have; None is 0. The larger it is, the less the mean follows the label.
        prior: Priors of the hyperparameters.
    """
    variance = np.zeros(len(y)) if error is None else error**2
    lengthscale, scale, noise = fit_hyperparameters(
        x, y, feature, variance, prior or KernelPrior()
    )
    kept = representative_rows(y, MAX_ROWS)
    inverse = 1.0 / lengthscale[feature]
    return _condition(x[kept], y[kept], inverse, scale, noise, variance[kept])


def _condition(
    x: Float[ndarray, "n d"],
    y: Float[ndarray, " n"],
    inverse_lengthscale: Float[ndarray, " d"],
    scale: float,
    noise: float,
    variance: Float[ndarray, " n"] | float = 0.0,
) -> GaussianProcess:
    scaled = x * inverse_lengthscale
    kernel = scale * matern52(squared_distance(scaled, scaled))
    kernel[np.diag_indices_from(kernel)] = scale + noise
    factor = scipy.linalg.cholesky(kernel, lower=True, check_finite=False)
    noisy = factor
    if np.any(variance):
        kernel[np.diag_indices_from(kernel)] += variance
        noisy = scipy.linalg.cholesky(kernel, lower=True, check_finite=False)
    mean = float(y.mean())
    return GaussianProcess(
        x=x,
        inverse_lengthscale=inverse_lengthscale,
        scale=scale,
        noise=noise,
        mean=mean,
        factor=factor,
        alpha=scipy.linalg.cho_solve((noisy, True), y - mean, check_finite=False),
    )
