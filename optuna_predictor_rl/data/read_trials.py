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
from optuna_predictor_rl.fidelity.label_correction import discrepancy_of, error_of
from optuna_predictor_rl.fidelity.labels import is_full, stored_label
from optuna_predictor_rl.fidelity.pruned_trials import is_stopped_by_another
from optuna_predictor_rl.fidelity.running_labels import RunningLabel
from optuna_predictor_rl.fidelity.stored_rules import stored_rule
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


def read_trial(
    trial: FrozenTrial,
    search_space: Mapping[str, BaseDistribution],
    running_label: RunningLabel | None,
) -> ReadTrial:
    """Return a trial with the values that it is labelled with, if there are any."""
    if trial.state.is_finished():
        return ReadTrial(trial, trial.params, _values(trial))
    params = given_to(trial, search_space)
    running = trial.state == TrialState.RUNNING
    long_term = running_label(trial) if running and running_label is not None else None
    return ReadTrial(trial, params, None if long_term is None else [long_term.value])


def with_expected_labels(
    study: Study, known: list[ReadTrial], full: list[FrozenTrial]
) -> list[ReadTrial]:
    """Return the trials with the final values that are expected today of those with a label."""
    rule = stored_rule(study)
    labelled = [not is_full(k.trial) and _is_labelled(k.trial) for k in known]
    if rule is None or not any(labelled):
        return known
    discrepancy, best = discrepancy_of(study, rule, full), best_value(study, full)
    found = [
        discrepancy.label(Curve.of(k.trial.intermediate_values), k.params) if is_labelled else None
        for k, is_labelled in zip(known, labelled, strict=True)
    ]
    return [
        k if label is None else replace(k, values=[label.value], error=error_of(label, best))
        for k, label in zip(known, found, strict=True)
    ]


def label_errors(known: list[ReadTrial], n_tasks: int) -> Float[ndarray, "n t"] | None:
    """Return standard deviations of labels; an unknown or infinite one counts as 0."""
    errors = np.array([k.error if math.isfinite(k.error) else 0.0 for k in known])
    if not errors.any():
        return None
    return np.hstack([errors[:, None], np.zeros((len(known), n_tasks - 1))])


def _is_labelled(trial: FrozenTrial) -> bool:
    return trial.state == TrialState.RUNNING or stored_label(trial) is not None


def _values(trial: FrozenTrial) -> list[float] | None:
    """Return a finished trial's value of each objective, or its label; NaN if others decide it."""
    if trial.values is not None and len(trial.values) > 1:
        return trial.values
    if is_stopped_by_another(trial):
        return [math.nan]
    value = label(trial)
    return None if value is None else [value]


def label(trial: FrozenTrial) -> float | None:
    """Return a finished trial's value, or a pruned trial's long-term label (Eq. 2).

    None for one that another pruner stopped: see `optuna_predictor_rl.fidelity.pruned_trials`.
    """
    if trial.state == TrialState.COMPLETE:
        return trial.value
    stored = stored_label(trial) if trial.state == TrialState.PRUNED else None
    return None if stored is None or math.isnan(stored) else stored
