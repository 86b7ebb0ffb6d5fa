"""What a study's storage tells a suggestion: the trials as rows and labels."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from optuna.distributions import BaseDistribution
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl import _storage
from optuna_predictor_rl.core.space import Rows, SearchSpace, row_keys
from optuna_predictor_rl.discrepancy import expected_discrepancy
from optuna_predictor_rl.distributions import is_within, learn_conditions, to_space
from optuna_predictor_rl.labels import is_full, stored_label
from optuna_predictor_rl.running import RunningLabel
from optuna_predictor_rl.stopping import stored_rule

Cost = str | Callable[[FrozenTrial], float]


@dataclass(frozen=True)
class History:
    """The trials of a study, as the predictor reads them.

    Args:
        space: The search space, with the conditions that the trials show.
        rows: Rows of the labelled trials, (n, decisions).
        labels: Value and, if there is one, cost of each; lower is better, NaN is missing.
        pending: Rows of the trials that are running elsewhere.
        failed: Rows of the trials that failed, or were pruned before they reported a value.
        n_outside: Number of labelled trials left out: a value lies outside of the present ranges.
    """

    space: SearchSpace
    rows: Float[ndarray, "n d"]
    labels: Float[ndarray, "n t"]
    pending: Float[ndarray, "p d"]
    failed: Float[ndarray, "f d"]
    n_outside: int

    @property
    def seen(self) -> Rows:
        """All rows that must not be proposed again."""
        return np.concatenate([self.rows, self.pending, self.failed])


def read_history(
    study: Study,
    search_space: Mapping[str, BaseDistribution],
    *,
    cost: Cost | None = None,
    current: int | None = None,
    running_label: RunningLabel | None = None,
) -> History:
    """Read the trials of a single-objective study.

    A trial with a full value replaces those of the same configuration that have a label only.
    Labels are corrected by what full trials tell of them (`expected_discrepancy`).

    Args:
        study: The study.
        search_space: The parameters to model.
        cost: Where a trial's cost is found, if it is to be learned.
        current: Number of the trial that asks; it is not pending.
        running_label: Long-term value of a running trial that has reported enough, which is then
            no longer pending but teaches that value; without it, running trials teach nothing.

    Raises:
        ValueError: If a complete trial has no cost.
    """
    trials = _storage.trials(study, fresh=True)  # at once, so that none is between two states
    known = [_known(t, running_label) for t in trials if t.number != current]
    labelled = [k for k in known if k.value is not None and k.params]
    space = to_space(search_space)
    inside = [k for k in labelled if is_within(k.params, search_space)]
    kept = _not_superseded(inside, space.rows([k.params for k in inside]))
    rows = space.rows([k.params for k in kept])
    space = SearchSpace(space.decisions, learn_conditions(space, rows))
    sign = -1.0 if study.direction == StudyDirection.MAXIMIZE else 1.0
    values = [[sign * (k.value or 0.0), *_costs(k.trial, cost)] for k in kept]
    labels = np.asarray(values, dtype=np.float64).reshape(len(kept), 1 + (cost is not None))
    labels[:, 0] += sign * expected_discrepancy(
        stored_rule(study), [k.trial for k in kept], space, rows
    )
    labels = np.stack([_finite(column) for column in labels.T], axis=1)
    unlabelled = [k for k in known if k.value is None]
    pending = [k.params for k in unlabelled if k.trial.state == TrialState.RUNNING]
    failed = [k.params for k in unlabelled if k.trial.state.is_finished()]
    return History(
        space=space,
        rows=rows,
        labels=labels,
        pending=_rows_within(space, pending, search_space),
        failed=_rows_within(space, failed, search_space),
        n_outside=len(labelled) - len(inside),
    )


@dataclass(frozen=True)
class _Known:
    """A trial and the value that it is known by, if there is one."""

    trial: FrozenTrial
    params: dict[str, Any]
    value: float | None


def _known(trial: FrozenTrial, running_label: RunningLabel | None) -> _Known:
    if trial.state != TrialState.RUNNING:
        return _Known(trial, trial.params, label(trial))
    long_term = None if running_label is None else running_label(trial)
    return _Known(trial, _storage.planned(trial), None if long_term is None else long_term.value)


def _not_superseded(known: list[_Known], rows: Rows) -> list[_Known]:
    """Without the labels of configurations that have a full value too."""
    keys = row_keys(rows)
    full = {key for k, key in zip(known, keys, strict=True) if is_full(k.trial)}
    return [k for k, key in zip(known, keys, strict=True) if is_full(k.trial) or key not in full]


def _rows_within(
    space: SearchSpace,
    configurations: list[dict[str, Any]],
    search_space: Mapping[str, BaseDistribution],
) -> Rows:
    """The rows of the configurations that lie within the present ranges."""
    return space.canonical(space.rows([c for c in configurations if is_within(c, search_space)]))


def label(trial: FrozenTrial) -> float | None:
    """What a finished trial teaches: its value, or a pruned trial's long-term label (Eq. 2)."""
    if trial.state == TrialState.COMPLETE:
        return trial.value
    if trial.state != TrialState.PRUNED:
        return None
    stored = stored_label(trial)
    value = trial.value if stored is None else stored
    return None if value is None or math.isnan(value) else value


def _costs(trial: FrozenTrial, cost: Cost | None) -> list[float]:
    if cost is None:
        return []
    if not isinstance(cost, str):
        return [float(cost(trial))]
    if cost in trial.user_attrs:
        return [float(trial.user_attrs[cost])]
    if trial.state == TrialState.COMPLETE:
        raise ValueError(
            f"cost must name a user attribute of every complete trial, "
            f"but trial {trial.number} has no {cost!r}."
        )
    return [math.nan]


def _finite(column: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
    """Infinite labels become the worst or the best finite one."""
    finite = column[np.isfinite(column)]
    low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 0.0)
    return np.where(np.isnan(column), np.nan, np.clip(column, low, high))
