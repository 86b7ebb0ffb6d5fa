"""From a study's history to the next trials: the predictor is fitted, the policy trained."""

from __future__ import annotations

import copy
import importlib
import threading
from dataclasses import dataclass, replace

import numpy as np
import scipy
from jaxtyping import Float, Int
from numpy import ndarray

from optuna_predictor_rl.core.policy.candidates import Candidates
from optuna_predictor_rl.core.policy.reinforce import Start, local_optima, search
from optuna_predictor_rl.core.predictor.ensemble import Ensemble
from optuna_predictor_rl.core.predictor.fitting import fit_ensemble
from optuna_predictor_rl.core.predictor.success import SuccessModel, fit_success
from optuna_predictor_rl.core.predictor.training_data import TrainingData
from optuna_predictor_rl.core.space import Rows
from optuna_predictor_rl.data.costs import RowCosts
from optuna_predictor_rl.data.history import History
from optuna_predictor_rl.search.acquisition import Acquisition, SearchProblem
from optuna_predictor_rl.search.known_costs import KnownCosts, RowFunction
from optuna_predictor_rl.search.predicted_front import predicted_front
from optuna_predictor_rl.search.settings import SearchSettings
from optuna_predictor_rl.search.study_predictor import StudyPredictor

N_KEPT = 512
"""Candidates of a search that are kept for trials asked for before another one has finished."""


@dataclass(frozen=True)
class FittedObjectives:
    """A predictor and what it was fitted on.

    Args:
        problem: The trials that the predictor was fitted on, and what they are searched for.
        ensemble: The predictor.
    """

    problem: SearchProblem
    ensemble: Ensemble

    @property
    def history(self) -> History:
        """The trials that the predictor was fitted on."""
        return self.problem.history

    @property
    def weight(self) -> Float[ndarray, " t"]:
        """Weight of each task in Eq. (6)."""
        return self.problem.weight


@dataclass(frozen=True)
class FittedSearch(FittedObjectives):
    """What suggestions rest on until another trial finishes.

    Args:
        candidates: All that the policy proposed and local moves found, best first.
        rows: The best of them that no trial has had, best first.
    """

    candidates: Candidates
    rows: Float[ndarray, "n d"]


class Suggester:
    """Fits and searches, and keeps the last search for as long as no trial finishes.

    Attributes:
        lock: Held by a thread while it asks, so that it knows what the others have been given.
        last: The last search, if there was one.
    """

    def __init__(self, settings: SearchSettings) -> None:
        _import_scipy()
        self.lock = threading.Lock()
        self._settings = settings
        self._row_costs = RowCosts.of(settings.cost, settings.max_cost)
        self.last: FittedSearch | None = None
        self._fitted: tuple[bytes, Ensemble, np.random.Generator] | None = None
        self._fitted_success: tuple[bytes, SuccessModel] | None = None
        self._study_predictor: tuple[bytes, StudyPredictor] | None = None

    def __reduce__(self) -> tuple[type[Suggester], tuple[SearchSettings]]:
        """Copy the settings alone: fits are repeated, and a lock cannot be pickled."""
        return type(self), (self._settings,)

    def suggest(self, problem: SearchProblem) -> Rows:
        """Return rows to try next, best first, (n, decisions)."""
        found = self.search(problem)
        if not len(problem.history.pending) or self._settings.policy.reward == "mean":
            return found.rows
        acquisition = self._acquisition(problem, found.ensemble).condition_on_pending()
        return found.rows[np.argsort(acquisition(found.rows), kind="stable")]

    def search(self, problem: SearchProblem) -> FittedSearch:
        """Return the search for a problem: that of the last call, unless a trial has finished."""
        if self.last is None or self.last.problem.key != problem.key:
            self.last = self._run(problem)
        return self.last

    def objectives(self, problem: SearchProblem) -> FittedObjectives:
        """Return the predictor of a problem; it fits, but searches nothing."""
        return FittedObjectives(problem, self._ensemble(problem)[0])

    def scores(self, problem: SearchProblem, rows: Rows) -> Float[ndarray, " n"]:
        """Return what a search would minimize, at given rows; it fits, but searches nothing."""
        ensemble, _ = self._ensemble(problem)
        return self._acquisition(problem, ensemble).condition_on_pending().reward_score(rows)

    def known_costs(self, history: History) -> KnownCosts:
        """Return what is known in advance of the costs of a history's rows."""
        return KnownCosts(history, self._row_costs)

    def predictor(self, problem: SearchProblem, signs: Float[ndarray, " o"]) -> StudyPredictor:
        """Return a predictor of objectives in the study's units, calibrated once for each fit."""
        key = problem.fit_key + signs.tobytes()
        if self._study_predictor is None or self._study_predictor[0] != key:
            seed = self._settings.seed

            def refit(rows: Rows, labels: Float[ndarray, "n t"]) -> Ensemble:
                rng = np.random.default_rng([seed, len(rows)])
                return self._fit(problem, TrainingData(rows, labels), rng)

            made = StudyPredictor.of(
                self._ensemble(problem)[0],
                problem.history.labels,
                refit=refit,
                signs=signs,
                seed=seed,
                known_cost=self.known_costs(problem.history).exact,
            )
            self._study_predictor = key, made
        return self._study_predictor[1]

    def optima(self, found: FittedSearch) -> tuple[Rows, Int[ndarray, " n"]]:
        """Return the best by the mean that no trial has had, and the rounds that found them."""
        acquisition = self._acquisition(found.problem, found.ensemble)
        return self._optima(acquisition, acquisition.posterior_mean_score)

    def front(
        self, problem: SearchProblem, predictor: StudyPredictor
    ) -> tuple[Rows, Int[ndarray, " n"]]:
        """Return the predicted front of what no trial has had, and the rounds that found it."""
        acquisition = self._acquisition(problem, self._ensemble(problem)[0])
        return predicted_front(acquisition, predictor, self._optima)

    def _optima(
        self, acquisition: Acquisition, score: RowFunction
    ) -> tuple[Rows, Int[ndarray, " n"]]:
        history, scope = acquisition.problem.history, acquisition.problem.history.scope
        rows, rounds = local_optima(
            scope.space,
            lambda rows: score(scope.to_model(rows)),
            self._settings.policy,
            start=Start(scope.to_free(acquisition.elite()), acquisition.problem.logits),
            rng=np.random.default_rng([self._settings.seed, len(history.rows)]),
            device=self._settings.device,
        )
        rows = scope.to_model(rows)
        new = ~history.is_seen(rows) & (acquisition.costs.excess(rows) == 0.0)
        return rows[new], rounds[new]

    def _run(self, problem: SearchProblem) -> FittedSearch:
        ensemble, rng = self._ensemble(problem)
        acquisition = self._acquisition(problem, ensemble)
        history, scope = problem.history, problem.history.scope
        found = search(
            scope.space,
            lambda rows: acquisition(scope.to_model(rows)),
            self._settings.policy,
            start=Start(scope.to_free(acquisition.elite()), problem.logits),
            rng=rng,
            device=self._settings.device,
        )
        found = replace(found, rows=scope.to_model(found.rows))
        best = found.top(len(history.seen) + N_KEPT, history.is_seen)
        return FittedSearch(problem, ensemble, found, acquisition.costs.affordable(best))

    def _ensemble(self, problem: SearchProblem) -> tuple[Ensemble, np.random.Generator]:
        """Return the predictor, fitted once for the same trials, and where randomness goes on."""
        if self._fitted is None or self._fitted[0] != problem.fit_key:
            rng = np.random.default_rng([self._settings.seed, len(problem.history.rows)])
            data = problem.training_data(self.known_costs(problem.history).standard)
            self._fitted = problem.fit_key, self._fit(problem, data, rng), rng
        _, ensemble, rng = self._fitted
        return ensemble, copy.deepcopy(rng)

    def _fit(
        self, problem: SearchProblem, data: TrainingData, rng: np.random.Generator
    ) -> Ensemble:
        config, device = self._settings.predictor, self._settings.device
        space, sources = problem.history.space, problem.source_predictions
        return fit_ensemble(
            config, space, data, rng=rng, source_predictions=sources, device=device
        )

    def _acquisition(self, problem: SearchProblem, ensemble: Ensemble) -> Acquisition:
        costs = self.known_costs(problem.history)
        success = self._success(problem, ensemble)
        return Acquisition(problem, ensemble, costs, self._settings.policy, success)

    def _success(self, problem: SearchProblem, ensemble: Ensemble) -> SuccessModel | None:
        """Return how likely trials are to succeed, fitted once; None if none failed."""
        history = problem.history
        if not len(history.failed):
            return None
        key = problem.fit_key + history.failed.tobytes()
        if self._fitted_success is None or self._fitted_success[0] != key:
            # A trial that fails before it has asked for all its parameters fails whatever the
            # others would have been. Left out, they would be what all failures have in common.
            space = history.space
            failed = space.canonical(space.filled(history.failed, np.random.default_rng(0)))
            rows = np.concatenate([history.rows, failed])
            succeeded = np.arange(len(rows)) < len(history.rows)
            self._fitted_success = key, fit_success(ensemble.encoding, rows, succeeded)
        return self._fitted_success[1]


def _import_scipy() -> None:
    """Import what a search needs of SciPy before the first trial claims its parameters.

    Importing our package does not: it takes longer than all else of the package.
    """
    for name in ("linalg", "optimize", "special", "stats"):
        importlib.import_module(f"scipy.{name}")
    scipy.stats.qmc.Sobol(1)  # reads its direction numbers
