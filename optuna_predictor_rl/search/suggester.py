"""From a study's history to the next trials: the predictor is fitted, the policy trained."""

from __future__ import annotations

import copy
import hashlib
import importlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import scipy
import torch
from jaxtyping import Float, Int
from numpy import ndarray

from optuna_predictor_rl.core.policy.local_optima import local_optima
from optuna_predictor_rl.core.policy.local_search import refine
from optuna_predictor_rl.core.policy.reinforce import Candidates, PolicyConfig, search
from optuna_predictor_rl.core.policy.spacing import near_to
from optuna_predictor_rl.core.predictor.config import PredictorConfig
from optuna_predictor_rl.core.predictor.ensemble import Ensemble
from optuna_predictor_rl.core.predictor.fitting import fit_ensemble
from optuna_predictor_rl.core.predictor.training_data import TrainingData
from optuna_predictor_rl.core.predictor.transfer import SourcePredictions
from optuna_predictor_rl.core.space import Rows, SearchSpace
from optuna_predictor_rl.core.targets import ROUNDING
from optuna_predictor_rl.data.costs import RowCosts
from optuna_predictor_rl.data.history import History
from optuna_predictor_rl.search.elite import elite_rows
from optuna_predictor_rl.search.study_predictor import StudyPredictor

N_KEPT = 512
"""Candidates of a search that are kept for trials asked for before another one has finished."""

N_CHEAPER = 12
"""Passes of local moves towards the budget, whose steps end at a 10,000th of a range."""

RowFunction = Callable[[Rows], Float[ndarray, " n"]]

OVER_BUDGET = 1e3
"""What a candidate over the budget costs a policy, and its excess in standard deviations."""

TOO_NEAR = 1e3
"""What a candidate that is too near to a trial costs a policy."""


@dataclass(frozen=True)
class Knowledge:
    """What is known beside a study's own trials.

    Args:
        source_predictions: What other searches predict of rows.
        logits: Where the policies start, on the options of their grid.
    """

    source_predictions: SourcePredictions | None = None
    logits: Float[ndarray, "d o"] | None = None


NOTHING = Knowledge()


@dataclass(frozen=True)
class Search:
    """What suggestions rest on until another trial finishes.

    Args:
        history: The trials that the predictor was fitted on.
        weight: Weight of each task in Eq. (6).
        ensemble: The predictor.
        candidates: All that the policy proposed and local moves found, best first.
        rows: The best of them that no trial has had, best first.
        knowledge: What was known beside the trials.
    """

    history: History
    weight: Float[ndarray, " t"]
    ensemble: Ensemble
    candidates: Candidates
    rows: Float[ndarray, "n d"]
    knowledge: Knowledge = NOTHING


class Suggester:
    """Fits and searches, and keeps the last search for as long as no trial finishes.

    Args:
        predictor: Settings of the predictor.
        policy: Settings of the policy.
        seed: Seed of all randomness, together with the number of labelled trials.
        device: Where networks and policies are trained.
        row_costs: Costs of rows, if they are known in advance.

    Attributes:
        lock: Held by a thread while it asks, so that it knows what the others have been given.
    """

    def __init__(
        self,
        predictor: PredictorConfig,
        policy: PolicyConfig,
        seed: int,
        device: torch.device,
        row_costs: RowCosts | None = None,
    ) -> None:
        _import_scipy()
        self.lock = threading.Lock()
        self._predictor = predictor
        self._policy = policy
        self._seed = seed
        self._device = device
        self._row_costs = row_costs
        self._key = b""
        self._last: Search | None = None
        self._fitted: tuple[bytes, Ensemble, np.random.Generator] | None = None
        self._study_predictor: tuple[Search, StudyPredictor] | None = None

    def __getstate__(self) -> dict[str, object]:
        """Without the lock, which cannot be pickled, and the last search, which is recomputed."""
        forgotten = {
            "lock": None,
            "_key": b"",
            "_last": None,
            "_fitted": None,
            "_study_predictor": None,
        }
        return {**self.__dict__, **forgotten}

    def __setstate__(self, state: dict[str, object]) -> None:
        """With a lock of its own."""
        _import_scipy()
        self.__dict__.update(state)
        self.lock = threading.Lock()

    @property
    def last(self) -> Search | None:
        """The last search, if there was one."""
        return self._last

    def suggest(
        self, history: History, weight: Float[ndarray, " t"], knowledge: Knowledge = NOTHING
    ) -> Rows:
        """Rows to try next, best first, (n, decisions)."""
        searched = self.search(history, weight, knowledge)
        rows = searched.rows
        ensemble = searched.ensemble.condition_on_pending(history.pending)
        if len(history.pending) and self._policy.reward == "improvement":
            cost = self._reward_cost(history, weight, ensemble)
            rows = rows[np.argsort(cost(rows), kind="stable")]
        return rows

    def search(
        self, history: History, weight: Float[ndarray, " t"], knowledge: Knowledge = NOTHING
    ) -> Search:
        """The search for this history: that of the last call, unless something has finished.

        Args:
            history: The trials.
            weight: Weight of each task in Eq. (6).
            knowledge: What is known beside them, the same at each call with this history.
        """
        key = _digest(history) + weight.tobytes() + history.scope.key.encode()
        if self._last is None or self._key != key:
            self._last = self._run(history, weight, knowledge)
            self._key = key
        return self._last

    def costs(
        self,
        history: History,
        weight: Float[ndarray, " t"],
        knowledge: Knowledge,
        rows: Rows,
    ) -> Float[ndarray, " n"]:
        """What a search would minimize, at given rows; it fits, but searches nothing."""
        ensemble, _ = self._ensemble(history, knowledge)
        ensemble = ensemble.condition_on_pending(history.pending)
        return self._cost(history, weight, ensemble, greedy=self._policy.reward == "mean")(rows)

    def affordable(self, history: History, rows: Rows) -> Rows:
        """The rows within the budget or, if there are none, all, the cheapest first."""
        excess = self._excess(history)
        if excess is None or not len(rows):
            return rows
        over = excess(rows)
        within = over == 0.0
        return rows[within] if within.any() else rows[np.argsort(over, kind="stable")]

    def cheaper(self, history: History, rows: Rows, rng: np.random.Generator) -> Rows:
        """Rows, and what local moves towards the budget find from the cheapest of them."""
        excess, scope = self._excess(history), history.scope
        if excess is None:
            return rows
        start = scope.lower(rows)
        found, _ = refine(
            scope.space,
            lambda moved: excess(scope.lift(moved)),
            start,
            excess(scope.lift(start)),
            N_CHEAPER,
            rng,
        )
        return np.concatenate([rows, scope.lift(found)])

    def is_over_budget(self, history: History, row: Float[ndarray, " d"]) -> bool:
        """Whether a row costs more than is allowed."""
        excess = self._excess(history)
        return excess is not None and bool(excess(row[None])[0] > 0.0)

    def predictor(self, searched: Search, sign: float) -> StudyPredictor:
        """The predictor of a search in the study's units, calibrated once for each search."""
        if self._study_predictor is None or self._study_predictor[0] is not searched:
            history = searched.history

            def refit(rows: Rows, labels: Float[ndarray, "n t"]) -> Ensemble:
                rng = np.random.default_rng([self._seed, len(rows)])
                return self._fit(history.space, rows, labels, searched.knowledge, rng)

            known_cost = None
            if self._row_costs is not None:
                known_cost = partial(self._row_costs, history.space, history.fixed)
            made = StudyPredictor.of(
                searched.ensemble,
                history.labels,
                refit=refit,
                sign=sign,
                seed=self._seed,
                known_cost=known_cost,
            )
            self._study_predictor = searched, made
        return self._study_predictor[1]

    def optima(self, searched: Search) -> tuple[Rows, Int[ndarray, " n"]]:
        """What no trial has had of the best that each round finds by the mean, and the rounds."""
        history, scope = searched.history, searched.history.scope
        cost = self._cost(history, searched.weight, searched.ensemble, greedy=True)
        rows, rounds = local_optima(
            scope.space,
            lambda rows: cost(scope.lift(rows)),
            self._policy,
            elite=scope.lower(self._elite(history, searched.weight)),
            rng=np.random.default_rng([self._seed, len(history.rows)]),
            logits=searched.knowledge.logits,
            device=self._device,
        )
        rows, excess = scope.lift(rows), self._excess(history)
        new = ~history.is_seen(rows)
        if excess is not None:
            new &= excess(rows) == 0.0
        return rows[new], rounds[new]

    def _fit(
        self,
        space: SearchSpace,
        rows: Rows,
        labels: Float[ndarray, "n t"],
        knowledge: Knowledge,
        rng: np.random.Generator,
        exact_cost: RowFunction | None = None,
        constraints: Float[ndarray, "n c"] | None = None,
        errors: Float[ndarray, "n t"] | None = None,
    ) -> Ensemble:
        return fit_ensemble(
            self._predictor,
            space,
            TrainingData(rows, labels, errors, constraints, exact_cost),
            rng=rng,
            source_predictions=knowledge.source_predictions,
            device=self._device,
        )

    def _run(self, history: History, weight: Float[ndarray, " t"], knowledge: Knowledge) -> Search:
        ensemble, rng = self._ensemble(history, knowledge)
        scope, cost = history.scope, self._reward_cost(history, weight, ensemble)
        found = search(
            scope.space,
            lambda rows: cost(scope.lift(rows)),
            self._policy,
            elite=scope.lower(self._elite(history, weight)),
            rng=rng,
            logits=knowledge.logits,
            device=self._device,
        )
        found = replace(found, rows=scope.lift(found.rows))
        n_kept = len(history.seen) + N_KEPT
        rows = self.affordable(history, found.top(n_kept, history.is_seen))
        return Search(history, weight, ensemble, found, rows, knowledge)

    def _ensemble(
        self, history: History, knowledge: Knowledge
    ) -> tuple[Ensemble, np.random.Generator]:
        """The predictor, fitted once for the same trials, and where randomness goes on."""
        key = _digest(history)
        if self._fitted is None or self._fitted[0] != key:
            rng = np.random.default_rng([self._seed, len(history.rows)])
            ensemble = self._fit(
                history.space,
                history.rows,
                history.labels,
                knowledge,
                rng,
                self._standard_cost(history),
                history.constraints,
                history.errors,
            )
            self._fitted = key, ensemble, rng
        _, ensemble, rng = self._fitted
        return ensemble, copy.deepcopy(rng)

    def _reward_cost(
        self, history: History, weight: Float[ndarray, " t"], ensemble: Ensemble
    ) -> RowFunction:
        """The negative of the reward, and more for what is near to trials of the history."""
        cost = self._cost(history, weight, ensemble, greedy=self._policy.reward == "mean")
        distances = self._policy.distances
        distance = distances[len(history.rows) % len(distances)]
        is_near = near_to(history.space, history.seen, distance)
        return lambda rows: cost(rows) + TOO_NEAR * is_near(rows)

    def _cost(
        self, history: History, weight: Float[ndarray, " t"], ensemble: Ensemble, *, greedy: bool
    ) -> RowFunction:
        """What a policy minimizes."""
        score = ensemble.posterior_mean_score if greedy else ensemble.log_improvement
        excess = self._excess(history)

        def cost(rows: Rows) -> Float[ndarray, " n"]:
            value = score(rows, weight) if greedy else -score(rows, weight)
            if excess is None:
                return value
            over = excess(rows)
            return value + OVER_BUDGET * ((over > 0.0) + over)

        return cost

    def _elite(self, history: History, weight: Float[ndarray, " t"]) -> Rows:
        standard_cost, excess = self._standard_cost(history), self._excess(history)
        return elite_rows(history, weight, standard_cost, excess)

    def _standard_cost(self, history: History) -> RowFunction | None:
        """The known cost of rows, standardized on the labelled ones."""
        if self._row_costs is None:
            return None
        of = partial(self._row_costs, history.space, history.fixed)
        center, scale = _center_and_scale(of(history.rows))
        return lambda rows: (of(rows) - center) / scale

    def _excess(self, history: History) -> RowFunction | None:
        """By how much rows exceed the budget, in standard deviations of the labelled ones."""
        if self._row_costs is None or self._row_costs.budget is None:
            return None
        of = partial(self._row_costs.excess, history.space, history.fixed)
        known = self._row_costs(history.space, history.fixed, history.rows)
        _, scale = _center_and_scale(known)
        return lambda rows: of(rows) / scale


def _import_scipy() -> None:
    """Import what a search needs of SciPy before the first trial claims its parameters.

    Importing our package does not: it takes longer than all else of the package.
    """
    for name in ("linalg", "optimize", "special", "stats"):
        importlib.import_module(f"scipy.{name}")
    scipy.stats.qmc.Sobol(1)  # reads its direction numbers


def _center_and_scale(costs: Float[ndarray, " n"]) -> tuple[float, float]:
    """Mean and standard deviation, or the costs' size where they are all the same."""
    size = float(np.abs(costs).max(initial=0.0)) or 1.0
    spread = float(costs.std()) if len(costs) else 0.0
    return float(costs.sum() / max(len(costs), 1)), spread if spread > ROUNDING * size else size


def _digest(history: History) -> bytes:
    digest = hashlib.blake2b(repr((history.space, history.fixed)).encode(), digest_size=16)
    errors = np.empty(0) if history.errors is None else history.errors
    for array in (history.rows, history.labels, errors, history.constraints):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.digest()
