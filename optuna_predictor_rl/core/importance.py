"""Importance of decisions: the share of a prediction's variance that each takes part in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.core.space import Rows, SearchSpace
from optuna_predictor_rl.support.checked import check_at_least

CONSTANT = 1e-24
"""Variance of a task, of about unit variance, up to which it differs by rounding alone."""


def total_effects(
    space: SearchSpace,
    predict: Callable[[Rows], Float[ndarray, "n t"]],
    *,
    n_samples: int = 1024,
    rng: np.random.Generator,
) -> Float[ndarray, "d t"]:
    """Return the total effect (Sobol') of each decision on each task, for uniform configurations.

    It is the expected squared change of the prediction when the decision alone is drawn anew,
    in units of twice the variance: permutation importance with the squared error, estimated as
    in Jansen (1999), "Analysis of variance designs for model output". The effects of an additive
    function add up to 1; interactions count for all decisions that take part.

    An inactive decision changes nothing. A decision that switches others on or off takes part in
    their effects.

    Args:
        space: The search space, with its conditions.
        predict: What to explain, (n, decisions) -> (n, tasks).
        n_samples: Configurations that each decision is drawn anew in.
        rng: Source of all randomness.

    Returns:
        The effects, (decisions, tasks), at least 0; NaN for a task that is constant.

    Raises:
        ValueError: If there are fewer than 2 samples.

    Example:
        >>> from optuna_predictor_rl.core.decisions import Numeric
        >>> space = SearchSpace((
        ...     Numeric(name="x", low=0.0, high=1.0),
        ...     Numeric(name="y", low=0.0, high=1.0),
        ... ))
        >>> rng = np.random.default_rng(0)
        >>> effects = total_effects(space, lambda rows: rows @ [[3.0], [1.0]], rng=rng)
        >>> effects.round(1).tolist()
        [[0.9], [0.1]]
    """
    check_at_least(2, n_samples=n_samples)
    # Drawn without conditions, so that a decision has a value where its parent activates it.
    unconditional = replace(space, conditions=())
    first, second = (unconditional.random(n_samples, rng) for _ in range(2))
    base = predict(space.canonical(first.copy()))
    variance = np.concatenate([base, predict(space.canonical(second.copy()))]).var(0)
    changes = []
    for j in range(len(space.decisions)):
        mixed = first.copy()
        mixed[:, j] = second[:, j]
        changes.append(((predict(space.canonical(mixed)) - base) ** 2).mean(0) / 2.0)
    return np.stack(changes) / np.where(variance > CONSTANT, variance, np.nan)
