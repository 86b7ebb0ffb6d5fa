"""What a sampler was asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.core.policy.config import PolicyConfig
from optuna_predictor_rl.core.predictor.config import PredictorConfig
from optuna_predictor_rl.data.costs import Cost


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """Arguments of a `PredictorRLSampler` that several parts of its search read."""

    predictor: PredictorConfig
    policy: PolicyConfig
    cost: Cost | None
    cost_weights: tuple[float, ...]
    max_cost: float | None
    n_startup_trials: int
    learn_from_running: bool
    seed: int
    device: torch.device

    def task_weights(self, cost_weight: float) -> Float[ndarray, " t"]:
        """Return the weight of each task in Eq. (6) under an alpha."""
        return np.array([1.0 - cost_weight, cost_weight][: 1 + (self.cost is not None)])

    def next_task_weights(self, number: int) -> Float[ndarray, " t"]:
        """Return the weight of each task for a trial by its number."""
        return self.task_weights(self.cost_weights[number % len(self.cost_weights)])
