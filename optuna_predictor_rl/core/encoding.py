"""From rows of a search space to the predictor's input (section 3.1)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from optuna_predictor_rl.core.space import Categorical, Numeric, Rows, SearchSpace

FeatureKind = Literal["float", "one_hot", "ordinal", "share"]

BESIDE_ORDINAL = 0.1
"""Weight of the one-hot columns of choices that also have an ordinal one."""

SHARE = 2.0
"""Weight of shares: one decision of many changes them little, and yet as much as itself."""


@dataclass(frozen=True)
class Feature:
    """Columns that enter the input together: one view of one or several decisions.

    Args:
        kind: "float" (a position), "one_hot", "ordinal" (the order of numeric choices) or
            "share" (how many of several like decisions took each choice).
        decisions: Indices of the decisions it reads.
        table: Columns of each choice of a categorical decision; None for a float position.
    """

    kind: FeatureKind
    decisions: tuple[int, ...]
    table: Float[ndarray, "o c"] | None = None

    @property
    def width(self) -> int:
        """Number of columns."""
        return 1 if self.table is None else self.table.shape[1]

    @property
    def silence(self) -> Float[ndarray, " c"]:
        """Columns of a decision that is inactive: nothing, or the middle."""
        return np.full(self.width, 0.5 if self.kind in ("float", "ordinal") else 0.0)


@dataclass(frozen=True)
class Encoding:
    """One-hot and float encoding of a search space, (n, decisions) -> (n, columns).

    The paper encodes each decision as one-hot or float. `structured` adds what the choices of
    real spaces tell beyond their names:

    * numeric choices such as (16, 32, 64) get an ordinal column beside the one-hot ones;
    * three or more decisions with the same choices, such as the operations on a cell's edges,
      get the share of them that took each choice (or their mean position, if it is ordinal).

    Args:
        space: The search space.
        structured: Whether to add those columns.

    Example:
        >>> space = SearchSpace((Categorical(name="width", choices=(16, 32, 64)),))
        >>> Encoding(space)(space.rows([{"width": 32}])).round(2).tolist()
        [[0.0, 0.07, 0.0, 0.33]]
        >>> Encoding(space, structured=False)(space.rows([{"width": 32}])).tolist()
        [[0.0, 1.0, 0.0]]
    """

    space: SearchSpace
    structured: bool = True

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """The features, in the order of their columns."""
        single = [f for j in range(len(self.space.decisions)) for f in self._of_decision(j)]
        return tuple(single + (list(self._shares()) if self.structured else []))

    @cached_property
    def column_feature(self) -> Int[ndarray, " c"]:
        """The index of the feature of each column."""
        return np.repeat(np.arange(len(self.features)), [f.width for f in self.features])

    def __call__(self, rows: Rows) -> Float[ndarray, "n c"]:
        """The encoded rows."""
        missing = np.isnan(rows)
        options = np.where(missing, self._n_options, rows)[:, self._choices].astype(np.int64)
        encoded = self._table[self._offsets[self._choices] + options].sum(axis=1)
        for column, j in self._float_columns:
            encoded[:, column] = np.where(missing[:, j], 0.5, rows[:, j])
        return encoded

    @cached_property
    def _n_options(self) -> Int[ndarray, " d"]:
        decisions = self.space.decisions
        counts = [d.n_values if isinstance(d, Categorical) else 0 for d in decisions]
        return np.array(counts, dtype=np.int64)

    @cached_property
    def _choices(self) -> Int[ndarray, " q"]:
        return np.flatnonzero(self._n_options)

    @cached_property
    def _offsets(self) -> Int[ndarray, " d"]:
        """Where the options of each decision, and then its silence, start in the table."""
        return np.cumsum(self._n_options + 1) - (self._n_options + 1)

    @cached_property
    def _float_columns(self) -> list[tuple[int, int]]:
        """The columns that are positions, and the decisions whose positions they are."""
        kinds = [self.features[f].kind for f in self.column_feature]
        columns = [c for c, kind in enumerate(kinds) if kind == "float"]
        return [(c, self.features[self.column_feature[c]].decisions[0]) for c in columns]

    @cached_property
    def _table(self) -> Float[ndarray, "o c"]:
        """What each option of each decision adds to each column: encoding is one look-up."""
        table = np.zeros((int((self._n_options + 1).sum()), len(self.column_feature)))
        for f, feature in enumerate(self.features):
            if feature.table is not None:
                share = np.append(feature.table, feature.silence[None], 0) / len(feature.decisions)
                for j in feature.decisions:
                    start = self._offsets[j]
                    table[start : start + len(share), self.column_feature == f] = share
        return table

    def _of_decision(self, j: int) -> Iterator[Feature]:
        decision = self.space.decisions[j]
        if isinstance(decision, Numeric):
            yield Feature("float", (j,))
        elif not self.structured:
            yield Feature("one_hot", (j,), np.eye(decision.n_values))
        elif decision.ordinal is None:
            # Choices that differ are at distance 1, like the ends of a float decision.
            yield Feature("one_hot", (j,), math.sqrt(0.5) * np.eye(decision.n_values))
        else:
            # NOTE[paper]: numeric choices get an ordinal column beside the one-hot ones.
            weight = BESIDE_ORDINAL * math.sqrt(0.5)
            yield Feature("one_hot", (j,), weight * np.eye(decision.n_values))
            yield Feature("ordinal", (j,), decision.ordinal[:, None])

    def _shares(self) -> Iterator[Feature]:
        # NOTE[paper]: shares of choices over decisions that are alike.
        alike: dict[str, list[int]] = {}
        for j, decision in enumerate(self.space.decisions):
            if isinstance(decision, Categorical) and decision.n_values > 1:
                alike.setdefault(repr(decision.choices), []).append(j)
        for members in alike.values():
            decision = self.space.decisions[members[0]]
            if len(members) >= 3 and isinstance(decision, Categorical):
                ordinal = decision.ordinal
                table = np.eye(decision.n_values) if ordinal is None else ordinal[:, None]
                yield Feature("share", tuple(members), SHARE * table)
