"""Several objectives as one, by weights that differ from trial to trial."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optuna_predictor_rl.core.pareto import chebyshev
from optuna_predictor_rl.data.history import History


def with_one_objective(history: History, seed: int, number: int) -> History:
    """Return the history as a trial sees it that searches for one point of the Pareto front.

    Its weights are uniform on the simplex, so that the trials of a study trace the front.

    Args:
        history: The trials of a study with several objectives.
        seed: The sampler's seed.
        number: The number of the next trial.
    """
    n = history.n_objectives
    weight = np.random.default_rng([seed, number, n]).dirichlet(np.ones(n))
    labels = history.labels
    if not len(labels):
        return replace(history, labels=labels[:, n - 1 :], n_objectives=1)
    value = chebyshev(labels[:, :n], weight, history.feasible)
    return replace(history, labels=np.column_stack([value, labels[:, n:]]), n_objectives=1)
