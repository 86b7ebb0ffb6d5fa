"""A search space as a product of decisions, and its rows: the form in which core handles points.

A row holds the position of each decision, NaN if it is inactive. Rows are what the policy samples
and what `Encoding` turns into the predictor's input.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optuna_predictor_rl.core.conditions import AnyCondition
from optuna_predictor_rl.core.decisions import Categorical, Decision, Numeric

Rows = NDArray[np.float64]


def row_keys(rows: Rows) -> list[bytes]:
    """Return a key of each row, the same for the same configuration despite rounding errors."""
    rounded = np.nan_to_num(np.round(rows, 12), nan=-1.0) + 0.0  # no negative zeros
    return [row.tobytes() for row in np.ascontiguousarray(rounded)]


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
            inside = all(0 <= parent < condition.child for parent in condition.parents)
            if not inside or condition.child >= len(names):
                raise ValueError(f"a parent must precede its child, but got {condition}.")

    @property
    def names(self) -> list[str]:
        """Return the decisions' names, in their order."""
        return [decision.name for decision in self.decisions]

    @property
    def size(self) -> float:
        """Return the number of rows, ignoring conditions; infinite if a decision is continuous."""
        return float(math.prod(d.n_values or math.inf for d in self.decisions))

    @cached_property
    def _alike(self) -> list[tuple[Decision, list[int]]]:
        """Return decisions whose positions mean the same with their columns, handled at once."""
        columns: dict[object, list[int]] = {}
        for j, d in enumerate(self.decisions):
            key = d.n_values if isinstance(d, Categorical) else (d.low, d.high, d.log, d.step)
            columns.setdefault(key, []).append(j)
        return [(self.decisions[js[0]], js) for js in columns.values()]

    def rows(self, configurations: Sequence[Mapping[str, Any]]) -> Rows:
        """Return the rows of configurations, (n, decisions); a decision that one lacks is NaN.

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
        """Return the configurations of rows: exact members of the space, as plain Python values.

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
        """Return the rows of the members nearest to rows."""
        snapped = np.empty(rows.shape)
        for alike, columns in self._alike:
            snapped[:, columns] = alike.snap(rows[:, columns])
        return self.canonical(snapped)

    def from_uniform(self, uniform: NDArray[np.float64]) -> Rows:
        """Return the rows at points of the unit cube, (n, decisions), uniform if they are."""
        rows = np.empty(uniform.shape)
        for alike, columns in self._alike:
            rows[:, columns] = alike.from_uniform(uniform[:, columns])
        return self.canonical(rows)

    def random(self, n: int, rng: np.random.Generator) -> Rows:
        """Return rows of n uniform, independent members."""
        return self.from_uniform(rng.random((n, len(self.decisions))))

    def filled(self, rows: Rows, rng: np.random.Generator) -> Rows:
        """Return the rows with uniform values for all decisions that they lack, also inactive."""
        free = SearchSpace(self.decisions).random(len(rows), rng)
        return np.where(np.isnan(rows), free, rows)

    def canonical(self, rows: Rows) -> Rows:
        """Return the rows with inactive decisions set to NaN, in place."""
        for condition in sorted(self.conditions, key=lambda c: c.child):
            rows[~condition.holds(rows), condition.child] = np.nan
        return rows
