"""A search space in JSON, with its conditions."""

from __future__ import annotations

from typing import Any

from optuna_predictor_rl.core.conditions import (
    AnyCondition,
    AnyOf,
    Condition,
    OfOneParent,
    RangeCondition,
)
from optuna_predictor_rl.core.decisions import Categorical, Decision, Numeric
from optuna_predictor_rl.core.space import SearchSpace

_PLAIN = (type(None), bool, int, float, str)
"""Types of choices that JSON keeps."""


def described_space(space: SearchSpace) -> dict[str, Any]:
    """Return a space as a dict for JSON.

    Raises:
        ValueError: If a parameter has a choice that JSON does not keep.
    """
    for decision in space.decisions:
        for choice in decision.choices if isinstance(decision, Categorical) else ():
            if not isinstance(choice, _PLAIN):
                raise ValueError(
                    f"choices of {decision.name!r} must be None, bool, int, float or str "
                    f"to be saved, but one is {choice!r}, a {type(choice).__name__}."
                )
    return {
        "decisions": [_arguments(decision) for decision in space.decisions],
        "conditions": [_stored(condition) for condition in space.conditions],
    }


def space_of(described: dict[str, Any]) -> SearchSpace:
    """Return the space of a dict of `described_space`.

    Raises:
        ValueError: If it is none; also KeyError, TypeError or AttributeError.
    """
    return SearchSpace(
        tuple(_decision(arguments) for arguments in described["decisions"]),
        tuple(map(_condition, described["conditions"])),
    )


def _arguments(decision: Decision) -> dict[str, Any]:
    """Return the arguments of a decision, without its cached properties."""
    return {name: getattr(decision, name) for name in decision.__dataclass_fields__}


def _stored(condition: AnyCondition) -> list[Any]:
    """Return a condition for JSON: its child, and its part of a parent or its alternatives."""
    if isinstance(condition, AnyOf):
        return [condition.child, [[_stored(c) for c in every] for every in condition.alternatives]]
    if isinstance(condition, RangeCondition):
        return [condition.child, condition.parent, condition.low, condition.high]
    return [condition.child, condition.parent, sorted(condition.choices)]


def _condition(stored: list[Any]) -> AnyCondition:
    child, *rest = stored
    if len(rest) > 1:
        return _of_one_parent(stored)
    (alternatives,) = rest
    return AnyOf(int(child), tuple(tuple(map(_of_one_parent, every)) for every in alternatives))


def _of_one_parent(stored: list[Any]) -> OfOneParent:
    child, parent, *part = stored
    if len(part) == 2:
        return RangeCondition(int(child), int(parent), float(part[0]), float(part[1]))
    (choices,) = part
    return Condition(int(child), int(parent), frozenset(int(c) for c in choices))


def _decision(arguments: dict[str, Any]) -> Decision:
    if "choices" in arguments:
        choices = tuple(arguments["choices"])
        if not all(isinstance(choice, _PLAIN) for choice in choices):
            raise ValueError(f"its choices {choices} are not all plain values")
        return Categorical(name=str(arguments["name"]), choices=choices)
    low, high, step = arguments["low"], arguments["high"], arguments["step"]
    return Numeric(
        name=str(arguments["name"]),
        low=float(low),
        high=float(high),
        log=bool(arguments["log"]),
        step=None if step is None else float(step),
        integer=bool(arguments["integer"]),
    )
