"""The configurations to try next under a cost weight, with their predicted value and cost."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from optuna.study import Study

from optuna_predictor_rl.core.predictor.calibration import LabelPredictor
from optuna_predictor_rl.data.costs import KnownCost
from optuna_predictor_rl.sampler import PredictorRLSampler
from optuna_predictor_rl.study.objective import signs_of


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
    sampler: PredictorRLSampler, study: Study, cost_weight: float, n: int, objective: int
) -> Proposals:
    """Return the n best untried configurations of a search, by one of the study's objectives."""
    search = sampler.inspect(study, cost_weight=cost_weight)
    found = search if len(study.directions) == 1 else sampler.inspect_objectives(study)
    history, rows = found.history, search.rows[:n]
    (mean, _), _ = LabelPredictor.of(found.ensemble, history.labels).predict(rows)
    if isinstance(sampler.cost, KnownCost):
        configurations = history.space.configurations(rows)
        cost = np.array([sampler.cost({**history.fixed, **params}) for params in configurations])
    else:
        cost = mean[:, history.n_objectives]
    value = signs_of(study)[objective] * mean[:, objective]
    return Proposals(cost_weight=cost_weight, value=value, cost=cost)
