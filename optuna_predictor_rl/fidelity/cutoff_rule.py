"""The stopping rule: where training stops, and how a curve is labelled there."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from optuna.trial import FrozenTrial

from optuna_predictor_rl.core.curves import (
    AxisName,
    Curve,
    Direction,
    Extrapolation,
    LabelFit,
    choose_fit,
    rank_correlation_by_cutoff,
)
from optuna_predictor_rl.core.curves.cutoff import report_steps, worst_value
from optuna_predictor_rl.core.curves.extrapolation import extrapolate_curve
from optuna_predictor_rl.fidelity.full_curves import with_full_curves
from optuna_predictor_rl.fidelity.settings import LowFidelitySettings
from optuna_predictor_rl.study.attributes import as_number
from optuna_predictor_rl.study.objective import last_step, trial_values

MAX_CUTOFFS = 40
"""Candidate cutoffs; a finer grid of reports is thinned, as each costs a bootstrap of tau."""
N_CHOICE_CUTOFFS = 10
"""Cutoffs over which the ways of labelling are compared, in the middle of the training."""


@dataclass(frozen=True, kw_only=True)
class StoppingRule:
    """Where training stops, and the label it gets there.

    Attributes:
        cutoff: Stop at the first report at or past this step; None never stops.
        end: The last step of a full training; infinite if none has been seen.
        fit: How a curve is extrapolated.
        tau: Kendall's tau between the pilots' labels at the cutoff and their final values; NaN
            if no pilot decided it.
        tau_low: Its lower confidence bound.
        n_pilots: How many full trials decided; 0 for a cutoff that the user fixed.
    """

    cutoff: float | None
    end: float = math.inf
    fit: LabelFit
    tau: float = math.nan
    tau_low: float = math.nan
    n_pilots: int = 0

    def stops(self, curve: Curve) -> bool:
        """Return whether a training that has come this far stops now.

        A missing value at the end is waited out, unless so many are missing that the training
        has diverged.
        """
        return self.is_between(curve.last_step) and (curve.diverged or curve.n_missing == 0)

    def is_between(self, step: int | float) -> bool:
        """Return whether a step is at or past the cutoff, and before the end."""
        return self.cutoff is not None and self.cutoff <= step < self.end

    def needs_label(self, step: int | float) -> bool:
        """Return whether a training that ends at a step is shorter than a full one."""
        return self.cutoff is not None and step < self.end

    def can_label(self, curve: Curve) -> bool:
        """Return whether a training that still runs has come far enough for a label."""
        reached = self.cutoff is not None and curve.last_step >= self.cutoff
        return reached and self.label(curve) is not None

    def label(self, curve: Curve) -> Extrapolation | None:
        """Return Eq. (2) at the end of a curve; None if it diverged or has no finite value."""
        return self.fit.label(curve, end=self.end)

    def value_at_end(self, curve: Curve, *, axis: AxisName, shrink: float) -> float:
        """Return Eq. (2) from the last value up to the end of a full training."""
        delta = max(0.0, self.end - curve.last_step)
        return extrapolate_curve(
            curve, delta, self.fit.n_fit_points, axis, smooth=False, shrink=shrink
        ).value

    def to_json(self) -> dict[str, Any]:
        """Return the rule as a study attribute, without what is not finite."""
        record = dataclasses.asdict(self)
        return {
            key: value
            for key, value in record.items()
            if not (isinstance(value, float) and not math.isfinite(value))
        }

    @classmethod
    def from_json(cls, record: object) -> "StoppingRule":
        """Read what `to_json` wrote.

        Raises:
            ValueError: If it is something else.
        """
        if not isinstance(record, dict):
            raise ValueError(f"rule must be a dictionary, but got {record!r}.")
        fields = dict(record)
        fit = LabelFit(**_of_type(LabelFit(), fields.pop("fit", None)))
        cutoff = fields.pop("cutoff", None)
        example = cls(cutoff=None if cutoff is None else 0.0, fit=fit)
        return dataclasses.replace(example, **_of_type(example, fields | {"cutoff": cutoff}))


def _of_type(example: "LabelFit | StoppingRule", record: object) -> dict[str, Any]:
    """Return the record, if its items have the types of the example's attributes.

    Raises:
        ValueError: If they have not.
    """
    if not isinstance(record, dict):
        raise ValueError(f"fit must be a dictionary, but got {record!r}.")
    known = vars(example)
    read = {
        key: as_number(value) if isinstance(known.get(key), float) else value
        for key, value in record.items()
    }
    for key, value in read.items():
        if key not in known or type(value) is not type(known[key]):
            raise ValueError(f"{key} must be one of the rule's, but got {record[key]!r}.")
    return read


def decide(
    trials: Sequence[FrozenTrial], settings: LowFidelitySettings, direction: Direction
) -> StoppingRule:
    """Return the rule that full trials lead to; equal trials give an equal rule.

    Args:
        trials: Full trials with the curves they reported.
        settings: Which ways of labelling and which cutoffs to try, and what a cutoff has to keep.
        direction: Of the study.
    """
    fits, (n_pilots, trials) = settings.fits, (len(trials), with_full_curves(trials))
    curves = [Curve.of(trial.intermediate_values) for trial in trials]
    finals = trial_values(trials)
    steps, end = report_steps(curves, at_most=MAX_CUTOFFS), last_step(trials)
    tried = steps[steps >= settings.min_cutoff * end]
    if len(tried) == 0:  # no trial reported a finite value, or none but at the start
        return StoppingRule(cutoff=None, end=end, fit=fits[0], n_pilots=n_pilots)
    fit = choose_fit(curves, finals, fits, cutoffs=_middle(steps), worst=worst_value(direction))
    table = rank_correlation_by_cutoff(
        curves,
        finals=finals,
        cutoffs=tried,
        fit=fit,
        confidence=settings.confidence,
        direction=direction,
    )
    cutoff = table.recommend(settings.min_rank_correlation)
    tau, low = math.nan, math.nan
    if cutoff is not None:
        tau, low, _ = table.label[int(np.searchsorted(table.cutoffs, cutoff))]
    return StoppingRule(cutoff=cutoff, end=end, fit=fit, tau=tau, tau_low=low, n_pilots=n_pilots)


def _middle(steps: Float[np.ndarray, " c"]) -> Float[np.ndarray, " m"]:
    """Return a few steps between a fifth and four fifths of the way, where cutoffs pay."""
    places = np.linspace(0.2, 0.8, N_CHOICE_CUTOFFS) * (len(steps) - 1)
    return np.asarray(steps[np.unique(places.round().astype(int))])
