"""What it counts against a configuration that its trial may fail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.core.predictor.success import SuccessModel
from optuna_predictor_rl.core.space import Rows
from optuna_predictor_rl.data.history import History

BOLD, CAREFUL = 0.5, 0.9
"""Least chance of success, relative to the surest configuration, that a trial may have."""

MANY_FAILURES = 0.1
"""Share of failures among the last trials above which the next one is careful.

Without this rule the search gambles beyond the boundary once nothing within it is expected to
improve: 23 to 49 of the last 50 trials fail where now 3 to 8 do (`benchmarks search crashes`).
"""

TOO_RISKY = 1e3
"""Penalty of a row that is too likely to fail: above all rewards, as that over the budget."""


@dataclass(frozen=True)
class Risk:
    """The chance of failure, and how much of it is acceptable.

    Args:
        success: The probability of success.
        least: Its least acceptable logarithm.
    """

    success: SuccessModel
    least: float

    @classmethod
    def of(cls, success: SuccessModel, history: History) -> Risk:
        """Return the risk of a history's next trial.

        It is relative to what is surest among the trials that succeeded: where failures strike
        anywhere, no configuration is riskier than another.
        """
        surest = success.log_probability(history.rows).max()
        careful = history.failure_rate > MANY_FAILURES
        return cls(success, float(surest + np.log(CAREFUL if careful else BOLD)))

    def penalty(self, rows: Rows) -> Float[ndarray, " n"]:
        """Return what is added to a score that is the negative logarithm of an expected gain.

        It is the negative log probability of success. Below the least acceptable one it is above
        all rewards, and the lack tells the way.
        """
        log_probability = self.success.log_probability(rows)
        lack = np.maximum(self.least - log_probability, 0.0)
        return np.asarray(TOO_RISKY * ((lack > 0.0) + lack) - log_probability)
