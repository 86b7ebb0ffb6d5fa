"""The cost of a trial: read from it once it has run, or computed from its parameters before."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl.core.space import Rows, SearchSpace, row_keys
from optuna_predictor_rl.study.attributes import as_number
from optuna_predictor_rl.support.checked import checked

MAX_REMEMBERED = 200_000
"""Configurations whose costs are kept; with more, all are forgotten."""


@checked
@dataclass(frozen=True)
class KnownCost:
    """A cost that is a function of the parameters, so that nothing about it must be learned.

    A search calls it once for each configuration that it considers, some 2,000 in a suggestion. So
    it should take microseconds; `python -m benchmarks cost known_cost` measures it.

    Args:
        of: Cost of a trial's parameters, as `trial.params` has them: inactive ones are absent.
            Lower is better.

    Example:
        >>> KnownCost(lambda params: params["width"] * params["depth"])({"width": 4, "depth": 2})
        8.0
    """

    of: Callable[[dict[str, Any]], float]

    def __call__(self, params: dict[str, Any]) -> float:
        """Return the cost of parameters.

        Raises:
            ValueError: If it is not finite.
        """
        cost = float(self.of(params))
        if not math.isfinite(cost):
            raise ValueError(f"cost must be finite, but got {cost} for {params}.")
        return cost


Cost = str | Callable[[FrozenTrial], float] | KnownCost


def cost_of(trial: FrozenTrial, cost: str | Callable[[FrozenTrial], float]) -> float:
    """Return a trial's cost, NaN if a trial that did not complete has none.

    Raises:
        ValueError: If a complete trial has no cost, or what should hold it is no number.
    """
    if not isinstance(cost, str):
        return float(cost(trial))
    if cost in trial.user_attrs:
        number = as_number(trial.user_attrs[cost])
        if number is None:
            raise ValueError(
                f"cost must name a user attribute that is a number, but {cost!r} of trial "
                f"{trial.number} is {trial.user_attrs[cost]!r}."
            )
        return number
    if trial.state == TrialState.COMPLETE:
        raise ValueError(
            f"cost must name a user attribute of every complete trial, "
            f"but trial {trial.number} has no {cost!r}."
        )
    return math.nan


class RowCosts:
    """Costs of rows that are known in advance, each computed once.

    Args:
        cost: The cost of parameters.
        budget: Largest cost that may be suggested, if there is one.
    """

    def __init__(self, cost: KnownCost, budget: float | None = None) -> None:
        self.budget = budget
        self._cost = cost
        self._space: SearchSpace | None = None
        self._fixed: Mapping[str, Any] = {}
        self._costs: dict[bytes, float] = {}

    @classmethod
    def of(cls, cost: Cost | None, budget: float | None) -> RowCosts | None:
        """Return the costs of rows, or None if they are not known in advance."""
        return cls(cost, budget) if isinstance(cost, KnownCost) else None

    def __getstate__(self) -> dict[str, object]:
        """Leave out the costs, which are computed again."""
        return {**self.__dict__, "_space": None, "_fixed": {}, "_costs": {}}

    def __call__(
        self, space: SearchSpace, fixed: Mapping[str, Any], rows: Rows
    ) -> Float[ndarray, " n"]:
        """Return the cost of each row of a space, with the fixed parameters."""
        if (space, fixed) != (self._space, self._fixed) or len(self._costs) > MAX_REMEMBERED:
            self._space, self._fixed, self._costs = space, fixed, {}
        keys = row_keys(rows)
        new = {key: i for i, key in enumerate(keys) if key not in self._costs}
        configurations = space.configurations(rows[list(new.values())])
        for key, params in zip(new, configurations, strict=True):
            self._costs[key] = self._one(space, {**fixed, **params})
        return np.array([self._costs[key] for key in keys], dtype=np.float64)

    def _one(self, space: SearchSpace, params: dict[str, Any]) -> float:
        """Return the cost of parameters of which some may be inactive or not in the space yet.

        A function that fails without these gets the middle of their ranges.
        """
        try:
            return self._cost(params)
        except (KeyError, TypeError):
            if all(name in params for name in space.names):
                raise
            return self._cost({**_middle(space), **params})

    def excess(
        self, space: SearchSpace, fixed: Mapping[str, Any], rows: Rows
    ) -> Float[ndarray, " n"]:
        """Return by how much each row exceeds the budget; 0 within it or without one."""
        if self.budget is None:
            return np.zeros(len(rows))
        return np.maximum(self(space, fixed, rows) - self.budget, 0.0)


def _middle(space: SearchSpace) -> dict[str, Any]:
    """Return the configuration in the middle of all ranges."""
    decisions = SearchSpace(space.decisions)  # without conditions: none is inactive
    return decisions.configurations(decisions.from_uniform(np.full((1, len(space.names)), 0.5)))[0]


def as_weights(cost_weight: float | Sequence[float]) -> tuple[float, ...]:
    """Return the weights of a sequence, or the only one."""
    return tuple(float(weight) for weight in np.atleast_1d(np.asarray(cost_weight)))


def check_costs(cost: Cost | None, weights: Sequence[float], budget: float | None) -> None:
    """Check a sampler's arguments about costs.

    Raises:
        ValueError: If a weight is not in [0, 1], there is none, the budget is not finite, or a
            positive weight or a budget stands without a cost.
    """
    for weight in weights:
        if not 0.0 <= weight <= 1.0:
            raise ValueError(f"cost_weight must be in [0, 1], but got {weight}.")
        if cost is None and weight:
            raise ValueError(f"cost_weight must be 0 without a cost, but got {weight}.")
    if not weights:
        raise ValueError("cost_weight must not be empty, but got ().")
    if budget is None:
        return
    if cost is None:
        raise ValueError(f"max_cost must be None without a cost, but got {budget}.")
    if not math.isfinite(budget):
        raise ValueError(f"max_cost must be finite, but got {budget}.")


class KnownCostCheck:
    """Check that a known cost can be computed, once for each set of parameters.

    So a misspelt name shows at the first complete trial. Trials of earlier runs may lack
    parameters that the cost is now computed from, so they are not checked.

    Args:
        cost: A trial's cost; one that is not known in advance needs no check.
    """

    def __init__(self, cost: Cost | None) -> None:
        self._cost = cost
        self._checked: set[frozenset[str]] = set()

    def __call__(self, trial: FrozenTrial) -> None:
        """Compute the cost of a complete trial.

        Raises:
            ValueError: If that fails.
        """
        names = frozenset(trial.params)
        if not isinstance(self._cost, KnownCost) or names in self._checked:
            return
        try:
            self._cost(trial.params)
        except Exception as error:
            raise ValueError(
                f"cost must be a number for the parameters of each trial, but got "
                f"{type(error).__name__}: {error} for {trial.params}."
            ) from error
        self._checked.add(names)
