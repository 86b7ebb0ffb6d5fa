"""The stopping rule that the pilots decide: where to stop and how to extrapolate from there."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial

from optuna_predictor_rl.core.curves import (
    Curve,
    Extrapolation,
    Fit,
    TauByCutoff,
    rank_correlation_by_cutoff,
)
from optuna_predictor_rl.core.curves.cutoff import Direction, horizon
from optuna_predictor_rl.core.curves.extrapolation import extrapolate_curve

MAX_CUTOFFS = 40
"""Candidate cutoffs that are tried; a finer grid of reports is thinned."""


@dataclass(frozen=True, kw_only=True)
class StoppingRule:
    """Where training stops, and the label it gets there.

    Attributes:
        cutoff: Stop at the first report at or past this step; None never stops.
        end: The last step of a whole training; infinite if none has been seen.
        extrapolate_by: Share of the way trained, see ``rank_correlation_by_cutoff``.
        n_fit_points: Points of the fit.
        fit: Kind of the fit.
        tau: Kendall's tau of the pilots at the cutoff; NaN if no pilot decided it.
        tau_low: Its lower confidence bound.
        n_pilots: How many full trials decided; 0 for a cutoff that the user fixed.
    """

    cutoff: float | None
    end: float = math.inf
    extrapolate_by: float
    n_fit_points: int
    fit: Fit
    tau: float = math.nan
    tau_low: float = math.nan
    n_pilots: int = 0

    def stops(self, curve: Curve) -> bool:
        """Whether a training that has come this far stops now.

        A missing value at the end is waited out, unless so many are missing that the training
        has diverged.
        """
        if self.cutoff is None or not self.cutoff <= curve.last_step < self.end:
            return False
        return curve.diverged or curve.n_missing == 0

    def label(self, curve: Curve) -> Extrapolation | None:
        """The long-term value (Eq. 2); None if the curve diverged or has no finite value."""
        if curve.diverged or len(curve) == 0:
            return None
        return extrapolate_curve(
            curve,
            delta=horizon(curve, extrapolate_by=self.extrapolate_by, end=self.end),
            n_fit_points=self.n_fit_points,
            fit=self.fit,
        )

    def to_json(self) -> dict[str, Any]:
        """As a study attribute; what is not finite is left out."""
        return {
            key: value
            for key, value in dataclasses.asdict(self).items()
            if not (isinstance(value, float) and not math.isfinite(value))
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "StoppingRule":
        """Reads what ``to_json`` wrote; keys of later versions are ignored."""
        names = {field.name for field in dataclasses.fields(cls)}
        return cls(**{key: value for key, value in record.items() if key in names})


def tau_of_trials(
    trials: Sequence[FrozenTrial],
    *,
    extrapolate_by: float,
    n_fit_points: int,
    fit: Fit,
    confidence: float,
    direction: Direction,
) -> TauByCutoff:
    """``rank_correlation_by_cutoff`` of full trials against the values they returned."""
    curves = [Curve.of(trial.intermediate_values) for trial in trials]
    steps = np.unique(np.concatenate([curve.steps for curve in curves]))
    thinned = np.linspace(0, len(steps) - 1, min(len(steps), MAX_CUTOFFS)).round().astype(int)
    return rank_correlation_by_cutoff(
        curves,
        finals=[math.nan if trial.value is None else trial.value for trial in trials],
        cutoffs=list(steps[thinned]),
        extrapolate_by=extrapolate_by,
        n_fit_points=n_fit_points,
        fit=fit,
        confidence=confidence,
        direction=direction,
    )


def decide(
    trials: Sequence[FrozenTrial],
    *,
    min_rank_correlation: float,
    extrapolate_by: float,
    n_fit_points: int,
    fit: Fit,
    confidence: float,
    direction: Direction,
) -> StoppingRule:
    """Learns the rule from full trials; equal trials give an equal rule."""
    table = tau_of_trials(
        trials,
        extrapolate_by=extrapolate_by,
        n_fit_points=n_fit_points,
        fit=fit,
        confidence=confidence,
        direction=direction,
    )
    cutoff = table.recommend(min_rank_correlation)
    tau, low = math.nan, math.nan
    if cutoff is not None:
        tau, low, _ = table.label[int(np.searchsorted(table.cutoffs, cutoff))]
    return StoppingRule(
        cutoff=cutoff,
        end=max(float(max(trial.intermediate_values)) for trial in trials),
        extrapolate_by=extrapolate_by,
        n_fit_points=n_fit_points,
        fit=fit,
        tau=tau,
        tau_low=low,
        n_pilots=len(trials),
    )
