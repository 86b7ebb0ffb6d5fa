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
from optuna_predictor_rl.core.space import Rows, SearchSpace
from optuna_predictor_rl.distributions import is_within, learn_conditions, to_space
from optuna_predictor_rl.labels import stored_label

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
) -> History:
    """Read the trials of a single-objective study.

    Args:
        study: The study.
        search_space: The parameters to model.
        cost: Where a trial's cost is found, if it is to be learned.
        current: Number of the trial that asks; it is not pending.

    Raises:
        ValueError: If a complete trial has no cost.
    """
    trials = _storage.trials(study, fresh=True)  # at once, so that none is between two states
    running = [t for t in trials if t.state == TrialState.RUNNING]
    labelled = [t for t in trials if t.params and label(t) is not None]
    space = to_space(search_space)
    inside = [t for t in labelled if is_within(t.params, search_space)]
    rows = space.rows([t.params for t in inside])
    space = SearchSpace(space.decisions, learn_conditions(space, rows))
    sign = -1.0 if study.direction == StudyDirection.MAXIMIZE else 1.0
    values = [[sign * (label(t) or 0.0), *_costs(t, cost)] for t in inside]
    labels = np.asarray(values, dtype=np.float64).reshape(len(inside), 1 + (cost is not None))
    pending = [_storage.planned(t) for t in running if t.number != current]
    failed = [t.params for t in trials if t.state.is_finished() and label(t) is None]
    return History(
        space=space,
        rows=rows,
        labels=np.stack([_finite(column) for column in labels.T], axis=1),
        pending=_rows_within(space, pending, search_space),
        failed=_rows_within(space, failed, search_space),
        n_outside=len(labelled) - len(inside),
    )


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
