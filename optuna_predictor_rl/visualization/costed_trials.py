"""The value and the cost of a trial, and the cost weight that it was suggested under."""

import numpy as np
from optuna.trial import FrozenTrial

from optuna_predictor_rl.data.costs import KnownCost
from optuna_predictor_rl.fidelity.labels import value_or_label
from optuna_predictor_rl.sampler import PredictorRLSampler


def value_of(trial: FrozenTrial, objective: int, n_objectives: int) -> float | None:
    """Return a trial's value in an objective, or the label of a single one; None without any."""
    if n_objectives == 1:
        return value_or_label(trial)
    return None if trial.values is None else trial.values[objective]


def cost_of(sampler: PredictorRLSampler, trial: FrozenTrial) -> float:
    """Return what a trial cost, NaN if that is not known."""
    assert sampler.cost is not None
    if isinstance(sampler.cost, str):
        return float(trial.user_attrs.get(sampler.cost, np.nan))
    if isinstance(sampler.cost, KnownCost):
        return sampler.cost(trial.params)
    return float(sampler.cost(trial))


def weight_of(sampler: PredictorRLSampler, trial: FrozenTrial, trials: list[FrozenTrial]) -> float:
    """Return the cost weight of the search that suggested a trial, NaN if none did."""
    start = trial.datetime_start
    before = [t for t in trials if start and t.datetime_complete and t.datetime_complete <= start]
    if len(before) < max(sampler.n_startup_trials, 1) or "fixed_params" in trial.system_attrs:
        return float("nan")
    return sampler.cost_weights[trial.number % len(sampler.cost_weights)]
