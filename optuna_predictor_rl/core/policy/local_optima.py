"""Local optima of a cost, from the rounds of a search: good configurations that differ."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray

from optuna_predictor_rl.core.policy.local_search import refine
from optuna_predictor_rl.core.policy.reinforce import Cost, PolicyConfig, search
from optuna_predictor_rl.core.space import Rows, SearchSpace

N_REFINEMENTS = 4
"""Passes of local moves that take the best of each round to its local optimum."""


def local_optima(
    space: SearchSpace,
    cost: Cost,
    config: PolicyConfig,
    *,
    elite: Rows,
    rng: np.random.Generator,
    logits: Float[ndarray, "d o"] | None = None,
    device: torch.device | str = "cpu",
) -> tuple[Rows, Int[ndarray, " n"]]:
    """All that a search finds with local moves from the best of each of its rounds, best first.

    Args:
        space: The search space.
        cost: What to minimize.
        config: Settings of the search.
        elite: The best rows so far, best first.
        rng: Source of all randomness.
        logits: Where the policies start; uniform if None.
        device: Where the policies are trained.

    Returns:
        The rows, and the round that found each; -1 for moves from the best of all rounds.
    """
    found = search(space, cost, config, elite=elite, rng=rng, logits=logits, device=device)
    rows, costs, rounds = [found.rows], [found.cost], [found.round]
    for r in range(config.n_rounds):
        own = found.round == r
        moved, moved_costs = refine(
            space, cost, found.rows[own], found.cost[own], N_REFINEMENTS, rng
        )
        rows.append(moved)
        costs.append(moved_costs)
        rounds.append(np.full(len(moved), r))
    order = np.argsort(np.concatenate(costs), kind="stable")
    return np.concatenate(rows)[order], np.concatenate(rounds)[order]
