"""Reports that a retried trial inherited from the trial that it continues."""

from __future__ import annotations

import math
from collections.abc import Container
from typing import NoReturn

import optuna

_SAME_GAIN = 0.005
"""Largest difference, relative and in %, of one training's gains on two processors."""


class InheritedReports:
    """The reports that a retried trial already has, which Optuna cannot replace.

    Args:
        trial: A trial, which may be retried.
        steps: The steps at which this training will report.

    Raises:
        ValueError: If the trial has a report at another step.
    """

    def __init__(self, trial: optuna.Trial, steps: Container[int]) -> None:
        # by number, since a view of a study can lack trials
        trials = trial.study.get_trials(deepcopy=False)
        self._number = trial.number
        self._gains = dict(next(t.intermediate_values for t in trials if t.number == trial.number))
        for step, gain in self._gains.items():
            if step not in steps:
                self._refuse(step, gain, "none")

    def has(self, step: int, gain: float) -> bool:
        """Return True if the trial has this report already.

        Raises:
            ValueError: If its report at this step has another gain.
        """
        if step not in self._gains:
            return False
        known = self._gains[step]
        both_nan = math.isnan(known) and math.isnan(gain)
        if not (both_nan or math.isclose(known, gain, rel_tol=_SAME_GAIN, abs_tol=_SAME_GAIN)):
            self._refuse(step, known, str(gain))
        return True

    def _refuse(self, step: int, known: float, right: str) -> NoReturn:
        raise ValueError(
            f"trial {self._number} must not keep reports of other data or another training, but "
            f"inherited {known} at step {step}, where this training reports {right}. Optuna "
            "cannot replace reports: pass the parameters to study.enqueue_trial, for a new trial."
        )
