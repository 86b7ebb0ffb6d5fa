"""Configurations from users as parameters and rows, and rows as parameters."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.study import Study
from optuna.trial import BaseTrial

from optuna_predictor_rl.core.seen import Seen
from optuna_predictor_rl.core.space import Rows, SearchSpace
from optuna_predictor_rl.data.history import History
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.ranges import modelled


@runtime_checkable
class Table(Protocol):
    """A data frame of pandas or its like: named columns, each of which can be iterated."""

    @property
    def columns(self) -> Any:
        """Return the names of the columns."""

    def __getitem__(self, name: Any, /) -> Any:
        """Return a column."""


Configuration = Mapping[str, Any] | BaseTrial
Configurations = Configuration | Sequence[Configuration] | np.ndarray | Table
"""One configuration or several: dicts of parameters, trials, or the rows of a data frame."""


def as_params(given: Configurations, study: Study) -> list[Mapping[str, Any]]:
    """Return the parameters of each configuration.

    Args:
        given: The configurations.
        study: The study whose parameters name the columns of a data frame.
    """
    if isinstance(given, (Mapping, BaseTrial)):
        return [_params(given)]
    if isinstance(given, (Sequence, np.ndarray)):
        return [_params(item) for item in given]
    return _params_of_table(given, modelled(storage.trials(study), {}))


def _params(given: Any) -> Mapping[str, Any]:
    if isinstance(given, BaseTrial):
        return storage.known_params(given)
    if not isinstance(given, Mapping):  # `checked` does not look into arrays
        raise TypeError(f"params_list must be configurations, but holds {given!r}.")
    return given


def _params_of_table(
    table: Table, distributions: Mapping[str, BaseDistribution]
) -> list[Mapping[str, Any]]:
    names = {column: column for column in _columns(table)}
    if not names.keys() <= distributions.keys():
        # As `Study.trials_dataframe` names them, also with several levels of names.
        named = {f"params_{name}": name for name in distributions}
        named |= {("params", name): name for name in distributions}
        names = {column: named[column] for column in names if column in named} or names
    columns = {
        name: _cells(table[column], distributions.get(name)) for column, name in names.items()
    }
    rows = zip(*columns.values(), strict=True)
    return [
        {name: value for name, value in zip(columns, row, strict=True) if value is not _MISSING}
        for row in rows
    ]


def _columns(table: Table) -> list[Any]:
    """Return the names of a data frame's columns.

    Raises:
        TypeError: If it is another kind of table.
        ValueError: If a name occurs twice.
    """
    columns = list(table.columns)
    if not hasattr(table, "iter_rows") and not hasattr(table, "itertuples"):
        kind = type(table).__name__
        raise TypeError(f"params_list must be a data frame of pandas or polars, but got a {kind}.")
    twice = sorted({str(name) for name in columns if columns.count(name) > 1})
    if twice:
        raise ValueError(f"params_list must have each column once, but got {twice} more often.")
    return columns


def _cells(column: Iterable[Any], distribution: BaseDistribution | None) -> list[Any]:
    """Return a column's values; an empty cell is None or NaN if that is a choice, else missing."""
    choices = distribution.choices if isinstance(distribution, CategoricalDistribution) else ()
    # Frames write None as NaN in some columns.
    empty = next((choice for choice in choices if _is_empty(choice)), _MISSING)
    return [empty if _is_empty(value) else value for value in column]


def _is_empty(value: Any) -> bool:
    if type(value).__name__ in ("NAType", "NaTType"):  # pandas need not be installed
        return True
    return value is None or (isinstance(value, float) and math.isnan(value))


def rows_of(params_list: Sequence[Mapping[str, Any]], history: History, study: Study) -> Rows:
    """Return the rows of configurations, each of which must be one that the study may try.

    Args:
        params_list: The configurations; a parameter that is inactive, or that some trials lack
            and others do not for no known reason, may be missing. Inactive ones are ignored.
        history: The study's trials, as the predictor reads them.
        study: The study.

    Raises:
        ValueError: If a configuration has an unknown parameter or a value outside of its range,
            or lacks a parameter that all trials have or that is active for it.
    """
    distributions = modelled(storage.trials(study), {})
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
    rows = history.space.canonical(history.space.rows(params_list))
    _check_active(rows, history)
    return rows


def _check_active(rows: Rows, history: History) -> None:
    """Raise for the first row that lacks a decision which is active for it.

    That is known where conditions explain when trials have the decision. The predictor has learned
    from trials that were stopped before they had all: a row may lack what one of them does.
    """
    explained = sorted({condition.child for condition in history.space.conditions})
    lacking = _lacking(rows, history.space)[:, explained]
    known = {lacks.tobytes() for lacks in _lacking(history.rows, history.space)[:, explained]}
    for i in np.flatnonzero(lacking.any(axis=1)):
        if lacking[i].tobytes() not in known:
            name = history.space.names[explained[int(lacking[i].argmax())]]
            raise ValueError(f"params_list[{i}] must have the parameter {name!r}, active for it.")


def _lacking(rows: Rows, space: SearchSpace) -> Bool[np.ndarray, "n d"]:
    """Return which active decisions rows lack."""
    filled = space.filled(rows, np.random.default_rng(0))
    return np.isnan(rows) & ~np.isnan(space.canonical(filled))


_MISSING = object()


def _check(
    name: str, column: list[Any], distribution: BaseDistribution, *, optional: bool
) -> None:
    """Raise for the first value of a parameter that is missing or outside of its range."""
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
    if isinstance(distribution, IntDistribution) and not float(value).is_integer():
        return False
    return bool(distribution.low <= internal <= distribution.high)  # type: ignore[attr-defined]


def first_unseen(rows: Rows, is_seen: Seen) -> Rows:
    """Return the first row that no trial has had, or the last if there is none, (decisions,)."""
    new = np.flatnonzero(~is_seen(rows))
    return np.asarray(rows[new[0] if len(new) else -1])


def complete(space: SearchSpace, row: Rows, rng: np.random.Generator) -> dict[str, Any]:
    """Return the configuration of a row, with random values for its inactive decisions.

    The objective may ask for these, as conditions are learned from trials and may be wrong.
    """
    return space.configurations(space.filled(row[None], rng))[0]
