"""What near configurations share: a Gaussian process whose few settings are tried one by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.core.predictor.kernel import matern52, squared_distance

LENGTHSCALES = (0.1, 0.2, 0.4)
"""In the unit of the root mean square distance of encoded configurations."""

SHARES = (0.5, 0.9)
"""Shares of the variance that configurations may explain."""

MIN_TRIALS = 5
"""Trainings without which no pattern is looked for."""

MAX_TRIALS = 150
"""The latest trainings that are learned from; the cost is cubic in them."""


@dataclass(frozen=True)
class Nearby:
    """A fitted process of residuals of about unit variance.

    Attributes:
        x: Encoded configurations.
        lengthscale: In their unit.
        share: Of the variance that the configurations explain.
        factor: Cholesky factor of the residuals' covariance, as SciPy gives it.
        weights: The covariance's inverse times the residuals.
    """

    x: Float[ndarray, "n c"]
    lengthscale: float
    share: float
    factor: Float[ndarray, "n n"]
    weights: Float[ndarray, " n"]

    def predict(
        self, x: Float[ndarray, "m c"]
    ) -> tuple[Float[ndarray, " m"], Float[ndarray, " m"]]:
        """Return the expected residual of configurations, and its variance with the noise."""
        k = self.share * matern52(squared_distance(x, self.x) / self.lengthscale**2)
        solved = scipy.linalg.solve_triangular(self.factor, k.T, lower=True)
        return k @ self.weights, np.maximum(1.0 - (solved**2).sum(axis=0), 1.0 - self.share)


def fit_nearby(x: Float[ndarray, "n c"], residuals: Float[ndarray, " n"]) -> Nearby | None:
    """Fit by the marginal likelihood; None if no pattern explains the residuals better."""
    x, y = x[-MAX_TRIALS:], np.clip(residuals[-MAX_TRIALS:], -3.0, 3.0)
    n = len(y)
    if n < MIN_TRIALS or x.shape[1] == 0:
        return None
    squared = squared_distance(x, x)
    typical = float(np.sqrt(squared.sum() / max(n * (n - 1), 1)))
    if not typical > 0:
        return None
    best, found = -0.5 * float(y @ y), None  # of independent residuals
    for lengthscale in (share * typical for share in LENGTHSCALES):
        correlation = matern52(squared / lengthscale**2)
        for share in SHARES:
            covariance = share * correlation + (1.0 - share) * np.eye(n)
            factor = np.linalg.cholesky(covariance)
            weights = scipy.linalg.cho_solve((factor, True), y)
            likelihood = -0.5 * float(y @ weights) - float(np.log(np.diag(factor)).sum())
            if likelihood > best:
                best, found = likelihood, Nearby(x, lengthscale, share, factor, weights)
    return found
