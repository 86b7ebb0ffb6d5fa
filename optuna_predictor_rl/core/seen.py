"""Which rows are configurations that trials have had."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from optuna_predictor_rl.core.space import Rows, row_keys


class Seen:
    """Test of rows for configurations that trials have had.

    Two configurations are the same if they agree in the active decisions. A trial that has all of
    these shows which they are: a row with the same values of them has no other active ones,
    whatever it holds there.

    Args:
        rows: Rows of trials, (n, decisions), NaN where a trial lacks a decision.
        has_all_active: Which of them have all decisions that are active for them, (n,). The others
            are the same only as rows that lack the same decisions.

    Example:
        >>> seen = Seen(np.array([[0.5, np.nan]]), np.array([True]))
        >>> seen(np.array([[0.5, np.nan], [0.5, 0.3], [0.4, np.nan]])).tolist()
        [True, True, False]
    """

    def __init__(self, rows: Rows, has_all_active: Bool[ndarray, " n"]) -> None:
        self._keys = set(row_keys(rows))
        rows = rows[has_all_active]
        active = ~np.isnan(rows)
        # For each set of active decisions that is not all: the values that trials had of them.
        self._partial = [
            (pattern, set(row_keys(rows[(active == pattern).all(axis=1)])))
            for pattern in np.unique(active, axis=0)
            if not pattern.all()
        ]

    def __call__(self, rows: Rows) -> Bool[ndarray, " n"]:
        """Return which rows are such configurations."""
        found = np.array([key in self._keys for key in row_keys(rows)], dtype=bool)
        present = ~np.isnan(rows)
        n_present = present.sum(axis=1)
        for pattern, keys in self._partial:
            more = np.flatnonzero((n_present > pattern.sum()) & present[:, pattern].all(axis=1))
            if len(more):
                shared = row_keys(np.where(pattern, rows[more], np.nan))
                found[more] |= np.array([key in keys for key in shared], dtype=bool)
        return found
