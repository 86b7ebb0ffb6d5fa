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

from optuna_predictor_rl.core.space import Rows, row_keys
from optuna_predictor_rl.data.costs import Cost
from optuna_predictor_rl.data.history import (
    History,
    finished_numbers,
    given_to,
    label,
    read_given,
    read_history,
)
from optuna_predictor_rl.data.params import complete, first_unseen
from optuna_predictor_rl.data.scalarization import with_one_objective
from optuna_predictor_rl.fidelity.running_labels import running_label
from optuna_predictor_rl.search.startup import Startup
from optuna_predictor_rl.search.suggester import Knowledge, Search, Suggester
from optuna_predictor_rl.search.warm_start import WarmStart
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.distributions import (
    from_numbers,
    known_part,
    to_numbers,
    to_space,
    union_search_space,
)
from optuna_predictor_rl.study.ranges import modelled

N_CLAIMS = 8
"""How often a trial looks for something else when others have been given the same."""

N_FALLBACK = 256
"""Random configurations that are tried when all that was searched has been seen."""

N_VALUES = 64
"""Values that are compared where a single parameter is given one of its own."""

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
        given = self._given(study, trial, search_space)
        history = self.history(study, search_space, trial.number, given)
        self._say_what_does_nothing(history)
        scope = history.scope
        row = self._planned(trial, search_space, history)
        for _ in range(N_CLAIMS):
            if row is None:
                row = self._pick(study, history, trial.number)
                for _ in range(n_before):
                    history = history.with_pending(row)
                    row = self._pick(study, history, trial.number)
            rng = np.random.default_rng([self.seed, trial.number, 1])
            params = complete(scope.space, scope.lower(row[None])[0], rng)
            storage.set_planned(study, trial, to_numbers(params, search_space))
            numbers, rows = read_given(study, history.space, known=known, current=trial.number)
            taken = scope.lift(scope.space.rows([params]))
            (key,) = row_keys(taken)
            same = [n for n, k in zip(numbers, row_keys(rows), strict=True) if k == key]
            if not same:
                break
            n_before = sum(n < trial.number for n in same)
            history, row = replace(history, pending=rows), None
        return Claim(params, taken, None if self._is_startup(history) else self.suggester.last)

    def value(
        self, study: Study, trial: FrozenTrial, name: str, distribution: BaseDistribution
    ) -> Any:
        """The value of a parameter that the trial's plan has no possible value of.

        A parameter that other trials have had, in other ranges perhaps, is given the value that is
        best beside what the trial has and will be given.
        """
        trials = storage.trials(study, (TrialState.COMPLETE, TrialState.PRUNED))
        search_space = union_search_space(trials)
        if name not in search_space:
            return self.startup.value(study, trial, name, distribution)
        everything = modelled(trials, search_space)
        given = {**self._given(study, trial, search_space), **given_to(trial, everything)}
        wanted = given.pop(name, None)
        history = self.history(study, {name: search_space[name]}, trial.number, given)
        if self._is_startup(history) or name not in history.space.names:
            return self.startup.value(study, trial, name, distribution)
        own = to_space({name: distribution})
        rng = np.random.default_rng([self.seed, trial.number, history.space.names.index(name)])
        uniform = (rng.permutation(N_VALUES) + rng.random(N_VALUES)) / N_VALUES
        rows = own.from_uniform(uniform[:, None])
        if part := known_part({name: wanted}, own):
            rows = np.concatenate([own.snap(own.rows([part])), rows])
        values = [found[name] for found in own.configurations(rows)]
        held = known_part(given, history.space)
        possible = [known_part({**held, name: value}, history.space) for value in values]
        rows = history.space.canonical(history.space.rows(possible))
        weight, knowledge = self._next_weight(trial.number), self._knowledge(study, history)
        costs = self.suggester.costs(history, weight, knowledge, rows)
        return values[int(np.lexsort((costs, history.is_seen(rows)))[0])]

    def search(self, study: Study, share: float | None = None) -> Search:
        """The search that the study's next suggestion rests on, or that under another alpha.

        Raises:
            ValueError: If the study has no finished trial with a parameter or a value, a complete
                trial without a cost, or a weight of the cost beside several objectives.
        """
        finished = storage.trials(study, (TrialState.COMPLETE, TrialState.PRUNED))
        search_space = union_search_space(finished)
        if not search_space:
            raise ValueError("study must have a finished trial with a parameter, but has none.")
        number = len(study.get_trials(deepcopy=False))
        history = self.history(study, search_space, number, _elsewhere(finished, search_space))
        single = len(study.directions) == 1
        if not len(history.rows) or (single and all(label(t) is None for t in finished)):
            raise ValueError("study must have a finished trial with a value, but has none.")
        weight = self._next_weight(number) if share is None else self._weight(share)
        return self.suggester.search(history, weight, self._knowledge(study, history))

    def history(
        self,
        study: Study,
        search_space: Mapping[str, BaseDistribution],
        number: int,
        given: Mapping[str, Any] | None = None,
    ) -> History:
        """The study's trials as one of a number sees them that has some parameters anyway.

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
            given=given,
            running_label=running_label(study) if learn_from_running else None,
        )
        return with_one_objective(history, self.seed, number) if several else history

    def _is_startup(self, history: History) -> bool:
        return len(history.rows) < max(self.n_startup_trials, 1)

    def _pick(self, study: Study, history: History, number: int) -> Rows:
        """The row that a trial is given by its number, (decisions,)."""
        rng, scope = np.random.default_rng([self.seed, number]), history.scope
        if not scope.space.decisions:
            return scope.lift(np.empty((1, 0)))[0]
        if self._is_startup(history):
            rows = scope.lift(self.startup.rows(study, scope.space, number))
        else:
            knowledge = self._knowledge(study, history)
            rows = self.suggester.suggest(history, self._next_weight(number), knowledge)
        rows = np.concatenate([rows, scope.lift(scope.space.random(N_FALLBACK, rng))])
        row = first_unseen(self.suggester.affordable(history, rows), history.is_seen)
        if self.suggester.is_over_budget(history, row):
            rows = self.suggester.cheaper(history, np.concatenate([history.rows, rows]), rng)
            row = first_unseen(self.suggester.affordable(history, rows), history.is_seen)
        if self.suggester.is_over_budget(history, row):
            self._warn_once(
                f"max_cost is {self.max_cost}, but no configuration that was looked at costs so "
                "little; the cheapest that no trial has had are suggested.",
                about="budget",
            )
        return row

    def _given(
        self, study: Study, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The parameters that a trial has anyway: it has them, or somebody else gives them."""
        finished = storage.trials(study, (TrialState.COMPLETE, TrialState.PRUNED))
        given = _elsewhere(finished, search_space)
        return given | storage.fixed(study) | storage.enqueued(trial) | trial.params

    def _planned(
        self, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution], history: History
    ) -> Rows | None:
        """The row that was planned for a killed trial which this one retries, (decisions,).

        None without it, or if another trial has come to have the same meanwhile.
        """
        planned = from_numbers(storage.planned(trial), search_space)
        scope = history.scope
        if not planned or not all(name in planned for name in scope.space.names):
            return None
        row = scope.lift(scope.space.rows([planned]))
        labelled = row_keys(history.rows)
        return None if row_keys(row)[0] in labelled else row[0]

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
            source_predictions=self.warm_start.source_predictions(
                history.space, n_tasks, study.directions
            ),
            logits=self.startup.logits(history.scope.space, n),
        )

    def _say_what_does_nothing(self, history: History) -> None:
        names = {*history.space.names, *history.fixed}
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


def _elsewhere(
    trials: Sequence[FrozenTrial], search_space: Mapping[str, BaseDistribution]
) -> dict[str, Any]:
    """The parameters that the sampler is not asked for, taken to be as in the latest trial."""
    latest: dict[str, Any] = {}
    for trial in trials:
        latest.update(trial.params)
    return {name: value for name, value in latest.items() if name not in search_space}
