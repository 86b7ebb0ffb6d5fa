"""What a study's storage tells a suggestion: the trials as rows and labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from optuna.distributions import BaseDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl.core.seen import Seen
from optuna_predictor_rl.core.space import Rows, SearchSpace, row_keys
from optuna_predictor_rl.data.columns import constraint_columns, finite, finite_constraints
from optuna_predictor_rl.data.costs import Cost, KnownCost, cost_of
from optuna_predictor_rl.data.given import placed_rows
from optuna_predictor_rl.data.learned_conditions import learn_conditions
from optuna_predictor_rl.data.linked_ranges import learn_linked_ranges
from optuna_predictor_rl.data.read_trials import (
    ReadTrial,
    label_errors,
    labels_running,
    read_trial,
    with_labels_of_today,
)
from optuna_predictor_rl.data.scope import Scope
from optuna_predictor_rl.fidelity.labels import is_full
from optuna_predictor_rl.fidelity.pruned_trials import is_stopped_by_another, ranked_behind
from optuna_predictor_rl.fidelity.stored_rules import stored_rule
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.distributions import known_part, to_space
from optuna_predictor_rl.study.objective import sign_of, signs_of
from optuna_predictor_rl.study.ranges import modelled


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
        failed: Rows of the trials that failed, or were pruned before they reported a value, and of
            which no repeat succeeded.
        closed: Which of them must not be proposed again: the pruned ones, and those that failed
            twice. One failure may be that of a worker that was killed.
        fixed: Parameters with a single value, which are no decisions.
        scope: The part of the space in which the next trial's parameters are looked for.
        has_all_active: Which labelled trials have all parameters that are active for them today.
        succeeded: Which of the trials that ended did not fail, in their order.
        errors: Standard deviations of the labels' errors, 0 for full trials; None if all are.
        objective_weights: Weights by which several objectives are one; None if they are not.
    """

    space: SearchSpace
    rows: Float[ndarray, "n d"]
    labels: Float[ndarray, "n t"]
    constraints: Float[ndarray, "n c"]
    n_objectives: int
    pending: Float[ndarray, "p d"]
    failed: Float[ndarray, "f d"]
    closed: Bool[ndarray, " f"]
    fixed: Mapping[str, Any]
    scope: Scope
    has_all_active: Bool[ndarray, " n"]
    succeeded: Bool[ndarray, " e"]
    errors: Float[ndarray, "n t"] | None = None
    objective_weights: Float[ndarray, " o"] | None = None

    @property
    def feasible(self) -> Bool[ndarray, " n"]:
        """Return which labelled trials satisfy all constraints that they have."""
        return (np.nan_to_num(self.constraints) <= 0.0).all(1)

    @property
    def seen(self) -> Rows:
        """Return all rows that must not be proposed again."""
        return np.concatenate([self.rows, self.pending, self.failed[self.closed]])

    @property
    def is_seen(self) -> Seen:
        """Return a test for rows that are configurations not to be proposed again."""
        seen = self.seen
        others = len(seen) - len(self.rows)
        return Seen(seen, np.append(self.has_all_active, np.zeros(others, dtype=bool)))

    def with_pending(self, row: Float[ndarray, " d"]) -> History:
        """Return the history with one more trial that is running elsewhere."""
        return replace(self, pending=np.concatenate([self.pending, row[None]]))


@dataclass(frozen=True)
class NextTrial:
    """The trial that parameters are looked for.

    Args:
        number: Its number; it is not pending.
        given: Parameters that it has anyway.
    """

    number: int
    given: Mapping[str, Any] = field(default_factory=dict)


def read_history(
    study: Study,
    search_space: Mapping[str, BaseDistribution],
    *,
    next_trial: NextTrial | None = None,
    cost: Cost | None = None,
    max_cost: float | None = None,
    learn_from_running: bool = False,
) -> History:
    """Read the trials of a study.

    All that have a parameter with several values are read, whatever ranges they had and whatever
    else is searched. A trial with a full value replaces those of the same configuration that have
    a label only. Labels become the final values that the trials of today lead to expect
    (`with_labels_of_today`).

    Args:
        study: The study.
        search_space: The parameters to find values of, with the ranges to look in.
        next_trial: The trial that they are for, if there is one.
        cost: Where a trial's cost is found; one that is known in advance is no label.
        max_cost: Largest feasible cost, a further constraint if the cost is to be learned.
        learn_from_running: Whether a running trial that has come to a cutoff or rung has a label;
            otherwise running trials are pending.

    Raises:
        ValueError: If a complete trial has no cost.
    """
    trials = storage.trials(study, fresh=True)  # one read, so that no trial is between two states
    wide = _modelled(trials, search_space)
    number, given = (None, {}) if next_trial is None else (next_trial.number, next_trial.given)
    n_objectives = len(study.directions)
    rule = stored_rule(study) if n_objectives == 1 else None
    running = labels_running(study, rule, trials) if learn_from_running else None
    read = [read_trial(t, wide, running, n_objectives) for t in trials if t.number != number]
    space = to_space(wide)
    labelled, rows = _labelled(read, space)
    has_all_active = _have_all_active(labelled, rows)
    learned = learn_conditions(space, rows, has_all_active)
    space = SearchSpace(space.decisions, learned.conditions)
    labelled = with_labels_of_today(study, labelled, rule, trials)
    kept = [t.trial for t in labelled]
    labels, constraints = _labels(study, labelled), constraint_columns(kept)
    if cost is not None and not isinstance(cost, KnownCost):
        costs = np.array([cost_of(trial, cost) for trial in kept]).reshape(-1, 1)
        labels = np.hstack([labels, costs])
        if max_cost is not None:
            constraints = np.hstack([constraints, costs - max_cost])
    linked_ranges = learn_linked_ranges(space, rows, kept)
    unlabelled = [t for t in read if t.values is None]
    failed, closed = _failed(unlabelled, space, rows)
    return History(
        space=space,
        rows=rows,
        labels=finite(labels),
        constraints=finite_constraints(constraints),
        n_objectives=n_objectives,
        pending=placed_rows(space, [t.params for t in unlabelled if not t.is_finished]),
        failed=failed,
        closed=closed,
        fixed=_fixed(read, wide),
        scope=Scope.of(space, search_space, given, learned.removed, linked_ranges),
        has_all_active=has_all_active & ~np.isnan(rows[:, list(learned.unexplained)]).any(axis=1),
        succeeded=np.array([not t.failed for t in read if t.is_finished], dtype=bool),
        errors=label_errors(labelled, labels.shape[1]),
    )


def _failed(
    unlabelled: list[ReadTrial], space: SearchSpace, labelled: Rows
) -> tuple[Rows, Bool[ndarray, " f"]]:
    """Return the rows of failed trials that no labelled one repeats, and which are closed."""
    placed = [t for t in unlabelled if t.is_finished and known_part(t.params, space)]
    rows, known = placed_rows(space, [t.params for t in placed]), set(row_keys(labelled))
    keys = row_keys(rows)
    times = Counter(keys)
    pruned = [t.trial.state == TrialState.PRUNED for t in placed]
    closed = [was or times[key] > 1 for was, key in zip(pruned, keys, strict=True)]
    left = np.array([key not in known for key in keys], dtype=bool)
    return rows[left], np.array(closed, dtype=bool)[left]


def _modelled(
    trials: Sequence[FrozenTrial], search_space: Mapping[str, BaseDistribution]
) -> dict[str, BaseDistribution]:
    """Return the ranges of all parameters with several values."""
    wide = modelled([t for t in trials if t.state in storage.LABELLED], dict(search_space))
    return {name: distribution for name, distribution in wide.items() if not distribution.single()}


def _labelled(read: list[ReadTrial], space: SearchSpace) -> tuple[list[ReadTrial], Rows]:
    """Return the trials with a label and their rows, without labels that a full value replaces."""
    placed = [(t, known_part(t.params, space)) for t in read if t.values is not None]
    inside = [t for t, part in placed if part]
    rows = space.rows([part for _, part in placed if part])
    keys = row_keys(rows)
    full = [len(t.values or ()) > 1 or is_full(t.trial) for t in inside]
    with_full_value = {key for key, has_one in zip(keys, full, strict=True) if has_one}
    kept = [i for i, key in enumerate(keys) if full[i] or key not in with_full_value]
    return [inside[i] for i in kept], rows[kept]


def _labels(study: Study, labelled: list[ReadTrial]) -> Float[ndarray, "n o"]:
    """Return a column for each objective: lower is better; unlabelled stopped trials rank last."""
    signs = signs_of(study)
    values = np.array([t.values for t in labelled], dtype=np.float64).reshape(-1, len(signs))
    labels = finite(values * signs)
    trials = [t.trial for t in labelled]
    stopped = np.array([is_stopped_by_another(trial) for trial in trials], dtype=bool)
    stopped &= np.isnan(labels[:, 0])
    if stopped.any() and len(signs) == 1:
        labels[:, 0] = ranked_behind(labels[:, 0], trials, stopped, sign_of(study))
    return labels


def _fixed(read: list[ReadTrial], wide: Mapping[str, BaseDistribution]) -> dict[str, Any]:
    """Return the parameters of labelled trials that only ever had a single value."""
    return {
        name: t.params[name]
        for t in read
        if t.values is not None
        for name, distribution in t.trial.distributions.items()
        if distribution.single() and name not in wide
    }


def _have_all_active(labelled: list[ReadTrial], rows: Rows) -> Bool[ndarray, " n"]:
    """Return which trials have all active parameters.

    Those are the trials that completed, or that lack the same parameters as one that completed.
    """
    patterns = [row.tobytes() for row in np.isnan(rows)]
    complete = [t.trial.state == TrialState.COMPLETE for t in labelled]
    completed = {pattern for pattern, is_one in zip(patterns, complete, strict=True) if is_one}
    return np.array([pattern in completed for pattern in patterns], dtype=bool)
