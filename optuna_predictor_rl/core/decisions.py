"""Decisions of a search space: a number of an interval, or one of several choices.

A position is a number in [0, 1] for a numeric decision and the index of the choice otherwise. The
members of a decision are the values that it may have.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_FEW_VALUES = 16
"""Most values of a stepped decision that are told apart one by one, as choices are."""


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
        """Return the number of members, or None if the decision is continuous."""
        if self.low == self.high:
            return 1
        return None if self.step is None else round((self.high - self.low) / self.step) + 1

    def position(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return positions in [0, 1] of values; values outside of the interval are clipped."""
        if self.low == self.high:
            return np.zeros_like(values)
        values = np.clip(values, self.low, self.high)
        if self.log:
            low, high = np.log(self.low), np.log(self.high)
            return np.clip((np.log(values) - low) / (high - low), 0.0, 1.0)
        if math.isfinite(self.high - self.low):
            return np.clip((values - self.low) / (self.high - self.low), 0.0, 1.0)
        half = self.high / 2 - self.low / 2  # as high - low overflows
        return np.clip((values / 2 - self.low / 2) / half, 0.0, 1.0)

    def value(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the members nearest to positions in [0, 1]."""
        positions = np.clip(positions, 0.0, 1.0)
        if self.log:
            low, high = math.log(self.low), math.log(self.high)
            values = np.exp(low + positions * (high - low))
            # The exponential of a logarithm may miss the ends by a rounding error.
            values = np.where(positions == 0.0, self.low, values)
            values = np.where(positions == 1.0, self.high, values)
        else:  # a convex combination, since high - low may overflow
            values = self.low * (1.0 - positions) + self.high * positions
        if self.step is not None:
            values = self.low + np.round((values - self.low) / self.step) * self.step
        return np.clip(values, self.low, self.high)

    def from_uniform(self, uniform: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return positions of members, uniform over the decision if `uniform` is over [0, 1).

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
        """Return the positions of the members nearest to positions."""
        if self.step is None:
            return np.clip(positions, 0.0, 1.0)
        return self.position(self.value(positions))

    @cached_property
    def member_positions(self) -> NDArray[np.float64]:
        """Return positions of all members, ascending; the decision must not be continuous."""
        assert self.n_values is not None
        step = self.step or 0.0
        return self.position(self.low + step * np.arange(self.n_values, dtype=np.float64))

    def decode(self, position: float) -> int | float:
        """Return the member at a position, as a plain Python number."""
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
        """Return the number of choices."""
        return len(self.choices)

    @cached_property
    def ordinal(self) -> NDArray[np.float64] | None:
        """Return positions in [0, 1] of choices that carry an order, or None if they carry none.

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
        """Return the index of a choice; True is not 1, and NaN is NaN.

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
        """Return the index of each hashable choice: rows are made by the 100,000."""
        pairs = [(choice, i) for i, choice in enumerate(self.choices)]
        hashable = [(c, i) for c, i in reversed(pairs) if isinstance(c, Hashable)]
        return {(type(choice), choice): i for choice, i in hashable}

    def from_uniform(self, uniform: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return indices of choices, uniform if `uniform` is over [0, 1)."""
        return np.floor(uniform * len(self.choices))

    def snap(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the indices nearest to positions."""
        return np.clip(np.round(positions), 0, len(self.choices) - 1)

    def decode(self, position: float) -> Any:
        """Return the choice at an index."""
        return self.choices[int(position)]


def _is_choice(value: object, choice: object, *, exact: bool) -> bool:
    if exact and type(value) is not type(choice):
        return False
    both_nan = value != value and choice != choice
    return both_nan or bool(value == choice)


Decision = Numeric | Categorical


def has_few_values(decision: Decision) -> bool:
    """Return whether the values are choices, or as few as choices are."""
    values = decision.n_values
    return isinstance(decision, Categorical) or (values is not None and values <= MAX_FEW_VALUES)
