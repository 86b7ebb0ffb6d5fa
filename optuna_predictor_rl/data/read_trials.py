"""Trials as the history reads them: their parameters, and what they are labelled with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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
from optuna_predictor_rl.fidelity.labels import full_trials, is_full, stored_label, value_or_label
from optuna_predictor_rl.fidelity.pruned_trials import is_stopped_by_another
from optuna_predictor_rl.fidelity.rung_study import RungStudy, rungs_of
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
    rule: StoppingRule | RungStudy | None,
    n_objectives: int = 1,
) -> ReadTrial:
    """Return a trial with its label; that of a running one is NaN until it is corrected.

    Args:
        trial: The trial.
        search_space: The parameters that it may be given.
        rule: What labels running trials; None if they have no label.
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


def with_labels_of_today(
    study: Study, read: list[ReadTrial], rule: StoppingRule | None, trials: Sequence[FrozenTrial]
) -> list[ReadTrial]:
    """Return the trials with the final values that today's trials lead to expect of stopped ones.

    Labels that a cutoff gave are corrected by the full trials (`LabelCorrection`). All others come
    from what was reported at rungs (`RungStudy`), whoever stopped the trials. A trial without a
    label stays so while too few have trained to the end.

    Args:
        study: Of the trials.
        read: Trials that have a label, or may get one.
        rule: Of the study's cutoff; None without one.
        trials: All of the study's trials.
    """
    if len(study.directions) > 1:
        return read
    stopped = [i for i, t in enumerate(read) if not is_full(t.trial)]
    by_cutoff = [i for i in stopped if rule is not None and _is_labelled(read[i].trial)]
    others = [i for i in stopped if rule is None or not _is_labelled(read[i].trial)]
    others = [i for i in others if read[i].trial.intermediate_values]
    found = list(read)
    if rule is not None and by_cutoff:
        full = full_trials(trials)
        correction, best = correction_of(study, rule, full), best_value(study, full)
        for i in by_cutoff:
            trial = read[i].trial
            label = correction.label(Curve.of(trial.intermediate_values), trial.params)
            if label is not None:
                error = predictor_std(label, best)
                found[i] = replace(read[i], values=[label.value], error=error)
    rungs = rungs_of(study, trials) if others else None
    if rungs is not None:
        labels = rungs.labels([read[i].trial for i in others])
        for i, label in zip(others, labels, strict=True):
            if label is not None:
                found[i] = replace(read[i], values=[label.value], error=label.std)
    return found


def labels_running(
    study: Study, rule: StoppingRule | None, trials: Sequence[FrozenTrial]
) -> StoppingRule | RungStudy | None:
    """Return what labels running trials; None if nothing does yet."""
    if rule is not None or len(study.directions) > 1:
        return rule
    return rungs_of(study, trials)


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
