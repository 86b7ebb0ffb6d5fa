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
from optuna_predictor_rl.core.space import Rows
from optuna_predictor_rl.core.targets import rank_targets
from optuna_predictor_rl.history import History

N_ELITE = 5
"""Best trials that rounds of the policy and local moves start from."""

N_KEPT = 512
"""Candidates of a search that are kept for trials asked for before another one has finished."""


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

    Attributes:
        lock: Held by a thread while it asks, so that it knows what the others have been given.
    """

    def __init__(
        self, predictor: PredictorConfig, policy: PolicyConfig, seed: int, device: torch.device
    ) -> None:
        self.lock = threading.Lock()
        self._predictor = predictor
        self._policy = policy
        self._seed = seed
        self._device = device
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
            with _one_thread():
                self._last = self._run(history, weight)
            self._key = key
        return self._last

    def _run(self, history: History, weight: Float[ndarray, " t"]) -> Search:
        rng = np.random.default_rng([self._seed, len(history.rows)])
        ensemble = fit_ensemble(
            self._predictor,
            history.space,
            history.rows,
            history.labels,
            rng=rng,
            device=self._device,
        )
        greedy = self._policy.reward == "mean"
        score = ensemble.mean if greedy else ensemble.log_improvement
        sign = 1.0 if greedy else -1.0
        standing = np.nan_to_num(rank_targets(history.labels))  # a missing one is in the middle
        order = np.argsort(standing @ weight, kind="stable")
        found = search(
            history.space,
            lambda rows: sign * score(rows, weight),
            self._policy,
            elite=history.rows[order[:N_ELITE]],
            rng=rng,
            device=self._device,
        )
        n_kept = len(history.seen) + N_KEPT
        return Search(history, weight, ensemble, found, found.top(n_kept, history.seen))


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
