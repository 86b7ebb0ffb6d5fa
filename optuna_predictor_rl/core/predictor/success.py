"""The probability that a trial succeeds, learned from those that failed.

A Gaussian process is regressed on the outcomes, and its prediction becomes a probability by the
fit to held-out outcomes (GPML, section 6.5). Where failures have no place of their own, held-out
outcomes are not predicted, and the probability is nearly the same everywhere: a worker that was
killed says little about its configuration. Notation:

    y               Outcome of a trial, 1 if it succeeded and -1 if it failed, (n,).
    mu, sigma       Mean and standard deviation of an outcome that the process has not seen.
    slope, offset   p(y) = Phi(y (slope mu + offset) / sqrt(1 + slope^2 sigma^2)), GPML Eq. 6.44.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from jaxtyping import Bool, Float
from numpy import ndarray

from optuna_predictor_rl.core.encoding import Encoding
from optuna_predictor_rl.core.predictor.gaussian_process import (
    GaussianProcess,
    fit_gaussian_process,
)
from optuna_predictor_rl.core.space import Rows

PRIOR_SLOPE = 1.0
"""Median slope before outcomes are seen: outcomes of 1 and -1 are told apart with 84 %.

With a slope of 2, a few failures that strike anywhere close good places (`benchmarks search
crashes`, the objective `sporadic`).
"""

PRIOR_SPREAD = 1.0
"""Standard deviation of the logarithm of the slope, and of the offset."""


@dataclass(frozen=True)
class SuccessModel:
    """The fitted probability of success; `fit_success` makes one.

    Args:
        encoding: From rows to inputs.
        process: The process of the outcomes.
        slope: Factor of its prediction, positive.
        offset: What is added to it.
    """

    encoding: Encoding
    process: GaussianProcess
    slope: float
    offset: float

    def log_probability(self, rows: Rows) -> Float[ndarray, " n"]:
        """Return the logarithm of the probability that a trial of each row succeeds."""
        mean, std = self.process.predict(self.encoding(rows))
        std = np.sqrt(std**2 + self.process.noise)
        return np.asarray(scipy.special.log_ndtr(_score(mean, std, self.slope, self.offset)))


def fit_success(encoding: Encoding, rows: Rows, succeeded: Bool[ndarray, " n"]) -> SuccessModel:
    """Fit the probability of success to the outcomes of trials.

    Args:
        encoding: From rows to inputs.
        rows: Rows of trials that ended, at least one of which failed.
        succeeded: Which of them succeeded.
    """
    outcome = np.where(succeeded, 1.0, -1.0)
    unit = float(outcome.std()) or 1.0  # 0 if all failed
    process = fit_gaussian_process(encoding(rows), outcome / unit, encoding.column_feature)
    return SuccessModel(encoding, process, *_calibrate(*_held_out(process), unit))


def _held_out(process: GaussianProcess) -> tuple[ndarray, ndarray, ndarray]:
    """Return outcomes, and mu and sigma of each from all others (GPML, Eq. 5.12)."""
    inverse = scipy.linalg.cho_solve((process.factor, True), np.eye(len(process.x)))
    y = process.mean + process.factor @ (process.factor.T @ process.alpha)
    variance = 1.0 / np.diag(inverse)
    return y, y - process.alpha * variance, np.sqrt(variance)


def _calibrate(y: ndarray, mean: ndarray, std: ndarray, unit: float) -> tuple[float, float]:
    """Return the slope and the offset of the largest posterior density of held-out outcomes."""

    def slope(theta: ndarray) -> float:
        return float(PRIOR_SLOPE * unit * np.exp(theta[0] * PRIOR_SPREAD))

    def loss(theta: ndarray) -> float:
        score = _score(mean, std, slope(theta), theta[1] * PRIOR_SPREAD)
        return float(0.5 * theta @ theta - scipy.special.log_ndtr(np.sign(y) * score).sum())

    found = scipy.optimize.minimize(loss, np.zeros(2), method="L-BFGS-B", bounds=[(-4, 4)] * 2)
    return slope(found.x), float(found.x[1] * PRIOR_SPREAD)


def _score(mean: ndarray, std: ndarray, slope: float, offset: float) -> ndarray:
    return (slope * mean + offset) / np.sqrt(1.0 + (slope * std) ** 2)
