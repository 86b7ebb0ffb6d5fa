"""What a study's storage tells a suggestion: the trials as rows and labels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from optuna.distributions import BaseDistribution
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl.core.curves import Curve
from optuna_predictor_rl.core.seen import Seen
from optuna_predictor_rl.core.space import Rows, SearchSpace, row_keys
from optuna_predictor_rl.data.costs import Cost, KnownCost, cost_of
from optuna_predictor_rl.data.learned_conditions import learn_asking
from optuna_predictor_rl.data.linked_ranges import learn_followers
from optuna_predictor_rl.data.scope import Scope
from optuna_predictor_rl.fidelity.label_correction import discrepancy_of, error_of
from optuna_predictor_rl.fidelity.labels import full_trials, is_full, stored_label
from optuna_predictor_rl.fidelity.pruned_trials import is_stopped_by_another, ranked_behind
from optuna_predictor_rl.fidelity.running_labels import RunningLabel
from optuna_predictor_rl.fidelity.stored_rules import stored_rule
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.distributions import (
    from_numbers,
    known_part,
    to_space,
)
from optuna_predictor_rl.study.objective import best_value, sign_of
from optuna_predictor_rl.study.ranges import modelled

LABELLED = (TrialState.COMPLETE, TrialState.PRUNED)
"""States of the trials whose parameters make the space."""


@dataclass(frozen=True)
class History:
    """The trials of a study, as the predictor reads them.

    Args:
        space: The space of all that trials have had, with the conditions that they show.
        rows: Rows of the labelled trials, (n, decisions).
        labels: Values and, if it is to be learned, cost of each; lower is better, NaN is missing.
        constraints: Value of each constraint, feasible up to zero; NaN is missing.
        n_objectives: Number of the study's objectives, the first columns of the labels.
        pending: Rows of the trials that are running elsewhere, or wait to be run.
        failed: Rows of the trials that failed, or were pruned before they reported a value.
        fixed: Parameters with a single value, which are no decisions.
        scope: What of the space the trial that asks is free in.
        whole: Which labelled trials have had all parameters that they would be asked for today.
        errors: Standard deviations of the labels' errors, 0 for full trials; None if all are.
    """

    space: SearchSpace
    rows: Float[ndarray, "n d"]
    labels: Float[ndarray, "n t"]
    constraints: Float[ndarray, "n c"]
    n_objectives: int
    pending: Float[ndarray, "p d"]
    failed: Float[ndarray, "f d"]
    fixed: Mapping[str, Any]
    scope: Scope
    whole: Bool[ndarray, " n"]
    errors: Float[ndarray, "n t"] | None = None

    @property
    def feasible(self) -> Bool[ndarray, " n"]:
        """Which labelled trials satisfy all constraints that they have."""
        return (np.nan_to_num(self.constraints) <= 0.0).all(1)

    @property
    def seen(self) -> Rows:
        """All rows that must not be proposed again."""
        return np.concatenate([self.rows, self.pending, self.failed])

    @property
    def is_seen(self) -> Seen:
        """Tells which rows are configurations that must not be proposed again."""
        others = len(self.pending) + len(self.failed)
        return Seen(self.seen, np.append(self.whole, np.zeros(others, dtype=bool)))

    def with_pending(self, row: Float[ndarray, " d"]) -> History:
        """Return the history with one more trial that is running elsewhere."""
        return replace(self, pending=np.concatenate([self.pending, row[None]]))


def read_history(
    study: Study,
    search_space: Mapping[str, BaseDistribution],
    *,
    cost: Cost | None = None,
    max_cost: float | None = None,
    current: int | None = None,
    given: Mapping[str, Any] | None = None,
    running_label: RunningLabel | None = None,
) -> History:
    """Read the trials of a study.

    All that have a parameter with several values are read, whatever ranges they had and whatever
    else is searched. A trial with a full value replaces those of the same configuration that have
    a label only. Labels become the final values that the full trials of today lead to expect
    (`Discrepancy`).

    Args:
        study: The study.
        search_space: The parameters to find values of, with the ranges to look in.
        cost: Where a trial's cost is found; one that is known in advance is no label.
        max_cost: Largest feasible cost, a further constraint if the cost is to be learned.
        current: Number of the trial that asks; it is not pending.
        given: Parameters that this trial has anyway.
        running_label: Long-term value of a running trial that has reported enough, which is then
            no longer pending but teaches that value; without it, running trials teach nothing.

    Raises:
        ValueError: If a complete trial has no cost.
    """
    trials = storage.trials(study, fresh=True)  # at once, so that none is between two states
    wide = modelled([t for t in trials if t.state in LABELLED], dict(search_space))
    wide = {name: distribution for name, distribution in wide.items() if not distribution.single()}
    space = to_space(wide)
    known = [_known(t, wide, running_label) for t in trials if t.number != current]
    labelled = [k for k in known if k.values is not None and k.params]
    placed = [(k, known_part(k.params, space)) for k in labelled]
    inside = [k for k, part in placed if part]
    rows = space.rows([part for _, part in placed if part])
    indices = _not_superseded(inside, rows)
    kept, rows = [inside[i] for i in indices], rows[indices]
    whole = _are_whole(kept, rows)
    asking = learn_asking(space, rows, whole)
    space = SearchSpace(space.decisions, asking.conditions)
    n_objectives = len(study.directions)
    if n_objectives == 1:
        kept = _expected(study, kept, full_trials(trials))
    values = np.array([k.values for k in kept], dtype=np.float64).reshape(-1, n_objectives)
    labels = values * [-1.0 if d == StudyDirection.MAXIMIZE else 1.0 for d in study.directions]
    stopped = np.array([is_stopped_by_another(k.trial) for k in kept], dtype=bool)
    labels = _finite(labels)
    if stopped.any():
        labels[:, 0] = ranked_behind(
            labels[:, 0], [k.trial for k in kept], stopped, sign_of(study)
        )
    constraints = _constraints([k.trial for k in kept])
    if cost is not None and not isinstance(cost, KnownCost):
        costs = np.array([cost_of(k.trial, cost) for k in kept]).reshape(-1, 1)
        labels = np.hstack([labels, costs])
        if max_cost is not None:
            constraints = np.hstack([constraints, costs - max_cost])
    unlabelled = [k for k in known if k.values is None]
    pending = [k.params for k in unlabelled if not k.trial.state.is_finished()]
    failed = [k.params for k in unlabelled if k.trial.state.is_finished()]
    return History(
        space=space,
        rows=rows,
        labels=_finite(labels),
        constraints=_finite(constraints),
        n_objectives=n_objectives,
        pending=_rows(space, pending),
        failed=_rows(space, failed),
        fixed={
            name: k.params[name]
            for k in labelled
            for name, distribution in k.trial.distributions.items()
            if distribution.single() and name not in wide
        },
        scope=Scope.of(
            space,
            search_space,
            given or {},
            asking.dropped,
            learn_followers(space, rows, [k.trial for k in kept]),
        ),
        whole=whole & ~np.isnan(rows[:, list(asking.open)]).any(axis=1),
        errors=_errors(kept, labels.shape[1]),
    )


def finished_numbers(study: Study) -> frozenset[int]:
    """The numbers of all trials that have finished."""
    trials = storage.trials(study, fresh=True)
    return frozenset(trial.number for trial in trials if trial.state.is_finished())


def read_given(
    study: Study, space: SearchSpace, *, known: frozenset[int], current: int
) -> tuple[list[int], Rows]:
    """What other trials have been given that are not known to have finished.

    Args:
        study: The study.
        space: The space of all that trials have had, with its conditions.
        known: Numbers of the trials that had finished when the history was read.
        current: Number of the trial that asks; it is left out.

    Returns:
        The trials' numbers, and their rows.
    """
    trials = storage.trials(study, fresh=True)
    wide = modelled([t for t in trials if t.state in LABELLED], {})
    others = [t for t in trials if t.number not in known and t.number != current]
    given = [(t.number, known_part(given_to(t, wide), space)) for t in others]
    placed = [(number, params) for number, params in given if params]
    return [number for number, _ in placed], _rows(space, [params for _, params in placed])


@dataclass(frozen=True)
class _Known:
    """A trial, the values that it is known by, if there are any, and the first one's error."""

    trial: FrozenTrial
    params: dict[str, Any]
    values: list[float] | None
    error: float = 0.0


def _known(
    trial: FrozenTrial,
    search_space: Mapping[str, BaseDistribution],
    running_label: RunningLabel | None,
) -> _Known:
    if trial.state.is_finished():
        return _Known(trial, trial.params, _values(trial))
    params = given_to(trial, search_space)
    running = trial.state == TrialState.RUNNING
    long_term = running_label(trial) if running and running_label is not None else None
    return _Known(trial, params, None if long_term is None else [long_term.value])


def given_to(trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]) -> dict[str, Any]:
    """The parameters that a trial has, and those that it will be given."""
    if trial.state.is_finished():
        return trial.params
    planned = from_numbers(storage.planned(trial), search_space)
    return planned | storage.enqueued(trial) | trial.params


def _expected(study: Study, known: list[_Known], full: list[FrozenTrial]) -> list[_Known]:
    """With the final values that are expected today of the trials that only have a label."""
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


def _errors(known: list[_Known], n_tasks: int) -> Float[ndarray, "n t"] | None:
    """Standard deviations; what is unknown or without bounds counts as 0."""
    errors = np.array([k.error if math.isfinite(k.error) else 0.0 for k in known])
    if not errors.any():
        return None
    return np.hstack([errors[:, None], np.zeros((len(known), n_tasks - 1))])


def _is_labelled(trial: FrozenTrial) -> bool:
    return trial.state == TrialState.RUNNING or stored_label(trial) is not None


def _values(trial: FrozenTrial) -> list[float] | None:
    """A finished trial's value of each objective, or its label; NaN if others decide it."""
    if trial.values is not None and len(trial.values) > 1:
        return trial.values
    if is_stopped_by_another(trial):
        return [math.nan]
    value = label(trial)
    return None if value is None else [value]


def _constraints(trials: list[FrozenTrial]) -> Float[ndarray, "n c"]:
    """The value of every constraint that any trial has; NaN where a trial lacks it."""
    found = [trial.constraints for trial in trials]
    names = list(dict.fromkeys(name for constraints in found for name in constraints))
    values = [[constraints.get(name, math.nan) for name in names] for constraints in found]
    return np.array(values, dtype=np.float64).reshape(len(trials), len(names))


def _not_superseded(known: list[_Known], rows: Rows) -> list[int]:
    """All but the labels of configurations that have a full value too."""
    keys = row_keys(rows)
    whole = [len(k.values or ()) > 1 or is_full(k.trial) for k in known]
    full = {key for key, is_whole in zip(keys, whole, strict=True) if is_whole}
    return [
        i
        for i, (key, is_whole) in enumerate(zip(keys, whole, strict=True))
        if is_whole or key not in full
    ]


def _are_whole(known: list[_Known], rows: Rows) -> Bool[ndarray, " n"]:
    """Which trials were asked for all: they completed, or had all that one that completed had."""
    patterns = [row.tobytes() for row in np.isnan(rows)]
    complete = [k.trial.state == TrialState.COMPLETE for k in known]
    whole = {pattern for pattern, c in zip(patterns, complete, strict=True) if c}
    return np.array([pattern in whole for pattern in patterns], dtype=bool)


def _rows(space: SearchSpace, configurations: list[dict[str, Any]]) -> Rows:
    """The rows of the configurations that have any of the space's decisions."""
    placed = [known_part(params, space) for params in configurations]
    return space.canonical(space.rows([params for params in placed if params]))


def label(trial: FrozenTrial) -> float | None:
    """What a finished trial teaches: its value, or a pruned trial's long-term label (Eq. 2).

    None for one that another pruner stopped: see `optuna_predictor_rl.fidelity.pruned_trials`.
    """
    if trial.state == TrialState.COMPLETE:
        return trial.value
    stored = stored_label(trial) if trial.state == TrialState.PRUNED else None
    return None if stored is None or math.isnan(stored) else stored


def _finite(labels: Float[ndarray, "n t"]) -> Float[ndarray, "n t"]:
    """Infinite labels become the worst or the best finite one of their task."""
    columns = [_finite_column(column) for column in labels.T]
    return np.stack(columns, axis=1) if columns else labels


def _finite_column(column: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
    finite = column[np.isfinite(column)]
    low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 0.0)
    return np.where(np.isnan(column), np.nan, np.clip(column, low, high))
