"""A search space as a product of decisions, and its rows: the form in which core handles points.

A *row* holds one number a decision: the position in [0, 1] of a numeric decision (on a log scale
where the decision asks for one), the index of the choice of a categorical one. Rows are what the
policy samples and what `encode` turns into the predictor's input.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optuna_predictor_rl.core.conditions import AnyCondition
from optuna_predictor_rl.core.conditions import Condition as Condition

Rows = NDArray[np.float64]


def row_keys(rows: Rows) -> list[bytes]:
    """A key for each row, the same for the same configuration whatever the rounding errors."""
    rounded = np.nan_to_num(np.round(rows, 12), nan=-1.0) + 0.0  # no negative zeros
    return [row.tobytes() for row in np.ascontiguousarray(rounded)]


@dataclass(frozen=True, kw_only=True)
class Numeric:
    """A decision on an interval: continuous, stepped or integer, linear or logarithmic.

    Args:
        name: The decision's name.
        low: Smallest value.
        high: Largest value; with a step it must be a member, `low + k * step`.
        log: Whether positions are taken on a log scale.
        step: Distance of neighbouring values; None is continuous.
        integer: Whether values are decoded as `int`.

    Raises:
        ValueError: If the interval is empty or not finite, the step is not positive, or a log
            scale starts at or below zero.
    """

    name: str
    low: float
    high: float
    log: bool = False
    step: float | None = None
    integer: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            raise ValueError(
                f"low and high of {self.name!r} must be finite with low <= high, "
                f"but got {self.low} and {self.high}."
            )
        if self.step is not None and not self.step > 0:
            raise ValueError(f"step of {self.name!r} must be positive, but got {self.step}.")
        if self.log and not self.low > 0:
            raise ValueError(
                f"low of {self.name!r} must be positive for log=True, but got {self.low}."
            )

    @property
    def n_values(self) -> int | None:
        """Number of members, or None if the decision is continuous."""
        if self.low == self.high:
            return 1
        return None if self.step is None else round((self.high - self.low) / self.step) + 1

    def position(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Positions in [0, 1] of values; values outside of the interval are clipped."""
        if self.low == self.high:
            return np.zeros_like(values)
        values = np.clip(values, self.low, self.high)
        if self.log:
            low, high = np.log(self.low), np.log(self.high)
            return np.clip((np.log(values) - low) / (high - low), 0.0, 1.0)
        if math.isfinite(self.high - self.low):
            return np.clip((values - self.low) / (self.high - self.low), 0.0, 1.0)
        half = self.high / 2 - self.low / 2
        return np.clip((values / 2 - self.low / 2) / half, 0.0, 1.0)

    def value(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """The members nearest to positions in [0, 1]."""
        positions = np.clip(positions, 0.0, 1.0)
        if self.log:
            low, high = math.log(self.low), math.log(self.high)
            values = np.exp(low + positions * (high - low))
            values = np.where(positions == 0.0, self.low, values)
            values = np.where(positions == 1.0, self.high, values)
        else:  # a convex combination, since high - low may overflow
            values = self.low * (1.0 - positions) + self.high * positions
        if self.step is not None:
            values = self.low + np.round((values - self.low) / self.step) * self.step
        return np.clip(values, self.low, self.high)

    def from_uniform(self, uniform: NDArray[np.float64]) -> NDArray[np.float64]:
        """Positions of members, uniform over the decision if `uniform` is over [0, 1).

        Members of a stepped logarithmic decision get the mass of the interval around them.
        """
        if self.n_values is None or self.n_values == 1:
            return self.position(self.value(uniform))
        if not self.log:
            return self.snap(np.floor(uniform * self.n_values) / (self.n_values - 1))
        assert self.step is not None
        low = math.log(max(self.low - self.step / 2, self.low / 2))
        high = math.log(self.high + self.step / 2)
        values = np.exp(low + uniform * (high - low))
        return self.snap(self.position(values))

    def snap(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """The positions of the members nearest to positions."""
        if self.step is None:
            return np.clip(positions, 0.0, 1.0)
        return self.position(self.value(positions))

    @cached_property
    def member_positions(self) -> NDArray[np.float64]:
        """Positions of all members in ascending order; the decision must not be continuous."""
        assert self.n_values is not None
        step = self.step or 0.0
        return self.position(self.low + step * np.arange(self.n_values, dtype=np.float64))

    def decode(self, position: float) -> int | float:
        """The member at a position, as a plain Python number."""
        value = float(self.value(np.asarray([position]))[0])
        return round(value) if self.integer else value


@dataclass(frozen=True, kw_only=True)
class Categorical:
    """A decision among choices of any kind; its position is the index of the choice.

    Args:
        name: The decision's name.
        choices: The choices, distinct.

    Raises:
        ValueError: If there are no choices.
    """

    name: str
    choices: tuple[Any, ...]

    def __post_init__(self) -> None:
        if not self.choices:
            raise ValueError(f"choices of {self.name!r} must not be empty, but got ().")

    @property
    def n_values(self) -> int:
        """Number of choices."""
        return len(self.choices)

    @cached_property
    def ordinal(self) -> NDArray[np.float64] | None:
        """Positions in [0, 1] of choices that carry an order, or None if they carry none.

        Three or more distinct finite numbers do, such as (16, 32, 64): on a log scale if all are
        positive and span a factor of ten or more between largest and smallest.
        """
        numbers = [c for c in self.choices if type(c) in (int, float) and math.isfinite(c)]
        if len(numbers) < len(self.choices) or len(set(numbers)) < max(3, len(numbers)):
            return None
        values = np.asarray(numbers, dtype=np.float64)
        log = bool(values.min() > 0 and values.max() >= 10 * values.min())
        low, high = float(values.min()), float(values.max())
        return Numeric(name=self.name, low=low, high=high, log=log).position(values)

    def index(self, value: object) -> int:
        """The index of a choice; True is not 1, and NaN is NaN.

        Raises:
            ValueError: If the value is none of the choices.
        """
        try:
            return self._exact[type(value), value]
        except (KeyError, TypeError):  # neither a choice of this very type, nor hashable
            pass
        for exact in (True, False):
            for i, choice in enumerate(self.choices):
                if _is_choice(value, choice, exact=exact):
                    return i
        raise ValueError(
            f"value of {self.name!r} must be one of {self.choices}, but got {value!r}."
        )

    @cached_property
    def _exact(self) -> dict[tuple[type, Any], int]:
        """The index of each hashable choice: a look-up, since rows are made by the 100,000."""
        pairs = [(choice, i) for i, choice in enumerate(self.choices)]
        hashable = [(c, i) for c, i in reversed(pairs) if isinstance(c, Hashable)]
        return {(type(choice), choice): i for choice, i in hashable}

    def from_uniform(self, uniform: NDArray[np.float64]) -> NDArray[np.float64]:
        """Indices of choices, uniform if `uniform` is over [0, 1)."""
        return np.floor(uniform * len(self.choices))

    def snap(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """The indices nearest to positions."""
        return np.clip(np.round(positions), 0, len(self.choices) - 1)

    def decode(self, position: float) -> Any:
        """The choice at an index."""
        return self.choices[int(position)]


def _is_choice(value: object, choice: object, *, exact: bool) -> bool:
    if exact and type(value) is not type(choice):
        return False
    both_nan = value != value and choice != choice
    return both_nan or bool(value == choice)


Decision = Numeric | Categorical


@dataclass(frozen=True)
class SearchSpace:
    """A product of decisions, some of which may be active only under a condition.

    Args:
        decisions: The decisions, in the order of a row's columns.
        conditions: When conditional decisions are active; the others always are.

    Raises:
        ValueError: If two decisions have the same name, or a condition names a later parent.

    Example:
        >>> space = SearchSpace((
        ...     Categorical(name="width", choices=(16, 32, 64)),
        ...     Numeric(name="lr", low=1e-4, high=1e-2, log=True),
        ... ))
        >>> rows = space.rows([{"width": 32, "lr": 1e-3}])
        >>> rows.round(6).tolist()
        [[1.0, 0.5]]
        >>> space.configurations(rows)[0]["width"]
        32
    """

    decisions: tuple[Decision, ...]
    conditions: tuple[AnyCondition, ...] = ()

    def __post_init__(self) -> None:
        names = [decision.name for decision in self.decisions]
        if len(set(names)) < len(names):
            raise ValueError(f"decisions must have distinct names, but got {names}.")
        for condition in self.conditions:
            if not 0 <= condition.parent < condition.child < len(names):
                raise ValueError(f"a parent must precede its child, but got {condition}.")

    @property
    def names(self) -> list[str]:
        """The decisions' names, in their order."""
        return [decision.name for decision in self.decisions]

    @property
    def size(self) -> float:
        """Number of rows, infinite if a decision is continuous; conditions are not counted."""
        return float(math.prod(d.n_values or math.inf for d in self.decisions))

    @cached_property
    def _alike(self) -> list[tuple[Decision, list[int]]]:
        """Decisions whose positions mean the same, by their columns: they are handled at once."""
        columns: dict[object, list[int]] = {}
        for j, d in enumerate(self.decisions):
            key = d.n_values if isinstance(d, Categorical) else (d.low, d.high, d.log, d.step)
            columns.setdefault(key, []).append(j)
        return [(self.decisions[js[0]], js) for js in columns.values()]

    def rows(self, configurations: Sequence[Mapping[str, Any]]) -> Rows:
        """The rows of configurations, (n, decisions); a decision that one lacks is NaN.

        Raises:
            ValueError: If a categorical value is none of its decision's choices.
        """
        rows = np.full((len(configurations), len(self.decisions)), np.nan)
        for alike, columns in self._alike:
            if isinstance(alike, Numeric):
                names = [self.decisions[j].name for j in columns]
                found = [[c.get(name, math.nan) for name in names] for c in configurations]
                values = np.array(found, dtype=np.float64).reshape(len(rows), len(names))
                rows[:, columns] = np.where(np.isnan(values), np.nan, alike.position(values))
        for j, decision in enumerate(self.decisions):
            if isinstance(decision, Categorical):
                has = [i for i, c in enumerate(configurations) if decision.name in c]
                rows[has, j] = [decision.index(configurations[i][decision.name]) for i in has]
        return rows

    def configurations(self, rows: Rows) -> list[dict[str, Any]]:
        """The configurations of rows: exact members of the space, as plain Python values.

        Inactive decisions, NaN in a row, are absent.
        """
        return [
            {
                decision.name: decision.decode(position)
                for decision, position in zip(self.decisions, row, strict=True)
                if not math.isnan(position)
            }
            for row in rows.tolist()
        ]

    def snap(self, rows: Rows) -> Rows:
        """The rows of the members nearest to rows."""
        snapped = np.empty(rows.shape)
        for alike, columns in self._alike:
            snapped[:, columns] = alike.snap(rows[:, columns])
        return self.canonical(snapped)

    def from_uniform(self, uniform: NDArray[np.float64]) -> Rows:
        """The rows at points of the unit cube, (n, decisions): uniform points, uniform members."""
        rows = np.empty(uniform.shape)
        for alike, columns in self._alike:
            rows[:, columns] = alike.from_uniform(uniform[:, columns])
        return self.canonical(rows)

    def random(self, n: int, rng: np.random.Generator) -> Rows:
        """Rows of n uniform, independent members."""
        return self.from_uniform(rng.random((n, len(self.decisions))))

    def canonical(self, rows: Rows) -> Rows:
        """The rows with inactive decisions set to NaN, in place."""
        for condition in sorted(self.conditions, key=lambda c: c.child):
            active = condition.holds(rows[:, condition.parent])
            rows[~active, condition.child] = np.nan
        return rows
