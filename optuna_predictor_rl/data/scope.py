"""What of a study's space a trial's search is free in; the rest is held."""

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
from optuna_predictor_rl.data.linked_ranges import Follower
from optuna_predictor_rl.study.distributions import known_part, to_space


@dataclass(frozen=True, eq=False)
class Scope:
    """The decisions that a search is free in, in the ranges in which it may look for values.

    Args:
        model: The space of the study's trials, with its conditions.
        space: The free decisions: those of the model, or some, or narrower ones.
        held: The row of the decisions that are not free, NaN if they are inactive.
        followers: The decisions whose ranges follow others.
    """

    model: SearchSpace
    space: SearchSpace
    held: Float[ndarray, " d"]
    followers: tuple[Follower, ...] = ()

    @classmethod
    def of(
        cls,
        model: SearchSpace,
        search_space: Mapping[str, BaseDistribution],
        given: Mapping[str, Any],
        dropped: frozenset[int] = frozenset(),
        followers: tuple[Follower, ...] = (),
    ) -> Scope:
        """The scope of a trial.

        Args:
            model: The space of the study's trials.
            search_space: The parameters that the trial is to be given, with their ranges.
            given: Parameters that are known before, whatever the search finds.
            dropped: Decisions that the trial is not expected to be asked for.
            followers: The decisions whose ranges follow others.
        """
        silent = {model.decisions[j].name for j in dropped}
        names = [d.name for d in model.decisions]
        free = [n for n in names if n in search_space and n not in given and n not in silent]
        held = model.rows([known_part(given, model)])[0]
        space = to_space({name: search_space[name] for name in free})
        if space.decisions == model.decisions:
            space = model
        return cls(model, space, held, tuple(f for f in followers if np.isnan(held[f.child])))

    @property
    def is_everything(self) -> bool:
        """Whether nothing is held, and no range is narrower."""
        return self.space is self.model

    @cached_property
    def key(self) -> str:
        """The same for the same scope of the same trials."""
        return "" if self.is_everything else repr((self.space, self.held.tolist()))

    def lift(self, rows: Rows) -> Rows:
        """Rows of the model that have free decisions as rows of the free space do."""
        if self.is_everything and not self.followers:
            return self.model.canonical(rows)
        lifted = rows.copy()
        if not self.is_everything:
            lifted = translated(rows, self.space, self.model, self.held)
        for follower in self.followers:
            follower.confine(lifted)
        return self.model.canonical(lifted)

    def lower(self, rows: Rows) -> Rows:
        """The rows of the free space that are closest to rows of the model."""
        if self.is_everything:
            return rows
        return translated(rows, self.model, self.space, np.empty(len(self.space.decisions)))
