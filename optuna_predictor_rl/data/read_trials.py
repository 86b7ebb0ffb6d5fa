"""Trials as the history reads them: their parameters, and what they are labelled with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from optuna.distributions import BaseDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl.core.curves import Curve
from optuna_predictor_rl.data.given import given_to
from optuna_predictor_rl.fidelity.cutoff_rule import StoppingRule
from optuna_predictor_rl.fidelity.label_correction import correction_of, predictor_std
from optuna_predictor_rl.fidelity.labels import is_full, stored_label, value_or_label
from optuna_predictor_rl.fidelity.pruned_trials import is_stopped_by_another
from optuna_predictor_rl.study.objective import best_value


@dataclass(frozen=True)
class ReadTrial:
    """A trial as the history reads it.

    Args:
        trial: The trial.
        params: The parameters that it has or will be given.
        values: Its label in each objective; None if it has none.
        error: Standard deviation of the first label's error.
    """

    trial: FrozenTrial
    params: dict[str, Any]
    values: list[float] | None
    error: float = 0.0

    @property
    def is_finished(self) -> bool:
        """Return whether the trial has finished."""
        return self.trial.state.is_finished()

    @property
    def failed(self) -> bool:
        """Return whether the trial ended without a value: it failed, or was pruned unreported."""
        return self.is_finished and self.values is None


def read_trial(
    trial: FrozenTrial,
    search_space: Mapping[str, BaseDistribution],
    rule: StoppingRule | None,
    n_objectives: int = 1,
) -> ReadTrial:
    """Return a trial with its label; that of a running one is NaN until it is corrected.

    Args:
        trial: The trial.
        search_space: The parameters that it may be given.
        rule: The rule that labels running trials; None if they have no label.
        n_objectives: Number of the study's objectives; with several, no trial has a label.
    """
    if trial.state.is_finished():
        return ReadTrial(trial, trial.params, _values(trial, n_objectives))
    labelled = (
        rule is not None
        and trial.state == TrialState.RUNNING
        and rule.can_label(Curve.of(trial.intermediate_values))
    )
    return ReadTrial(trial, given_to(trial, search_space), [math.nan] if labelled else None)


def with_corrected_labels(
    study: Study, read: list[ReadTrial], rule: StoppingRule, full: list[FrozenTrial]
) -> list[ReadTrial]:
    """Return the trials with the labels that the full trials of today lead to."""
    labelled = [not is_full(t.trial) and _is_labelled(t.trial) for t in read]
    if not any(labelled):
        return read
    correction, best = correction_of(study, rule, full), best_value(study, full)
    found = [
        correction.label(Curve.of(t.trial.intermediate_values), t.params) if is_labelled else None
        for t, is_labelled in zip(read, labelled, strict=True)
    ]
    return [
        t if label is None else replace(t, values=[label.value], error=predictor_std(label, best))
        for t, label in zip(read, found, strict=True)
    ]


def label_errors(read: list[ReadTrial], n_tasks: int) -> Float[ndarray, "n t"] | None:
    """Return standard deviations of labels; an unknown or infinite one counts as 0."""
    errors = np.array([t.error if math.isfinite(t.error) else 0.0 for t in read])
    if not errors.any():
        return None
    return np.hstack([errors[:, None], np.zeros((len(read), n_tasks - 1))])


def _is_labelled(trial: FrozenTrial) -> bool:
    return trial.state == TrialState.RUNNING or stored_label(trial) is not None


def _values(trial: FrozenTrial, n_objectives: int) -> list[float] | None:
    """Return a finished trial's value of each objective, or its label; NaN if others decide it."""
    if n_objectives > 1:
        return trial.values
    if is_stopped_by_another(trial):
        return [math.nan]
    value = value_or_label(trial)
    return None if value is None else [value]
