"""The Pareto front that a study's predictor expects of configurations that no trial has had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from optuna_predictor_rl.core.pareto import FrontScale, front_order, is_pareto
from optuna_predictor_rl.core.space import Rows
from optuna_predictor_rl.data.scalarization import trade_offs
from optuna_predictor_rl.search.acquisition import Acquisition
from optuna_predictor_rl.search.known_costs import RowFunction
from optuna_predictor_rl.search.study_predictor import StudyPredictor

Found = tuple[Rows, Int[ndarray, " n"]]
"""Rows, best first, and the rounds that found them."""

N_OPTIMA = 256
"""Best configurations of a trade-off among which the front of all of them is."""


def predicted_front(
    acquisition: Acquisition,
    predictor: StudyPredictor,
    optima: Callable[[Acquisition, RowFunction], Found],
) -> Found:
    """Return the front of what a search finds under several trade-offs, spread along it.

    Args:
        acquisition: Says which rows may be tried, and where a search starts.
        predictor: Predicts each objective.
        optima: Searches for rows that no trial has had with the least of a score.
    """
    problem = acquisition.problem
    history, n = problem.history, problem.history.n_objectives
    scale = FrontScale.of(history.labels[:, :n], history.feasible)
    costs = np.zeros(len(problem.weight) - n)
    parts = []
    for weight in trade_offs(n):

        def score(rows: Rows, weight: Float[ndarray, " o"] = weight) -> Float[ndarray, " n"]:
            distance = scale.distance(predictor.losses(rows), weight)
            return distance + acquisition.handicap(rows)

        weighed = replace(problem, weight=np.append(weight, costs))
        found = optima(replace(acquisition, problem=weighed), score)
        parts.append([best[:N_OPTIMA] for best in found])
    rows, rounds = (np.concatenate(found) for found in zip(*parts, strict=True))
    kept = acquisition.is_acceptable(rows)
    rows, rounds = rows[kept], rounds[kept]
    losses = predictor.losses(rows)
    front = np.flatnonzero(is_pareto(losses))
    order = front[front_order(losses[front])]
    return rows[order], rounds[order]
