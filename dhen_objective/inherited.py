"""The reports that a retried trial has from the trial it continues."""

from __future__ import annotations

import math
from collections.abc import Container
from typing import NoReturn

import optuna

_SAME_GAIN = 0.005
"""Difference, in %, that another processor can make to the gain of one training."""


class InheritedReports:
    """The reports that a retried trial already has, which Optuna cannot replace."""

    def __init__(self, trial: optuna.Trial, steps: Container[int]) -> None:
        """Look them up.

        Args:
            trial: Which may be retried.
            steps: At which this training will report.

        Raises:
            ValueError: If some are at other steps.
        """
        trials = trial.study.get_trials(deepcopy=False)  # a view of a study has gaps
        self._number = trial.number
        self._gains = dict(next(t.intermediate_values for t in trials if t.number == trial.number))
        for step, gain in self._gains.items():
            if step not in steps:
                self._refuse(step, gain, "none")

    def has(self, step: int, gain: float) -> bool:
        """Return whether a report is there already.

        Raises:
            ValueError: If it is another one.
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
