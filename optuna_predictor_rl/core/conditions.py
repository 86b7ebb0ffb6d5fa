"""Conditions: a decision is active only for some choices, or in some range, of another one."""

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

    def holds(self, positions: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return where the parent's positions make the child active; an inactive one does not."""
        return np.isin(positions, list(self.choices))


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

    def holds(self, positions: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return where the parent's positions make the child active; an inactive one does not."""
        return (positions >= self.low) & (positions <= self.high)


AnyCondition = Condition | RangeCondition
