"""Which chance of failure a trial may have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from optuna_predictor_rl.search.penalty import beyond_limit

BOLD, CAREFUL = 0.5, 0.9
"""Least chance of success, relative to the surest configuration, that a trial may have."""

MANY, N_LAST = 2, 20
"""The next trial is careful once more than so many of the last ones failed.

Without this rule the search gambles beyond the boundary once nothing within it is expected to
improve: 23 to 49 of the last 50 trials fail where now at most 9 do (`benchmarks search crashes`).
"""


@dataclass(frozen=True)
class RiskLimit:
    """The least acceptable log probability of success.

    It is relative to what is surest among the trials that succeeded: where failures strike
    anywhere, no configuration is riskier than another.
    """

    least: float

    @classmethod
    def of(
        cls, log_probability: Float[ndarray, " n"], succeeded: Bool[ndarray, " m"]
    ) -> RiskLimit:
        """Return the limit of the next trial.

        Args:
            log_probability: Of the configurations that succeeded.
            succeeded: Which of the trials that ended did, in their order.
        """
        careful = np.sum(~succeeded[-N_LAST:]) > MANY
        return cls(float(log_probability.max() + np.log(CAREFUL if careful else BOLD)))

    def penalty(self, log_probability: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
        """Return what is added to the score of rows for what their probability lacks."""
        return beyond_limit(np.maximum(self.least - log_probability, 0.0))
