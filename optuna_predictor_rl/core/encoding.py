"""From rows of a search space to the predictor's input (section 3.1)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from optuna_predictor_rl.core.decisions import Categorical, Numeric
from optuna_predictor_rl.core.space import Rows, SearchSpace

FeatureKind = Literal["float", "one_hot", "ordinal", "share"]

BESIDE_ORDINAL = 0.1
"""Weight of the one-hot columns of choices that also have an ordinal one."""

SHARE = 2.0
"""Weight of shares: one of several decisions changes a share little, yet matters as much."""

MANY_CHOICES = 64
"""Choices of a decision up to which each has a one-hot column of its own."""

N_SHARED = 32
"""Columns that the choices without trials share in a decision of more choices."""


@dataclass(frozen=True)
class Feature:
    """Columns that enter the input together: one view of one or several decisions.

    Args:
        kind: "float" (a position), "one_hot", "ordinal" (the order of numeric choices) or
            "share" (how many of several like decisions took each choice).
        decisions: Indices of the decisions it reads.
        column: The column, of the feature's own, that each choice adds to; None for a float
            position.
        value: What each choice adds to its column; None for a float position.
    """

    kind: FeatureKind
    decisions: tuple[int, ...]
    column: Int[ndarray, " o"] | None = None
    value: Float[ndarray, " o"] | None = None

    @property
    def width(self) -> int:
        """Return the number of columns."""
        return 1 if self.column is None else int(self.column.max()) + 1

    @property
    def inactive_value(self) -> float:
        """Return what an inactive decision adds to the first column: nothing, or the middle."""
        return 0.5 if self.kind in ("float", "ordinal") else 0.0


@dataclass(frozen=True)
class _Additions:
    """What choices add to columns: a part for each pair of a decision and a feature that reads it.

    Args:
        decision: The decision of each part.
        start: Where each part starts in the arrays below.
        column: The column that each choice, and after them no choice, adds to.
        value: What it adds.
    """

    decision: Int[ndarray, " p"]
    start: Int[ndarray, " p"]
    column: Int[ndarray, " e"]
    value: Float[ndarray, " e"]


@dataclass(frozen=True)
class Encoding:
    """One-hot and float encoding of a search space, (n, decisions) -> (n, columns).

    The paper encodes each decision as one-hot or float. `structured` adds what the choices of
    real spaces tell beyond their names; the mean regret after 25 trials is .068 with it and .107
    without (`benchmarks/search/ablations.py`):

    * numeric choices such as (16, 32, 64) get an ordinal column beside the one-hot ones;
    * three or more decisions with the same choices, such as the operations on a cell's edges,
      get the share of them that took each choice (or their mean position, if it is ordinal).

    In a decision of more than 64 choices only those that trials have had get a one-hot column of
    their own, and the others share 32 in turn: a model of the trials cannot tell them apart, and
    thousands of columns would be expensive.

    Args:
        space: The search space.
        structured: Whether to add those columns.
        trials: Rows of the trials, (n, decisions); None gives every choice its own column.

    Example:
        >>> space = SearchSpace((Categorical(name="width", choices=(16, 32, 64)),))
        >>> Encoding(space)(space.rows([{"width": 32}])).round(2).tolist()
        [[0.0, 0.07, 0.0, 0.33]]
        >>> Encoding(space, structured=False)(space.rows([{"width": 32}])).tolist()
        [[0.0, 1.0, 0.0]]
    """

    space: SearchSpace
    structured: bool = True
    trials: Rows | None = field(default=None, compare=False, repr=False)

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """Return the features, in the order of their columns."""
        single = [f for j in range(len(self.space.decisions)) for f in self._of_decision(j)]
        return tuple(single + (list(self._shares()) if self.structured else []))

    @cached_property
    def column_feature(self) -> Int[ndarray, " c"]:
        """Return the index of the feature of each column."""
        return np.repeat(np.arange(len(self.features)), [f.width for f in self.features])

    def __call__(self, rows: Rows) -> Float[ndarray, "n c"]:
        """Return the encoded rows."""
        encoded = np.zeros((len(rows), len(self.column_feature)))
        missing = np.isnan(rows)
        additions = self._additions
        options = np.where(missing, self._n_options, rows)[:, additions.decision]
        index = additions.start + options.astype(np.int64)
        place = encoded.shape[1] * np.arange(len(rows))[:, None] + additions.column[index]
        # `add.at`, as alike decisions of one row may add to the same column of a share.
        np.add.at(encoded.reshape(-1), place, additions.value[index])
        columns, decisions = self._float_columns
        encoded[:, columns] = np.where(missing[:, decisions], 0.5, rows[:, decisions])
        return encoded

    @cached_property
    def _n_options(self) -> Int[ndarray, " d"]:
        decisions = self.space.decisions
        counts = [d.n_values if isinstance(d, Categorical) else 0 for d in decisions]
        return np.array(counts, dtype=np.int64)

    @cached_property
    def _float_columns(self) -> tuple[list[int], list[int]]:
        """Return the columns that are positions, and the decisions whose positions they are."""
        kinds = [self.features[f].kind for f in self.column_feature]
        columns = [c for c, kind in enumerate(kinds) if kind == "float"]
        return columns, [self.features[self.column_feature[c]].decisions[0] for c in columns]

    @cached_property
    def _additions(self) -> _Additions:
        decision, length, column, value = [], [], [np.empty(0, np.int64)], [np.empty(0)]
        for first, feature in zip(self._first_columns, self.features, strict=True):
            if feature.column is not None and feature.value is not None:
                columns = first + np.append(feature.column, 0)
                values = np.append(feature.value, feature.inactive_value) / len(feature.decisions)
                for j in feature.decisions:
                    decision.append(j)
                    length.append(len(columns))
                    column.append(columns)
                    value.append(values)
        start = np.cumsum(length, dtype=np.int64) - np.array(length, dtype=np.int64)
        return _Additions(
            np.array(decision, dtype=np.int64),
            start,
            np.concatenate(column),
            np.concatenate(value),
        )

    @property
    def _first_columns(self) -> Int[ndarray, " f"]:
        widths = np.array([f.width for f in self.features], dtype=np.int64)
        return np.cumsum(widths) - widths

    def _one_hot(self, decisions: Sequence[int], n_choices: int) -> Int[ndarray, " o"]:
        """Return the one-hot column of each choice of a decision, or of several that are alike."""
        if self.trials is None or n_choices <= MANY_CHOICES:
            return np.arange(n_choices)
        tried = self.trials[:, decisions]
        own = np.unique(tried[~np.isnan(tried)]).astype(np.int64)
        others = np.setdiff1d(np.arange(n_choices), own)
        column = np.empty(n_choices, dtype=np.int64)
        column[own] = np.arange(len(own))
        column[others] = len(own) + np.arange(len(others)) % N_SHARED
        return column

    def _of_decision(self, j: int) -> Iterator[Feature]:
        decision = self.space.decisions[j]
        if isinstance(decision, Numeric):
            yield Feature("float", (j,))
            return
        n_choices, ordinal = decision.n_values, decision.ordinal if self.structured else None
        # Choices that differ are at distance 1, like the ends of a float decision.
        weight = math.sqrt(0.5) if self.structured else 1.0
        if ordinal is not None:
            # NOTE[paper]: numeric choices get an ordinal column beside the one-hot ones.
            weight *= BESIDE_ORDINAL
        yield Feature("one_hot", (j,), self._one_hot([j], n_choices), np.full(n_choices, weight))
        if ordinal is not None:
            yield Feature("ordinal", (j,), np.zeros(n_choices, dtype=np.int64), ordinal)

    def _shares(self) -> Iterator[Feature]:
        # NOTE[paper]: shares of choices over decisions that are alike.
        alike: dict[str, list[int]] = {}
        for j, decision in enumerate(self.space.decisions):
            if isinstance(decision, Categorical) and decision.n_values > 1:
                alike.setdefault(repr(decision.choices), []).append(j)
        for members in alike.values():
            decision = self.space.decisions[members[0]]
            if len(members) >= 3 and isinstance(decision, Categorical):
                n_choices, ordinal = decision.n_values, decision.ordinal
                column, value = self._one_hot(members, n_choices), np.ones(n_choices)
                if ordinal is not None:
                    column, value = np.zeros(n_choices, dtype=np.int64), ordinal
                yield Feature("share", tuple(members), column, SHARE * value)
