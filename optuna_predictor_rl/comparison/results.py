"""The results of one searcher, measured on its trials."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl.comparison.statistics import mean_of_best
from optuna_predictor_rl.study.attributes import EVALUATION_SECONDS, SUGGESTION_SECONDS

N_TOP = 5
"""How many of a searcher's best values `SearcherResult.top_mean` averages."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SearcherResult:
    """The results of one searcher's own trials; arrays have one entry a seed.

    Attributes:
        name: Name of the searcher; `"shared"` for the shared trials.
        n_trials: Number of trials that count: complete, pruned, and failed by themselves.
        n_pruned: Number of pruned trials among them.
        n_failed: Number of failed trials among them.
        best: Best value of a complete trial; NaN if there is none.
        gain: Change from the baseline to the best value, in % of the baseline.
        top_mean: Mean of the five best values.
        compute: Compute spent, summed over the trials.
        suggestion_seconds: Wall time of the sampler in a trial, mean over the trials.
        probability: Probability of being the best searcher; NaN with fewer than two seeds.
    """

    name: str
    n_trials: Int[ndarray, " seeds"]
    n_pruned: Int[ndarray, " seeds"]
    n_failed: Int[ndarray, " seeds"]
    best: Float[ndarray, " seeds"]
    gain: Float[ndarray, " seeds"]
    top_mean: Float[ndarray, " seeds"]
    compute: Float[ndarray, " seeds"]
    suggestion_seconds: Float[ndarray, " seeds"]
    probability: float


def maximized(studies: Sequence[Study], objective: int | None = None) -> bool:
    """Return whether all studies maximize their only objective, or one of a given index.

    Raises:
        ValueError: If there is no study, one has several objectives of which none is given, or
            directions differ.
    """
    if not studies:
        raise ValueError("studies must have at least one, but got none.")
    if objective is None and any(len(study.directions) > 1 for study in studies):
        raise ValueError("studies must have one objective each, but got one with several.")
    directions = {study.directions[objective or 0] for study in studies}
    if len(directions) > 1:
        raise ValueError("studies must have the same direction, but got both.")
    return directions == {StudyDirection.MAXIMIZE}


def baseline_of(
    shared: Sequence[FrozenTrial],
    baseline: float | None,
    *,
    values_are_gains: bool,
    objective: int = 0,
) -> float:
    """Return the value that gains are relative to; see `ComparisonReport.of`."""
    if baseline is not None:
        return float(baseline)
    if values_are_gains:
        return 0.0
    return next(iter(final_values(shared, objective)), math.nan)


def final_value(trial: FrozenTrial, objective: int = 0) -> float:
    """Return a value of a complete trial, NaN for others: a pruned trial's is not final."""
    if trial.state != TrialState.COMPLETE or trial.values is None:
        return math.nan
    return trial.values[objective]


def final_values(trials: Sequence[FrozenTrial], objective: int = 0) -> list[float]:
    """Return the values of the complete trials."""
    found = [final_value(trial, objective) for trial in trials]
    return [value for value in found if not math.isnan(value)]


def measured(trials: Sequence[FrozenTrial], compute: str, *, maximize: bool) -> dict[str, Any]:
    """Return the arguments of `SearcherResult` that one searcher's trials in one study give."""
    values = final_values(trials)
    seconds = [
        t.user_attrs[SUGGESTION_SECONDS] for t in trials if SUGGESTION_SECONDS in t.user_attrs
    ]
    return {
        "n_trials": len(trials),
        "n_pruned": sum(t.state == TrialState.PRUNED for t in trials),
        "n_failed": sum(t.state == TrialState.FAIL for t in trials),
        "best": mean_of_best(values, 1, maximize=maximize),
        "top_mean": mean_of_best(values, N_TOP, maximize=maximize),
        "compute": float(sum(_compute(trial, compute) for trial in trials)),
        "suggestion_seconds": float(np.mean(seconds)) if seconds else math.nan,
    }


def _compute(trial: FrozenTrial, attribute: str) -> float:
    if attribute == EVALUATION_SECONDS and attribute not in trial.user_attrs:
        return 0.0 if trial.duration is None else trial.duration.total_seconds()
    return float(trial.user_attrs.get(attribute, 0.0))
