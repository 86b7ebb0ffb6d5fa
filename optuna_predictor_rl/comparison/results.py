"""What one searcher has found, measured on its trials."""

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


@dataclass(frozen=True, kw_only=True, eq=False)
class SearcherResult:
    """What one searcher has found by its own trials; arrays have one entry a seed.

    Attributes:
        name: Of the searcher; ``"shared"`` for the shared trials.
        n_trials: That count: complete, pruned, and failed by themselves.
        n_pruned: Of these.
        n_failed: Of these.
        best: Best value of a complete trial; NaN if there is none.
        gain: Of the best over the baseline, in %.
        top_mean: Mean of the five best values.
        compute: Sum over the trials.
        suggestion_seconds: Wall time of the sampler, mean over the trials.
        probability: Of being the best searcher; NaN with fewer than two seeds.
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


def maximized(studies: Sequence[Study]) -> bool:
    """Whether higher is better in all of the studies.

    Raises:
        ValueError: If there is no study, one has several objectives, or directions differ.
    """
    directions = {tuple(study.directions) for study in studies}
    if not directions:
        raise ValueError("studies must have at least one, but got none.")
    if any(len(several) > 1 for several in directions):
        raise ValueError("studies must have one objective each, but got one with several.")
    if len(directions) > 1:
        raise ValueError("studies must have the same direction, but got both.")
    return directions == {(StudyDirection.MAXIMIZE,)}


def baseline_of(
    shared: Sequence[FrozenTrial], baseline: float | None, *, values_are_gains: bool
) -> float:
    """The value that gains are over; see `ComparisonReport.of`."""
    if baseline is not None:
        return float(baseline)
    if values_are_gains:
        return 0.0
    return next((float(t.value) for t in shared if t.value is not None and completed(t)), math.nan)


def completed(trial: FrozenTrial) -> bool:
    """Whether a trial has a value that can be compared."""
    return trial.state == TrialState.COMPLETE


def measured(trials: Sequence[FrozenTrial], compute: str, *, maximize: bool) -> dict[str, Any]:
    """Numbers of one searcher under one seed."""
    values = [float(t.value) for t in trials if completed(t) and t.value is not None]
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
