"""What final values differ by from the labels at one step; see `label_correction` for symbols."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.core.predictor.gaussian_process import GaussianProcess

TREND_PRIOR_TRIALS = 2.0
"""How many full trials weigh as much as the prior belief that the trend is zero."""

CLIPPED_PERCENT = 10.0
"""Percent of the differences, at either end, that are clipped: diverged trials teach nothing."""

STD_PER_MAD = 1.4826
"""Standard deviation of a normal distribution in median absolute deviations."""


def clipped(differences: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
    """Return the differences without their extremes."""
    low = np.percentile(differences, CLIPPED_PERCENT, method="higher")
    high = np.percentile(differences, 100.0 - CLIPPED_PERCENT, method="lower")
    return np.clip(differences, low, high)


def fit_trend(differences: Float[ndarray, " n"], ahead: Float[ndarray, " n"]) -> float:
    """Return `b`, the share of what lies ahead that trials come to gain.

    That is least squares with an intercept, shrunk towards 0, and never negative: curves do not
    turn around because they are steep.
    """
    x, y = clipped(ahead), clipped(differences)
    x, y = x - x.mean(), y - y.mean()
    variance = float(x @ x)
    if not 0 < variance < math.inf:
        return 0.0
    return max(0.0, float(x @ y) / variance * len(x) / (len(x) + TREND_PRIOR_TRIALS))


@dataclass(frozen=True)
class StepDifferences:
    """The differences of full trials at one step.

    Attributes:
        trend: `b`: how much a trial gains for each unit that lies ahead of it.
        reach: The range of `a` over full trials, without a tenth at either end.
        median: Median of `r`.
        spread: Standard deviation of `r`, blind to a few outliers.
        mean: The value of `r` at which the process is 0.
        scale: The unit of the process.
        process: Gaussian process of `r` over the encoded parameters; None without a pattern.
    """

    trend: float
    reach: tuple[float, float]
    median: float
    spread: float
    mean: float
    scale: float
    process: GaussianProcess | None

    @classmethod
    def of(
        cls,
        differences: Float[ndarray, " n"],
        ahead: Float[ndarray, " n"],
        process: GaussianProcess | None,
    ) -> StepDifferences:
        """Fit the trend, and hand the residuals to a process that was fitted at the cutoff."""
        trend = fit_trend(differences, ahead)
        residuals = differences - trend * ahead
        median, inner = float(np.median(residuals)), clipped(residuals)
        spread = STD_PER_MAD * float(np.median(np.abs(residuals - median)))
        mean, scale = float(inner.mean()), float(inner.std())
        if process is not None and 0 < scale < math.inf:
            process = process.relabelled((inner - mean) / scale)
        within = clipped(ahead)
        reach = float(within.min()), float(within.max())
        return cls(trend, reach, median, spread, mean, scale, process)

    def expected(self, ahead: float, x: Float[ndarray, "1 c"] | None) -> tuple[float, float]:
        """Return mean and standard deviation of a trial's difference.

        Args:
            ahead: `a` of the trial. Beyond the full trials' range it counts as the range's end,
                so that a curve steeper than any before promises no more than steep ones did.
            x: Its encoded parameters; None if no full trials had such parameters.
        """
        gain = self.trend * min(max(ahead, self.reach[0]), self.reach[1])
        if x is None or self.process is None or not 0 < self.scale < math.inf:
            return gain + self.median, self.spread
        mean, std = self.process.predict(x)
        noisy = math.sqrt(float(std[0]) ** 2 + self.process.noise)
        return gain + self.mean + self.scale * float(mean[0]), self.scale * noisy
