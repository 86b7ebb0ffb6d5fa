"""The best trials so far: where rounds of the policy and local moves start."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.core.space import Rows
from optuna_predictor_rl.core.targets import rank_targets, signed_target, transformed
from optuna_predictor_rl.data.history import History

N_ELITE = 5
"""How many there are."""


def elite_rows(
    history: History,
    weight: Float[ndarray, " t"],
    known_cost: Callable[[Rows], Float[ndarray, " n"]] | None = None,
    excess: Callable[[Rows], Float[ndarray, " n"]] | None = None,
) -> Rows:
    """The best labelled rows, feasible ones first, best first, (at most 5, decisions).

    Args:
        history: The trials.
        weight: Weight of each task in Eq. (6).
        known_cost: The last task, if it has no labels.
        excess: By how much rows exceed a budget.
    """
    rows, labels = history.rows, history.labels
    violation = _violation(history.constraints)
    if excess is not None:
        violation = violation + excess(rows)
    if known_cost is not None:
        labels = np.column_stack([labels, known_cost(rows)])
    standing = np.nan_to_num(rank_targets(labels))  # a missing one is in the middle
    return rows[np.lexsort((standing @ weight, violation))[:N_ELITE]]


def _violation(constraints: Float[ndarray, "n c"]) -> Float[ndarray, " n"]:
    """How far each row is from being feasible; a missing constraint counts as satisfied."""
    signed = np.nan_to_num(transformed(constraints, signed_target))
    return np.maximum(signed, 0.0).sum(1)
