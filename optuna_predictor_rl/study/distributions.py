"""Optuna's distributions and the core's search space."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial

from optuna_predictor_rl.core.decisions import Categorical, Decision, Numeric
from optuna_predictor_rl.core.space import SearchSpace
from optuna_predictor_rl.study.attributes import as_number
from optuna_predictor_rl.study.ranges import is_number, searched


def to_decision(name: str, distribution: BaseDistribution) -> Decision:
    """Return the decision that a distribution describes.

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
    """Return the largest float that is not above a number.

    An integer past 2**53 may lie between two floats.
    """
    nearest = float(number)
    return math.nextafter(nearest, -math.inf) if nearest > number else nearest


def to_space(search_space: Mapping[str, BaseDistribution]) -> SearchSpace:
    """Return the search space of named distributions, in their order."""
    return SearchSpace(tuple(to_decision(name, d) for name, d in search_space.items()))


def known_part(params: Mapping[str, Any], space: SearchSpace) -> dict[str, Any]:
    """Return the parameters that have a place in a space: of its decisions, and of their kinds."""
    return {
        decision.name: params[decision.name]
        for decision in space.decisions
        if decision.name in params and _has_place(params[decision.name], decision)
    }


def _has_place(value: Any, decision: Decision) -> bool:
    if isinstance(decision, Numeric):
        return is_number(value)
    try:
        decision.index(value)
    except ValueError:
        return False
    return True


def to_numbers(
    parameters: Mapping[str, Any], search_space: Mapping[str, BaseDistribution]
) -> dict[str, float]:
    """Return Optuna's internal numbers of parameters, which JSON can hold for any choices."""
    return {name: float(search_space[name].to_internal_repr(v)) for name, v in parameters.items()}


def from_numbers(numbers: object, search_space: Mapping[str, BaseDistribution]) -> dict[str, Any]:
    """Return the parameters of `to_numbers`, without what it cannot have written."""
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
    return distribution.low <= number <= distribution.high  # type: ignore[attr-defined]


def union_search_space(trials: list[FrozenTrial]) -> dict[str, BaseDistribution]:
    """Return all parameters that trials have had, each with the range to look for values in.

    Unlike Optuna's intersection it keeps conditional parameters and those whose range moves. So
    the predictor learns from them, and the policy picks them together with the others.
    Parameters with a single value are left out: there is nothing to pick.
    """
    return {name: d for name, d in searched(trials).items() if not d.single()}
