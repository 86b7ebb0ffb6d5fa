"""Between rows of a study's space and the parameters of trials."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.study import Study

from optuna_predictor_rl import _storage
from optuna_predictor_rl.core.seen import Seen
from optuna_predictor_rl.core.space import Rows, SearchSpace
from optuna_predictor_rl.history import History
from optuna_predictor_rl.ranges import modelled


def rows_of(params_list: Sequence[Mapping[str, Any]], history: History, study: Study) -> Rows:
    """The rows of configurations, each of which must be one that the study may try.

    Args:
        params_list: The configurations; a parameter that some trials lack may be missing.
        history: The study's trials, as the predictor reads them.
        study: The study.

    Raises:
        ValueError: If a configuration has an unknown parameter or a value outside of its range,
            or lacks a parameter that all trials have.
    """
    distributions = modelled(_storage.trials(study), {})
    for i, params in enumerate(params_list):
        unknown = params.keys() - distributions.keys()
        if unknown:
            raise ValueError(
                f"params_list[{i}] must have parameters of the study only, which are "
                f"{sorted(distributions)}, but got {sorted(unknown)}."
            )
    lacking = np.isnan(history.rows).any(axis=0)
    names = {
        d.name: bool(lacks) for d, lacks in zip(history.space.decisions, lacking, strict=True)
    }
    for name, distribution in distributions.items():
        column = [params.get(name, _MISSING) for params in params_list]
        _check(name, column, distribution, optional=names.get(name, True))
    return history.space.canonical(history.space.rows(params_list))


_MISSING = object()


def _check(
    name: str, column: list[Any], distribution: BaseDistribution, *, optional: bool
) -> None:
    """Refuse the first value of a parameter that is missing or outside of its range."""
    allowed: set[tuple[type, Any]] = set()
    countable = isinstance(distribution, (CategoricalDistribution, IntDistribution))
    for i, value in enumerate(column):
        if value is _MISSING:
            if not optional:
                raise ValueError(f"params_list[{i}] must have the parameter {name!r}.")
        elif not (countable and isinstance(value, Hashable) and (type(value), value) in allowed):
            if not _is_member(value, distribution):
                raise ValueError(
                    f"params_list[{i}][{name!r}] must be within {distribution}, but got {value!r}."
                )
            if countable and isinstance(value, Hashable):
                allowed.add((type(value), value))


def _is_member(value: Any, distribution: BaseDistribution) -> bool:
    try:
        internal = distribution.to_internal_repr(value)
    except (ValueError, TypeError):
        return False
    if isinstance(distribution, CategoricalDistribution):
        return True
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        return False
    whole = not isinstance(distribution, IntDistribution) or float(value).is_integer()
    low, high = distribution.low, distribution.high  # type: ignore[attr-defined]
    return whole and bool(low <= internal <= high)


def first_unseen(rows: Rows, is_seen: Seen) -> Rows:
    """The first row that no trial has had, or the last if all have been, (decisions,)."""
    new = np.flatnonzero(~is_seen(rows))
    return np.asarray(rows[new[0] if len(new) else -1])


def complete(space: SearchSpace, row: Rows, rng: np.random.Generator) -> dict[str, Any]:
    """The configuration of a row, with values for its inactive decisions, should they be asked."""
    unconditional = SearchSpace(space.decisions)
    free = unconditional.random(1, rng)[0]
    return unconditional.configurations(np.where(np.isnan(row), free, row)[None])[0]
