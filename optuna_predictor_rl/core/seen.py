"""Which rows are configurations that trials have had."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from optuna_predictor_rl.core.space import Rows, row_keys


class Seen:
    """Tells of rows whether they are configurations that trials have had.

    Two configurations are the same if they agree in the decisions that are asked for. A trial that
    ran to its end shows which ones that are: a row with the same values of these would ask for no
    others, whatever it has in them.

    Args:
        rows: Rows of trials, (n, decisions), NaN where a trial lacks a decision.
        whole: Which of them have all that they would ever be asked for, (n,). The others are the
            same only as rows that lack the same decisions.

    Example:
        >>> seen = Seen(np.array([[0.5, np.nan]]), np.array([True]))
        >>> seen(np.array([[0.5, np.nan], [0.5, 0.3], [0.4, np.nan]])).tolist()
        [True, True, False]
    """

    def __init__(self, rows: Rows, whole: Bool[ndarray, " n"]) -> None:
        self._keys = set(row_keys(rows))
        asked = ~np.isnan(rows[whole])
        self._partial = [
            (pattern, set(row_keys(rows[whole][(asked == pattern).all(axis=1)])))
            for pattern in np.unique(asked, axis=0)
            if not pattern.all()
        ]

    def __call__(self, rows: Rows) -> Bool[ndarray, " n"]:
        """Which rows are such configurations."""
        found = np.array([key in self._keys for key in row_keys(rows)], dtype=bool)
        asked = ~np.isnan(rows)
        n_asked = asked.sum(axis=1)
        for pattern, keys in self._partial:
            more = np.flatnonzero((n_asked > pattern.sum()) & asked[:, pattern].all(axis=1))
            if len(more):
                shared = row_keys(np.where(pattern, rows[more], np.nan))
                found[more] |= np.array([key in keys for key in shared], dtype=bool)
        return found
