"""The configurations to try next under a cost weight, with their predicted value and cost."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from optuna_predictor_rl.core.predictor.calibration import LabelPredictor
from optuna_predictor_rl.data.costs import KnownCost
from optuna_predictor_rl.sampler import PredictorRLSampler
from optuna_predictor_rl.search.suggester import FittedSearch


@dataclass(frozen=True, kw_only=True)
class Proposals:
    """The configurations to try next under a cost weight, best first.

    Attributes:
        cost_weight: The alpha of Eq. (6).
        value: Predicted values, in the study's unit.
        cost: Predicted or known costs, in the unit of the trials' costs.
    """

    cost_weight: float
    value: Float[np.ndarray, " n"]
    cost: Float[np.ndarray, " n"]


def proposals_of(
    sampler: PredictorRLSampler, found: FittedSearch, n: int, sign: float
) -> Proposals:
    """Return the n best untried configurations of a search; `sign` is that of its study."""
    history, rows = found.history, found.rows[:n]
    (mean, _), _ = LabelPredictor.of(found.ensemble, history.labels).predict(rows)
    if isinstance(sampler.cost, KnownCost):
        configurations = history.space.configurations(rows)
        cost = np.array([sampler.cost({**history.fixed, **params}) for params in configurations])
    else:
        cost = mean[:, 1]
    return Proposals(cost_weight=float(found.weight[1]), value=sign * mean[:, 0], cost=cost)
