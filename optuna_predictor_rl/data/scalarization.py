"""Several objectives as one, by weights that differ from trial to trial."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.core.pareto import chebyshev
from optuna_predictor_rl.data.history import History


def trade_offs(n_objectives: int) -> Float[ndarray, "w o"]:
    """Return weights that lead to points all over a front: equal, of one objective, and between.

    Example:
        >>> trade_offs(2).tolist()
        [[0.5, 0.5], [1.0, 0.0], [0.0, 1.0], [0.75, 0.25], [0.25, 0.75]]
    """
    equal, single = np.full((1, n_objectives), 1.0 / n_objectives), np.eye(n_objectives)
    return np.concatenate([equal, single, (equal + single) / 2.0])


def with_one_objective(history: History, seed: int, number: int) -> History:
    """Return the history as a trial sees it that searches for one point of the Pareto front.

    Its weights are uniform on the simplex, so that the trials of a study trace the front. A study
    with one objective stays as it is.

    Args:
        history: The trials of a study.
        seed: The sampler's seed.
        number: The number of the next trial.
    """
    n = history.n_objectives
    if n == 1:
        return history
    weight = np.random.default_rng([seed, number, n]).dirichlet(np.ones(n))
    labels = history.labels
    if not len(labels):
        return replace(
            history, labels=labels[:, n - 1 :], n_objectives=1, objective_weights=weight
        )
    value = chebyshev(labels[:, :n], weight, history.feasible)
    labels = np.column_stack([value, labels[:, n:]])
    return replace(history, labels=labels, n_objectives=1, objective_weights=weight)
