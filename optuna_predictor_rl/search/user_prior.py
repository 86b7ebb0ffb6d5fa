"""Beliefs of a user about parameters, as weights over the policy's options."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.core.decisions import Categorical, Decision
from optuna_predictor_rl.core.policy.factorized import Grid
from optuna_predictor_rl.core.policy.option_prior import OptionPrior
from optuna_predictor_rl.core.space import SearchSpace

Belief = Mapping[Any, float] | Callable[[Any], float] | tuple[float, float]
"""Weights of values, a function from a value to its weight, or (centre, width)."""


def check_prior(prior: Mapping[str, Belief]) -> None:
    """Raise ValueError for beliefs that no parameter could have.

    Raises:
        ValueError: If a belief is none of the three kinds, a weight is negative or not finite,
            none is positive, or a width is not positive.
    """
    for name, belief in prior.items():
        if isinstance(belief, Mapping):
            _check_weights(name, np.array(list(belief.values()), dtype=np.float64))
        elif isinstance(belief, tuple) and len(belief) == 2:
            centre, width = belief
            if not (math.isfinite(centre) and 0.0 < width < math.inf):
                raise ValueError(
                    f"prior of {name!r} must have a finite centre and a positive width, "
                    f"but got {belief}."
                )
        elif not callable(belief):
            raise ValueError(
                f"prior of {name!r} must be a mapping from choices to weights, a function, or "
                f"(centre, width), but got {belief!r}."
            )


def option_prior(prior: Mapping[str, Belief], space: SearchSpace, n_bins: int) -> OptionPrior:
    """Return the beliefs about a space's decisions, for a policy of `n_bins` bins.

    Raises:
        ValueError: If a choice that has a weight is none of the parameter's, or a function
            returns a bad weight.
    """
    grid = Grid(space, n_bins)
    weights = tuple(
        _weights(prior[d.name], d, grid.option_values(j)) if d.name in prior else None
        for j, d in enumerate(space.decisions)
    )
    return OptionPrior.of(grid, weights)


def _weights(belief: Belief, decision: Decision, values: list[Any]) -> Float[ndarray, " o"]:
    """Return the weight of each option of a decision, of which `values` are choices or middles."""
    if isinstance(belief, Mapping):
        return _of_choices(belief, decision, values)
    if callable(belief):
        weights = np.array([float(belief(value)) for value in values])
        _check_weights(decision.name, weights)
        return weights
    if isinstance(decision, Categorical):
        raise ValueError(
            f"prior of {decision.name!r} must be weights of its choices {decision.choices}, "
            f"but got {belief}."
        )
    centre, width = belief
    middle = decision.position(np.array([centre, *values], dtype=np.float64))
    distance = (middle[1:] - middle[0]) / width
    return np.exp(-0.5 * (distance**2 - (distance**2).min()))  # the largest is 1: none underflows


def _of_choices(
    belief: Mapping[Any, float], decision: Decision, values: list[Any]
) -> Float[ndarray, " o"]:
    if not isinstance(decision, Categorical) and len(values) != decision.n_values:
        raise ValueError(
            f"prior of {decision.name!r} must be a function or (centre, width), as it has too "
            f"many values for weights of each, but got {dict(belief)}."
        )
    choices = Categorical(name=decision.name, choices=tuple(values))
    weights = np.zeros(len(values))
    for choice, weight in belief.items():
        weights[choices.index(choice)] = weight
    return weights


def _check_weights(name: str, weights: Float[ndarray, " n"]) -> None:
    if not (np.isfinite(weights).all() and (weights >= 0.0).all() and weights.any()):
        raise ValueError(
            f"prior of {name!r} must have finite weights, none negative and one positive, "
            f"but got {weights.tolist()}."
        )
