"""What a search proposed, best first, and how its rounds learned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from optuna_predictor_rl.core.policy.factorized import Grid
from optuna_predictor_rl.core.seen import Seen
from optuna_predictor_rl.core.space import Rows, row_keys

BLOCK = 1024
"""Candidates that are compared with the seen rows at once: most of them are never looked at."""


@dataclass(frozen=True)
class Trace:
    """How the rounds of a search learned.

    Args:
        grid: The options that the policies chose from.
        score: Score of every configuration in the order of the steps, (steps, rounds, batch).
        steps: The steps whose policies are kept.
        probabilities: Probability of each option in those steps, (kept, rounds, decisions,
            options); 0 for options past a decision's own.
    """

    grid: Grid
    score: Float[ndarray, "s r n"]
    steps: Int[ndarray, " k"]
    probabilities: Float[ndarray, "k r d o"]


@dataclass(frozen=True)
class Candidates:
    """All configurations that a search has evaluated, best first.

    Args:
        rows: Their rows.
        score: Their scores, ascending.
        round: The round that proposed each; -1 for those of the refinement.
        trace: How the rounds learned.
    """

    rows: Float[ndarray, "n d"]
    score: Float[ndarray, " n"]
    round: Int[ndarray, " n"]
    trace: Trace

    @property
    def proposed(self) -> Float[ndarray, "s r n d"]:
        """Return the rows that the policies proposed, in the order of the trace."""
        score = self.trace.score
        rows = np.empty((score.size, self.rows.shape[1]))
        # The candidates are sorted stably. Without the refinement's rows they are still sorted
        # stably, so the same sort of the trace's scores tells where each row came from.
        rows[np.argsort(score.reshape(-1), kind="stable")] = self.rows[self.round >= 0]
        return rows.reshape(*score.shape, -1)

    def top(self, k: int, seen: Rows | Seen) -> Rows:
        """Return the k best distinct rows that are not seen, or fewer if there are not k.

        Args:
            k: Most rows to return.
            seen: Rows that are left out.
        """
        is_seen = seen if isinstance(seen, Seen) else Seen(seen, np.zeros(len(seen), dtype=bool))
        chosen: dict[bytes, ndarray] = {}
        for first in range(0, len(self.rows), BLOCK):
            block = self.rows[first : first + BLOCK]
            for row, key, old in zip(block, row_keys(block), is_seen(block), strict=True):
                if len(chosen) < k and not old:
                    chosen.setdefault(key, row)
            if len(chosen) == k:
                break
        return np.stack(list(chosen.values())) if chosen else self.rows[:0]
