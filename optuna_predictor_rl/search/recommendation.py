"""The configurations that a search would train to the end: good, different and new."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from optuna_predictor_rl.core.policy.spacing import diverse
from optuna_predictor_rl.core.space import Rows
from optuna_predictor_rl.search.study_predictor import StudyPredictor
from optuna_predictor_rl.support.checked import checked


@checked
class Recommendation(dict[str, Any]):
    """Parameters, as `study.enqueue_trial` takes them, and what is predicted of them.

    With several objectives `mean`, `std` and `rank` are tuples of a number for each.

    Args:
        params: The parameters.
        mean: Mean of the predicted value, in the study's units.
        std: Its standard deviation.
        rank: Share of random configurations that are predicted to be worse.
        cost_mean: Mean of the predicted cost, None without one.
        cost_weight: The alpha of Eq. (6) that they are recommended for.
        round: The round of REINFORCE that found them; -1 for a move from the best of all rounds.
    """

    def __init__(
        self,
        params: dict[str, Any],
        *,
        mean: float | tuple[float, ...],
        std: float | tuple[float, ...],
        rank: float | tuple[float, ...],
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
        pairs = zip(np.atleast_1d(self.mean), np.atleast_1d(self.std), strict=True)
        said = ", ".join(f"{mean:.6g} +- {std:.2g}" for mean, std in pairs)
        return f"Recommendation({super().__repr__()}, {said})"


def recommended(
    optima: dict[float, tuple[Rows, Int[ndarray, " n"]]],
    predictor: StudyPredictor,
    *,
    k: int,
    distance: float,
) -> list[Recommendation]:
    """Return the k best for each cost weight, far from each other and from those chosen before.

    Args:
        optima: Rows, best first, and their rounds, by cost weight.
        predictor: Predicts the values of the chosen.
        k: How many for each weight; fewer if no more are far enough apart.
        distance: Least Gower distance between two of them.
    """
    found: list[Recommendation] = []
    chosen = np.empty((0, len(predictor.space.decisions)))
    for cost_weight, (rows, rounds) in optima.items():
        picked = diverse(rows, predictor.space, k, distance, apart_from=chosen)
        chosen = np.concatenate([chosen, rows[picked]])
        predicted = predictor(rows[picked])
        costs = predicted.cost_mean
        for i, params in enumerate(predictor.space.configurations(rows[picked])):
            found.append(
                Recommendation(
                    params,
                    mean=_plain(predicted.mean, i),
                    std=_plain(predicted.std, i),
                    rank=_plain(predicted.rank, i),
                    cost_mean=None if costs is None else float(costs[i]),
                    cost_weight=cost_weight,
                    round=int(rounds[picked[i]]),
                )
            )
    return found


def _plain(column: Float[ndarray, "n ..."], i: int) -> float | tuple[float, ...]:
    """Return the number of one configuration, or a tuple of those of its objectives."""
    found = column[i].tolist()
    return tuple(found) if isinstance(found, list) else float(found)
