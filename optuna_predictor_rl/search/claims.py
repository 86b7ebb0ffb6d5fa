"""The parameters of a trial: its history is read and searched, and a configuration claimed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from optuna.distributions import BaseDistribution
from optuna.logging import get_logger
from optuna.study import Study
from optuna.trial import FrozenTrial

from optuna_predictor_rl.core.space import Rows, row_keys
from optuna_predictor_rl.data.given import finished_numbers, given_to, read_given
from optuna_predictor_rl.data.history import History
from optuna_predictor_rl.data.params import complete, first_unseen
from optuna_predictor_rl.data.scalarization import with_one_objective
from optuna_predictor_rl.fidelity.labels import value_or_label
from optuna_predictor_rl.search.acquisition import SearchProblem
from optuna_predictor_rl.search.doubts import (
    tell_of_unknown_beliefs,
    tell_of_unmet_constraints,
)
from optuna_predictor_rl.search.settings import SearchSettings
from optuna_predictor_rl.search.startup import Startup
from optuna_predictor_rl.search.suggester import FittedSearch, Suggester
from optuna_predictor_rl.search.trial_view import (
    check_cost_weights,
    given_parameters,
    history_for,
    latest_elsewhere,
    objectives_for,
    planned_row,
)
from optuna_predictor_rl.search.warm_start import WarmStart
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.distributions import (
    known_part,
    to_numbers,
    to_space,
    union_search_space,
)
from optuna_predictor_rl.study.ranges import modelled
from optuna_predictor_rl.support.once import WarnOnce

N_CLAIMS = 8
"""How often a trial picks again when others have been given the same."""

N_FALLBACK = 256
"""Random configurations from which a trial picks when trials have had all candidates."""

N_VALUES = 64
"""Values that are compared where a parameter is given one apart from the others."""

_LOGGER = get_logger(f"optuna.{__name__}")


@dataclass(frozen=True)
class Claim:
    """The parameters that a trial has claimed.

    Args:
        params: Its parameters.
        row: The same as a row, (1, decisions).
        search: The search they come from; None during the startup.
    """

    params: dict[str, Any]
    row: Rows
    search: FittedSearch | None


@dataclass
class Planner:
    """Finds the parameters of trials. It is not for two threads at once."""

    settings: SearchSettings
    suggester: Suggester
    startup: Startup
    warm_start: WarmStart
    _warn_once: WarnOnce = field(default_factory=lambda: WarnOnce(_LOGGER))

    def check(self, study: Study) -> None:
        """Raise if a study cannot be searched as asked for, before its first trial costs hours.

        Raises:
            ValueError: If a cost has a weight beside several objectives, or a source of the warm
                start has another number of objectives than the study.
        """
        check_cost_weights(self.settings.cost_weights, study)
        self.warm_start.sources(study.directions)

    def claim(
        self, study: Study, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]
    ) -> Claim:
        """Return parameters that no other trial is given, also if several workers ask at once.

        Each writes what it takes before it reads what the others have taken. So of two that take
        the same at least one notices, and takes what is best once those before it have theirs.
        """
        finished, n_before = finished_numbers(study), 0
        given = given_parameters(study, trial, search_space)
        history = history_for(self.settings, study, search_space, trial.number, given)
        tell_of_unknown_beliefs(self._warn_once, self.startup, history)
        tell_of_unmet_constraints(self._warn_once, study, history)
        scope = history.scope
        row = planned_row(trial, search_space, history)
        for _ in range(N_CLAIMS):
            if row is None:
                row = self._pick(study, history, trial.number)
                for _ in range(n_before):
                    history = history.with_pending(row)
                    row = self._pick(study, history, trial.number)
            rng = np.random.default_rng([self.settings.seed, trial.number, 1])
            params = complete(scope.space, scope.to_free(row[None])[0], rng)
            storage.set_planned(study, trial, to_numbers(params, search_space))
            numbers, rows = read_given(
                study, history.space, finished=finished, current=trial.number
            )
            taken = scope.to_model(scope.space.rows([params]))
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
        """Return a value for a parameter of which the trial's plan has none in its range.

        If other trials have had the parameter, perhaps in other ranges, it is the value with the
        best score beside the trial's other parameters.
        """
        number = trial.number
        trials = storage.trials(study, storage.LABELLED)
        search_space = union_search_space(trials)
        if name not in search_space:
            return self.startup.value(study, trial, name, distribution)
        given = given_parameters(study, trial, search_space)
        given |= given_to(trial, modelled(trials, search_space))
        planned = given.pop(name, None)
        alone = {name: search_space[name]}
        history = history_for(self.settings, study, alone, number, given)
        if self._is_startup(history) or name not in history.space.names:
            return self.startup.value(study, trial, name, distribution)
        own = to_space({name: distribution})
        rng = np.random.default_rng([self.settings.seed, number, history.space.names.index(name)])
        # One uniform value in each of equal parts of the range, in a random order.
        uniform = (rng.permutation(N_VALUES) + rng.random(N_VALUES)) / N_VALUES
        rows = own.from_uniform(uniform[:, None])
        if part := known_part({name: planned}, own):
            rows = np.concatenate([own.snap(own.rows([part])), rows])
        values = [found[name] for found in own.configurations(rows)]
        held = known_part(given, history.space)
        possible = [known_part({**held, name: value}, history.space) for value in values]
        rows = history.space.canonical(history.space.rows(possible))
        problem = self._problem(study, history, self.settings.next_task_weights(number))
        scores = self.suggester.scores(problem, rows)
        return values[int(np.lexsort((scores, history.is_seen(rows)))[0])]

    def search(self, study: Study, cost_weight: float | None = None) -> FittedSearch:
        """Return the search of the study's next suggestion, or that under another alpha.

        Raises:
            ValueError: If the study has no finished trial with a parameter or a value, a complete
                trial without a cost, or a weight of the cost beside several objectives.
        """
        history, number = self._latest(study)
        history = with_one_objective(history, self.settings.seed, number)
        weight = self.settings.next_task_weights(number)
        if cost_weight is not None:
            weight = self.settings.task_weights(cost_weight)
        return self.suggester.search(self._problem(study, history, weight))

    def objectives(self, study: Study) -> SearchProblem:
        """Return what to predict of a study: each of its objectives, equally weighed, and costs.

        Raises:
            ValueError: See `search`.
        """
        history, _ = self._latest(study)
        n = history.n_objectives
        costs = np.zeros(int(self.settings.cost is not None))
        return self._problem(study, history, np.append(np.full(n, 1.0 / n), costs))

    def _latest(self, study: Study) -> tuple[History, int]:
        """Return the history as the next trial would see it, and that trial's number."""
        finished = storage.trials(study, storage.LABELLED)
        search_space = union_search_space(finished)
        if not search_space:
            raise ValueError("study must have a finished trial with a parameter, but has none.")
        number = len(study.get_trials(deepcopy=False))
        given = latest_elsewhere(finished, search_space)
        history = objectives_for(self.settings, study, search_space, number, given)
        single = len(study.directions) == 1
        if not len(history.rows) or (single and all(value_or_label(t) is None for t in finished)):
            raise ValueError("study must have a finished trial with a value, but has none.")
        return history, number

    def _is_startup(self, history: History) -> bool:
        """Return whether the design goes on; a failure counts as half of a trial."""
        wanted, labelled = max(self.settings.n_startup_trials, 1), len(history.rows)
        return labelled + len(history.failed) / 2 < wanted or labelled < min(wanted, 2)

    def _pick(self, study: Study, history: History, number: int) -> Rows:
        """Return the row that a trial is given by its number, (decisions,)."""
        rng = np.random.default_rng([self.settings.seed, number])
        scope, costs = history.scope, self.suggester.known_costs(history)
        if not scope.space.decisions:
            return scope.to_model(np.empty((1, 0)))[0]
        if self._is_startup(history):
            rows = scope.to_model(self.startup.rows(study, scope.space, number))
        else:
            weight = self.settings.next_task_weights(number)
            rows = self.suggester.suggest(self._problem(study, history, weight))
        rows = np.concatenate([rows, scope.to_model(scope.space.random(N_FALLBACK, rng))])
        row = first_unseen(costs.affordable(rows), history.is_seen)
        if costs.is_over_budget(row):
            rows = costs.cheaper(np.concatenate([history.rows, rows]), rng)
            row = first_unseen(costs.affordable(rows), history.is_seen)
        if costs.is_over_budget(row):
            self._warn_once(
                f"max_cost is {self.settings.max_cost}, but no configuration that was looked at "
                "costs so little; the cheapest that no trial has had are suggested.",
                about="budget",
            )
        return row

    def _problem(
        self, study: Study, history: History, weight: Float[ndarray, " t"]
    ) -> SearchProblem:
        """Return what to search for, with the prior information of sources and beliefs."""
        n, n_tasks = history.labels.shape
        space, directions = history.space, study.directions
        sources = self.warm_start.source_predictions(
            space, n_tasks, directions, history.objective_weights
        )
        return SearchProblem(history, weight, sources, self.startup.logits(history.scope.space, n))
