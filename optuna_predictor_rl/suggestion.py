"""From a study's history to the next trials: the predictor is fitted, the policy trained."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.core.ensemble import Ensemble, fit_ensemble
from optuna_predictor_rl.core.predictor import PredictorConfig
from optuna_predictor_rl.core.reinforce import Candidates, PolicyConfig, search
from optuna_predictor_rl.core.space import Rows, SearchSpace
from optuna_predictor_rl.core.targets import rank_targets
from optuna_predictor_rl.core.transfer import Opinions
from optuna_predictor_rl.history import History
from optuna_predictor_rl.prediction import StudyPredictor

N_ELITE = 5
"""Best trials that rounds of the policy and local moves start from."""

N_KEPT = 512
"""Candidates of a search that are kept for trials asked for before another one has finished."""


@dataclass(frozen=True)
class Knowledge:
    """What is known beside a study's own trials.

    Args:
        opinions: What other searches predict of rows.
        logits: Where the policies start, on the options of their grid.
    """

    opinions: Opinions | None = None
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

    Attributes:
        policy: Settings of the policy.
        device: Where networks and policies are trained.
        lock: Held by a thread while it asks, so that it knows what the others have been given.
    """

    def __init__(
        self, predictor: PredictorConfig, policy: PolicyConfig, seed: int, device: torch.device
    ) -> None:
        self.lock = threading.Lock()
        self.policy = policy
        self._config = predictor
        self._seed = seed
        self.device = device
        self._key = b""
        self._last: Search | None = None
        self._predictor: tuple[Search, StudyPredictor] | None = None

    def __getstate__(self) -> dict[str, object]:
        """Without the lock, which cannot be pickled, and the last search, which is recomputed."""
        forgotten = {"lock": None, "_key": b"", "_last": None, "_predictor": None}
        return {**self.__dict__, **forgotten}

    def __setstate__(self, state: dict[str, object]) -> None:
        """With a lock of its own."""
        self.__dict__.update(state)
        self.lock = threading.Lock()

    def suggest(
        self, history: History, weight: Float[ndarray, " t"], knowledge: Knowledge = NOTHING
    ) -> Rows:
        """Rows to try next, best first, (n, decisions)."""
        searched = self.search(history, weight, knowledge)
        rows = searched.rows
        ensemble = searched.ensemble.expecting(history.pending)
        if len(history.pending) and self.policy.reward == "improvement":
            rows = rows[np.argsort(-ensemble.log_improvement(rows, weight), kind="stable")]
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
        key = _digest(history, weight)
        if self._last is None or self._key != key:
            with _one_thread():
                self._last = self._run(history, weight, knowledge)
            self._key = key
        return self._last

    def predictor(self, searched: Search, sign: float) -> StudyPredictor:
        """The predictor of a search in the study's units, calibrated once for each search."""
        if self._predictor is None or self._predictor[0] is not searched:
            space = searched.history.space

            def refit(rows: Rows, labels: Float[ndarray, "n t"]) -> Ensemble:
                rng = np.random.default_rng([self._seed, len(rows)])
                return self._fit(space, rows, labels, searched.knowledge, rng)

            with _one_thread():
                made = StudyPredictor.of(
                    searched.ensemble,
                    searched.history.labels,
                    refit=refit,
                    sign=sign,
                    seed=self._seed,
                )
            self._predictor = searched, made
        return self._predictor[1]

    def _fit(
        self,
        space: SearchSpace,
        rows: Rows,
        labels: Float[ndarray, "n t"],
        knowledge: Knowledge,
        rng: np.random.Generator,
    ) -> Ensemble:
        return fit_ensemble(
            self._config,
            space,
            rows,
            labels,
            rng=rng,
            opinions=knowledge.opinions,
            device=self.device,
        )

    def _run(self, history: History, weight: Float[ndarray, " t"], knowledge: Knowledge) -> Search:
        rng = np.random.default_rng([self._seed, len(history.rows)])
        ensemble = self._fit(history.space, history.rows, history.labels, knowledge, rng)
        greedy = self.policy.reward == "mean"
        score = ensemble.mean if greedy else ensemble.log_improvement
        sign = 1.0 if greedy else -1.0
        found = search(
            history.space,
            lambda rows: sign * score(rows, weight),
            self.policy,
            elite=elite(history, weight),
            rng=rng,
            logits=knowledge.logits,
            device=self.device,
        )
        n_kept = len(history.seen) + N_KEPT
        return Search(history, weight, ensemble, found, found.top(n_kept, history.seen), knowledge)


def elite(history: History, weight: Float[ndarray, " t"]) -> Rows:
    """The best labelled rows, best first."""
    standing = np.nan_to_num(rank_targets(history.labels))  # a missing one is in the middle
    return history.rows[np.argsort(standing @ weight, kind="stable")[:N_ELITE]]


def _digest(history: History, weight: Float[ndarray, " t"]) -> bytes:
    digest = hashlib.blake2b(repr(history.space).encode(), digest_size=16)
    for array in (history.rows, history.labels, weight):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.digest()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Small matrices are slower on several threads; the caller's setting is restored."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)
