"""The part of a study's space in which a trial's parameters are looked for; the rest is held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from optuna.distributions import BaseDistribution

from optuna_predictor_rl.core.space import Rows, SearchSpace
from optuna_predictor_rl.core.translation import translated
from optuna_predictor_rl.data.linked_ranges import LinkedRange
from optuna_predictor_rl.study.distributions import known_part, to_space


@dataclass(frozen=True, eq=False)
class Scope:
    """The free decisions of a search, in the ranges in which it may look for values.

    Args:
        model: The space of the study's trials, with its conditions.
        space: The free decisions: those of the model, or some, or narrower ones.
        held: The row of the decisions that are not free, NaN if they are inactive.
        linked_ranges: Ranges of free decisions that move with others.
    """

    model: SearchSpace
    space: SearchSpace
    held: Float[ndarray, " d"]
    linked_ranges: tuple[LinkedRange, ...] = ()

    @classmethod
    def of(
        cls,
        model: SearchSpace,
        search_space: Mapping[str, BaseDistribution],
        given: Mapping[str, Any],
        removed: frozenset[int] = frozenset(),
        linked_ranges: tuple[LinkedRange, ...] = (),
    ) -> Scope:
        """Return the scope of a trial.

        Args:
            model: The space of the study's trials.
            search_space: The parameters that the trial is to be given, with their ranges.
            given: Parameters that the trial has anyway.
            removed: Decisions that the objective no longer suggests.
            linked_ranges: Ranges that move with other decisions.
        """
        gone = {model.decisions[j].name for j in removed}
        free = [n for n in model.names if n in search_space and n not in given and n not in gone]
        held = model.rows([known_part(given, model)])[0]
        space = to_space({name: search_space[name] for name in free})
        if space.decisions == model.decisions:
            space = model
        return cls(model, space, held, tuple(r for r in linked_ranges if np.isnan(held[r.child])))

    @property
    def is_everything(self) -> bool:
        """Return whether nothing is held, and no range is narrower."""
        return self.space is self.model

    @cached_property
    def key(self) -> str:
        """Return a text that is the same for the same scope of the same trials."""
        return "" if self.is_everything else repr((self.space, self.held.tolist()))

    def to_model(self, rows: Rows) -> Rows:
        """Return rows of the free space as rows of the model, with the held decisions."""
        if self.is_everything and not self.linked_ranges:
            return self.model.canonical(rows)
        found = rows.copy()
        if not self.is_everything:
            found = translated(rows, self.space, self.model, self.held)
        for linked in self.linked_ranges:
            linked.confine(found)
        return self.model.canonical(found)

    def to_free(self, rows: Rows) -> Rows:
        """Return the rows of the free space that are closest to rows of the model."""
        if self.is_everything:
            return rows
        return translated(rows, self.model, self.space, np.empty(len(self.space.decisions)))
