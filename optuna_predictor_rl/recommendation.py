"""The configurations that a search would train to the end: good, different and new."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray

from optuna_predictor_rl.core.diversity import diverse
from optuna_predictor_rl.core.refine import refine
from optuna_predictor_rl.core.reinforce import PolicyConfig
from optuna_predictor_rl.core.reinforce import search as reinforce
from optuna_predictor_rl.core.space import Rows, row_keys
from optuna_predictor_rl.prediction import StudyPredictor
from optuna_predictor_rl.suggestion import Search, elite

N_REFINEMENTS = 4
"""Passes of local moves that take the best of each round to its local optimum."""


class Recommendation(dict[str, Any]):
    """Parameters, as `study.enqueue_trial` takes them, and what is predicted of them.

    Args:
        params: The parameters.
        mean: Mean of the predicted value, in the study's units.
        std: Its standard deviation.
        rank: Share of random configurations that are predicted to be worse.
        cost_mean: Mean of the predicted cost, None without one.
        cost_weight: The alpha of Eq. (6) that they are recommended for.
        round: The round of REINFORCE in which they were found; -1 for a move from the best.
    """

    def __init__(
        self,
        params: dict[str, Any],
        *,
        mean: float,
        std: float,
        rank: float,
        cost_mean: float | None,
        cost_weight: float,
        round: int,  # noqa: A002 # the paper's word
    ) -> None:
        super().__init__(params)
        self.mean = mean
        self.std = std
        self.rank = rank
        self.cost_mean = cost_mean
        self.cost_weight = cost_weight
        self.round = round

    def __repr__(self) -> str:
        expected = f"{self.mean:.6g} +- {self.std:.2g}"
        return f"Recommendation({super().__repr__()}, {expected})"


def recommended(
    searches: Sequence[tuple[float, Search]],
    predictor: StudyPredictor,
    policy: PolicyConfig,
    *,
    k: int,
    distance: float,
    rng: np.random.Generator,
    device: torch.device,
) -> list[Recommendation]:
    """The k best of each search by the ensemble's mean, each far from those chosen before.

    Args:
        searches: Cost weights, and the searches for them.
        predictor: Says what is expected of the chosen.
        policy: Settings of the policies.
        k: How many for each search; fewer if no more are far enough apart.
        distance: Least Gower distance between two of them.
        rng: Source of all randomness.
        device: Where the policies are trained.
    """
    found: list[Recommendation] = []
    chosen = np.empty((0, len(predictor.space.decisions)))
    for cost_weight, searched in searches:
        rows, rounds = _local_optima(searched, policy, rng, device)
        picked = diverse(rows, predictor.space, k, distance, apart_from=chosen)
        chosen = np.concatenate([chosen, rows[picked]])
        expected = predictor(rows[picked])
        for i, params in enumerate(predictor.space.configurations(rows[picked])):
            found.append(
                Recommendation(
                    params,
                    mean=float(expected.mean[i]),
                    std=float(expected.std[i]),
                    rank=float(expected.rank[i]),
                    cost_mean=None if expected.cost_mean is None else float(expected.cost_mean[i]),
                    cost_weight=cost_weight,
                    round=int(rounds[picked[i]]),
                )
            )
    return found


def _local_optima(
    searched: Search,
    policy: PolicyConfig,
    rng: np.random.Generator,
    device: torch.device,
) -> tuple[Rows, Int[ndarray, " n"]]:
    """What no trial has had of all that each round found, best first by mean, and the rounds."""
    history, weight = searched.history, searched.weight

    def cost(rows: Rows) -> Float[ndarray, " n"]:
        return searched.ensemble.mean(rows, weight)

    found = reinforce(
        history.space,
        cost,
        policy,
        elite=elite(history, weight),
        rng=rng,
        logits=searched.knowledge.logits,
        device=device,
    )
    rows, costs, rounds = [found.rows], [found.cost], [found.round]
    for r in range(policy.n_rounds):
        own = found.round == r
        moved, moved_costs = refine(
            history.space, cost, found.rows[own], found.cost[own], N_REFINEMENTS, rng
        )
        rows.append(moved)
        costs.append(moved_costs)
        rounds.append(np.full(len(moved), r))
    order = np.argsort(np.concatenate(costs), kind="stable")
    sorted_rows = np.concatenate(rows)[order]
    seen = set(row_keys(history.seen))
    new = np.array([key not in seen for key in row_keys(sorted_rows)], dtype=bool)
    return sorted_rows[new], np.concatenate(rounds)[order][new]
