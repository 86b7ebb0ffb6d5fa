"""What a trial of a study is given: its history is read, searched, and a configuration claimed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from optuna.distributions import BaseDistribution
from optuna.logging import get_logger
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl import _storage
from optuna_predictor_rl.core.space import Rows, row_keys
from optuna_predictor_rl.costs import Cost
from optuna_predictor_rl.distributions import to_numbers, union_search_space
from optuna_predictor_rl.history import (
    History,
    finished_numbers,
    label,
    read_given,
    read_history,
)
from optuna_predictor_rl.parameters import complete, first_unseen
from optuna_predictor_rl.running import running_label
from optuna_predictor_rl.scalarization import with_one_objective
from optuna_predictor_rl.startup import Startup
from optuna_predictor_rl.suggestion import Knowledge, Search, Suggester
from optuna_predictor_rl.warm_start import WarmStart

N_CLAIMS = 8
"""How often a trial looks for something else when others have been given the same."""

N_FALLBACK = 256
"""Random configurations that are tried when all that was searched has been seen."""

_LOGGER = get_logger(f"optuna.{__name__}")


@dataclass(frozen=True)
class Claim:
    """What a trial has been given.

    Args:
        params: Its parameters.
        row: The same as a row, (1, decisions).
        search: The search they come from; None during the startup.
    """

    params: dict[str, Any]
    row: Rows
    search: Search | None


@dataclass
class Planner:
    """Finds what the trials of studies are given. It is not for two threads at once.

    Args:
        suggester: Fits and searches.
        startup: Picks the first trials.
        warm_start: Other searches.
        cost: Where a trial's cost is found.
        cost_weights: The alphas of Eq. (6), cycled.
        max_cost: Largest cost that a trial may have.
        n_startup_trials: Labelled trials before the predictor takes over.
        learn_from_running: Whether running trials teach their label.
        seed: Seed of all randomness.
    """

    suggester: Suggester
    startup: Startup
    warm_start: WarmStart
    cost: Cost | None
    cost_weights: Sequence[float]
    max_cost: float | None
    n_startup_trials: int
    learn_from_running: bool
    seed: int
    _warned: set[str] = field(default_factory=set)

    def claim(
        self, study: Study, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]
    ) -> Claim:
        """Parameters that no other trial is given, also if several workers ask at once.

        Each writes what it takes before it reads what the others have taken. So of two that take
        the same at least one notices, and takes what is best once those before it have theirs.
        """
        known, n_before = finished_numbers(study), 0
        history = self.history(study, search_space, trial.number)
        self._say_what_is_left_out(history)
        for _ in range(N_CLAIMS):
            row = self._pick(study, history, trial.number)
            for _ in range(n_before):
                history = history.expecting(row)
                row = self._pick(study, history, trial.number)
            rng = np.random.default_rng([self.seed, trial.number, 1])
            params = complete(history.space, row, rng)
            _storage.set_planned(study, trial, to_numbers(params, search_space))
            numbers, rows = read_given(
                study, history.space, search_space, known=known, current=trial.number
            )
            taken = history.space.canonical(history.space.rows([params]))
            (key,) = row_keys(taken)
            same = [n for n, k in zip(numbers, row_keys(rows), strict=True) if k == key]
            if not same:
                break
            n_before = sum(n < trial.number for n in same)
            history = replace(history, pending=rows)
        return Claim(params, taken, None if self._is_startup(history) else self.suggester.last)

    def search(self, study: Study, share: float | None = None) -> Search:
        """The search that the study's next suggestion rests on, or that under another alpha.

        Raises:
            ValueError: If the study has no finished trial with a parameter or a value, a complete
                trial without a cost, or a weight of the cost beside several objectives.
        """
        finished = _storage.trials(study, (TrialState.COMPLETE, TrialState.PRUNED))
        search_space = union_search_space(finished)
        if not search_space:
            raise ValueError("study must have a finished trial with a parameter, but has none.")
        number = len(study.get_trials(deepcopy=False))
        history = self.history(study, search_space, number)
        single = len(study.directions) == 1
        if not len(history.rows) or (single and all(label(t) is None for t in finished)):
            raise ValueError("study must have a finished trial with a value, but has none.")
        weight = self._next_weight(number) if share is None else self._weight(share)
        return self.suggester.search(history, weight, self._knowledge(study, history))

    def history(
        self, study: Study, search_space: Mapping[str, BaseDistribution], number: int
    ) -> History:
        """The study's trials as one of a number sees them.

        Raises:
            ValueError: If a complete trial has no cost, or the cost has a weight beside several
                objectives.
        """
        several = len(study.directions) > 1
        if several and any(self.cost_weights):
            raise ValueError(
                "cost_weight must be 0 in a study with several objectives, of which the cost may "
                f"be one, but got {tuple(self.cost_weights)}."
            )
        learn_from_running = self.learn_from_running and not several
        history = read_history(
            study,
            search_space,
            cost=self.cost,
            max_cost=self.max_cost,
            current=number,
            running_label=running_label(study) if learn_from_running else None,
        )
        return with_one_objective(history, self.seed, number) if several else history

    def _is_startup(self, history: History) -> bool:
        return len(history.rows) < max(self.n_startup_trials, 1)

    def _pick(self, study: Study, history: History, number: int) -> Rows:
        """The row that a trial is given by its number, (decisions,)."""
        rng = np.random.default_rng([self.seed, number])
        if self._is_startup(history):
            rows = self.startup.rows(study, history.space, number)
        else:
            knowledge = self._knowledge(study, history)
            rows = self.suggester.suggest(history, self._next_weight(number), knowledge)
        rows = np.concatenate([rows, history.space.random(N_FALLBACK, rng)])
        return first_unseen(self.suggester.affordable(history, rows), history.seen)

    def _next_weight(self, number: int) -> Float[ndarray, " t"]:
        """Weight of each task in Eq. (6) for a trial by its number."""
        return self._weight(self.cost_weights[number % len(self.cost_weights)])

    def _weight(self, share: float) -> Float[ndarray, " t"]:
        """Weight of each task in Eq. (6) under an alpha."""
        return np.array([1.0 - share, share][: 1 + (self.cost is not None)])

    def _knowledge(self, study: Study, history: History) -> Knowledge:
        """What sources and beliefs add to the study's own trials."""
        n, n_tasks = history.labels.shape
        return Knowledge(
            opinions=self.warm_start.opinions(history.space, n_tasks, study.directions),
            logits=self.startup.logits(history.space, n),
        )

    def _say_what_is_left_out(self, history: History) -> None:
        if history.n_outside:
            self._warn_once(
                f"{history.n_outside} finished trials have values outside of their parameters' "
                "present ranges; the predictor leaves them out.",
                about="ranges",
            )
        names = {*(decision.name for decision in history.space.decisions), *history.fixed}
        unknown = self.startup.unknown(names)
        if unknown:
            self._warn_once(
                f"prior has beliefs about {unknown}, which no finished trial has had; they do "
                f"nothing. Name parameters of the study, which so far are {sorted(names)}.",
                about="prior",
            )

    def _warn_once(self, message: str, *, about: str) -> None:
        if about not in self._warned:
            self._warned.add(about)
            _LOGGER.warning(message)
