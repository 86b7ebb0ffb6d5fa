"""Conditions: a decision is active only for some choices, or in some range, of other ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Condition:
    """A decision that is active only for some choices of an earlier, categorical one.

    Args:
        child: Index of the conditional decision.
        parent: Index of the decision it depends on, smaller than `child`.
        choices: Indices of the parent's choices for which the child is active.
    """

    child: int
    parent: int
    choices: frozenset[int]

    @property
    def parents(self) -> tuple[int, ...]:
        """Return the indices of the decisions that it reads."""
        return (self.parent,)

    def holds(self, rows: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return in which rows the parent makes the child active; an inactive one does not."""
        return np.isin(rows[:, self.parent], list(self.choices))


@dataclass(frozen=True)
class RangeCondition:
    """A decision that is active only in a range of an earlier, numeric one.

    Args:
        child: Index of the conditional decision.
        parent: Index of the decision it depends on, smaller than `child`.
        low: Smallest position of the parent in which the child is active.
        high: Largest one.
    """

    child: int
    parent: int
    low: float
    high: float

    @property
    def parents(self) -> tuple[int, ...]:
        """Return the indices of the decisions that it reads."""
        return (self.parent,)

    def holds(self, rows: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return in which rows the parent makes the child active; an inactive one does not."""
        return (rows[:, self.parent] >= self.low) & (rows[:, self.parent] <= self.high)


OfOneParent = Condition | RangeCondition


@dataclass(frozen=True)
class AnyOf:
    """A decision that is active where one of several alternatives holds.

    Args:
        child: Index of the conditional decision.
        alternatives: Each is conditions of the child, all of which must hold.
    """

    child: int
    alternatives: tuple[tuple[OfOneParent, ...], ...]

    @property
    def parents(self) -> tuple[int, ...]:
        """Return the indices of the decisions that it reads."""
        return tuple(sorted({c.parent for every in self.alternatives for c in every}))

    def holds(self, rows: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return in which rows one alternative makes the child active."""
        found = np.zeros(len(rows), dtype=bool)
        for every in self.alternatives:
            found |= np.all([condition.holds(rows) for condition in every], axis=0)
        return found


AnyCondition = OfOneParent | AnyOf
