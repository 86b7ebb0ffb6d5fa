"""Optuna's distributions and the core's search space."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial

from optuna_predictor_rl.attributes import as_number
from optuna_predictor_rl.core.space import (
    Categorical,
    Condition,
    Decision,
    Numeric,
    Rows,
    SearchSpace,
)


def to_decision(name: str, distribution: BaseDistribution) -> Decision:
    """The decision that a distribution describes.

    Raises:
        ValueError: If the distribution is none of Optuna's three kinds.
    """
    if isinstance(distribution, CategoricalDistribution):
        return Categorical(name=name, choices=tuple(distribution.choices))
    if isinstance(distribution, (FloatDistribution, IntDistribution)):
        return Numeric(
            name=name,
            low=-_float_below(-distribution.low),
            high=_float_below(distribution.high),
            log=distribution.log,
            step=None if distribution.step is None else float(distribution.step),
            integer=isinstance(distribution, IntDistribution),
        )
    raise ValueError(
        f"distribution of {name!r} must be a categorical, float or int one, "
        f"but got {distribution!r}."
    )


def _float_below(number: int | float) -> float:
    """The largest float that is not above a number: integers past 2**53 may lie between two."""
    nearest = float(number)
    return math.nextafter(nearest, -math.inf) if nearest > number else nearest


def to_space(search_space: Mapping[str, BaseDistribution]) -> SearchSpace:
    """The search space of named distributions, in their order."""
    return SearchSpace(tuple(to_decision(name, d) for name, d in search_space.items()))


def is_within(parameters: Mapping[str, Any], search_space: Mapping[str, BaseDistribution]) -> bool:
    """Whether some parameters are of the search space, all of them inside its ranges."""
    shared = [name for name in parameters if name in search_space]
    return bool(shared) and all(_contains(search_space[n], parameters[n]) for n in shared)


def _contains(distribution: BaseDistribution, value: Any) -> bool:
    if isinstance(distribution, (FloatDistribution, IntDistribution)):
        return isinstance(value, (int, float)) and distribution.low <= value <= distribution.high
    try:
        distribution.to_internal_repr(value)
    except ValueError:  # added with other choices, which Optuna refuses while it optimizes
        return False
    return True


def to_numbers(
    parameters: Mapping[str, Any], search_space: Mapping[str, BaseDistribution]
) -> dict[str, float]:
    """Optuna's internal numbers of parameters, which JSON can hold whatever the choices are."""
    return {name: float(search_space[name].to_internal_repr(v)) for name, v in parameters.items()}


def from_numbers(numbers: object, search_space: Mapping[str, BaseDistribution]) -> dict[str, Any]:
    """The parameters of `to_numbers`; what it cannot have written is left out."""
    if not isinstance(numbers, dict):
        return {}
    read = {name: as_number(numbers[name]) for name in search_space if name in numbers}
    return {
        name: search_space[name].to_external_repr(number)
        for name, number in read.items()
        if number is not None
        and math.isfinite(number)
        and _is_internal(search_space[name], number)
    }


def _is_internal(distribution: BaseDistribution, number: float) -> bool:
    if isinstance(distribution, CategoricalDistribution):
        return number in range(len(distribution.choices))
    return _contains(distribution, number)


def union_search_space(trials: list[FrozenTrial]) -> dict[str, BaseDistribution]:
    """All parameters that trials have had, each with the latest distribution it had.

    Unlike Optuna's intersection it keeps the conditional ones, so that the predictor learns from
    them and the policy picks them together with the rest. Parameters with a single value are
    left out: there is nothing to pick.
    """
    union: dict[str, BaseDistribution] = {}
    for trial in trials:
        union.update(trial.distributions)
    return {name: d for name, d in union.items() if not d.single()}


def learn_conditions(space: SearchSpace, rows: Rows) -> tuple[Condition, ...]:
    """Conditions that explain why some decisions are missing (NaN) from some rows.

    A decision is taken to depend on an earlier categorical one if no choice of that one goes
    both with rows that have the decision and with rows that lack it. For choices that no row has
    tried, the decision counts as inactive.
    """
    missing = np.isnan(rows)
    partial = missing.any(axis=0) & ~missing.all(axis=0)
    conditions = (_condition(space, rows, missing, int(j)) for j in np.flatnonzero(partial))
    return tuple(condition for condition in conditions if condition is not None)


def _condition(
    space: SearchSpace, rows: Rows, missing: np.ndarray, child: int
) -> Condition | None:
    for parent in range(child):
        decision = space.decisions[parent]
        if not isinstance(decision, Categorical):
            continue
        absent = missing[:, child]
        if (missing[:, parent] & ~absent).any():
            continue
        without = {int(c) for c in rows[absent & ~missing[:, parent], parent]}
        with_child = {int(c) for c in rows[~absent, parent]}
        if without and not without & with_child:
            return Condition(child, parent, frozenset(with_child))
    return None
