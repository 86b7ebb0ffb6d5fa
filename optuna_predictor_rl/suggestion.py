"""From a study's history to the next trials: the predictor is fitted, the policy trained."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.core.ensemble import Ensemble, fit_ensemble
from optuna_predictor_rl.core.predictor import PredictorConfig
from optuna_predictor_rl.core.reinforce import Candidates, PolicyConfig, search
from optuna_predictor_rl.core.space import Rows
from optuna_predictor_rl.costs import RowCosts
from optuna_predictor_rl.elite import elite_rows
from optuna_predictor_rl.history import History
from optuna_predictor_rl.threads import one_thread

N_KEPT = 512
"""Candidates of a search that are kept for trials asked for before another one has finished."""

RowFunction = Callable[[Rows], Float[ndarray, " n"]]

OVER_BUDGET = 1e3
"""What a candidate over the budget costs a policy, and its excess in standard deviations."""


@dataclass(frozen=True)
class Search:
    """What suggestions rest on until another trial finishes.

    Args:
        history: The trials that the predictor was fitted on.
        weight: Weight of each task in Eq. (6).
        ensemble: The predictor.
        candidates: All that the policy proposed and local moves found, best first.
        rows: The best of them that no trial has had, best first.
    """

    history: History
    weight: Float[ndarray, " t"]
    ensemble: Ensemble
    candidates: Candidates
    rows: Float[ndarray, "n d"]


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
        self.lock = threading.Lock()
        self._predictor = predictor
        self._policy = policy
        self._seed = seed
        self._device = device
        self._row_costs = row_costs
        self._key = b""
        self._last: Search | None = None

    def __getstate__(self) -> dict[str, object]:
        """Without the lock, which cannot be pickled, and the last search, which is recomputed."""
        return {**self.__dict__, "lock": None, "_key": b"", "_last": None}

    def __setstate__(self, state: dict[str, object]) -> None:
        """With a lock of its own."""
        self.__dict__.update(state)
        self.lock = threading.Lock()

    @property
    def last(self) -> Search | None:
        """The last search, if there was one."""
        return self._last

    def suggest(self, history: History, weight: Float[ndarray, " t"]) -> Rows:
        """Rows to try next, best first, (n, decisions)."""
        searched = self.search(history, weight)
        rows = searched.rows
        ensemble = searched.ensemble.expecting(history.pending)
        if len(history.pending) and self._policy.reward == "improvement":
            rows = rows[np.argsort(-ensemble.log_improvement(rows, weight), kind="stable")]
        return rows

    def search(self, history: History, weight: Float[ndarray, " t"]) -> Search:
        """The search for this history: that of the last call, unless something has finished."""
        key = _digest(history, weight)
        if self._last is None or self._key != key:
            with one_thread():
                self._last = self._run(history, weight)
            self._key = key
        return self._last

    def affordable(self, history: History, rows: Rows) -> Rows:
        """The rows within the budget or, if there are none, the cheapest, (n, decisions)."""
        excess = self._excess(history)
        if excess is None or not len(rows):
            return rows
        over = excess(rows)
        return rows[over == 0.0] if (over == 0.0).any() else rows[[over.argmin()]]

    def _run(self, history: History, weight: Float[ndarray, " t"]) -> Search:
        rng = np.random.default_rng([self._seed, len(history.rows)])
        standard_cost, excess = self._standard_cost(history), self._excess(history)
        ensemble = fit_ensemble(
            self._predictor,
            history.space,
            history.rows,
            history.labels,
            rng=rng,
            device=self._device,
            exact_cost=standard_cost,
            constraints=history.constraints,
        )
        greedy = self._policy.reward == "mean"
        score = ensemble.greedy if greedy else ensemble.log_improvement

        def cost(rows: Rows) -> Float[ndarray, " n"]:
            value = score(rows, weight) if greedy else -score(rows, weight)
            if excess is None:
                return value
            over = excess(rows)
            return value + OVER_BUDGET * ((over > 0.0) + over)

        found = search(
            history.space,
            cost,
            self._policy,
            elite=elite_rows(history, weight, standard_cost, excess),
            rng=rng,
            device=self._device,
        )
        n_kept = len(history.seen) + N_KEPT
        rows = found.top(n_kept, history.seen)
        return Search(history, weight, ensemble, found, self.affordable(history, rows))

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


def _center_and_scale(costs: Float[ndarray, " n"]) -> tuple[float, float]:
    """Mean and standard deviation, or the costs' size where they are all the same."""
    size = float(np.abs(costs).max(initial=0.0)) or 1.0
    spread = float(costs.std()) if len(costs) else 0.0
    return float(costs.sum() / max(len(costs), 1)), spread if spread > 1e-12 * size else size


def _digest(history: History, weight: Float[ndarray, " t"]) -> bytes:
    digest = hashlib.blake2b(repr((history.space, history.fixed)).encode(), digest_size=16)
    for array in (history.rows, history.labels, history.constraints, weight):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.digest()
