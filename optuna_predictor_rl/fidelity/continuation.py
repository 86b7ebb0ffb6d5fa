"""Which trials train past the cutoff, and why; which are hopeless even before it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import scipy
from jaxtyping import Float
from numpy import ndarray
from optuna.study import Study
from optuna.trial import FrozenTrial

from optuna_predictor_rl.core.curves import Curve, Extrapolation
from optuna_predictor_rl.core.curves.cutoff import worst_value
from optuna_predictor_rl.core.curves.label import labels_at
from optuna_predictor_rl.fidelity.cutoff_rule import StoppingRule
from optuna_predictor_rl.fidelity.full_curves import checkpoints, nearest
from optuna_predictor_rl.fidelity.labels import is_full, stored_label
from optuna_predictor_rl.fidelity.settings import LowFidelitySettings
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.attributes import FIDELITY, FULL_FIDELITY, as_number
from optuna_predictor_rl.study.objective import best_value, direction_of, sign_of, trial_values

REFRESH_QUANTILE = 0.2
"""A trial may refresh the labels if its own is in this best part of those stopped since."""


class Reason(Enum):
    """Why a trial trains past the cutoff."""

    PROMISING = "Its label says that it may become the best."
    STRAIGHT_LINE = "It would become the best if its curve went on straight."
    REFRESH = "Many trials were stopped since the last full one, which labels are learned from."


@dataclass(frozen=True)
class AtCutoff:
    """A trial at the cutoff.

    Attributes:
        study: The trial's study.
        rule: The rule that would stop it.
        full: The study's full trials.
        curve: As far as it was trained.
        label: Its label there.
    """

    study: Study
    rule: StoppingRule
    full: Sequence[FrozenTrial]
    curve: Curve
    label: Extrapolation


def reason_to_continue(trial: AtCutoff, settings: LowFidelitySettings) -> Reason | None:
    """Return why a trial at the cutoff trains on; None if it stops."""
    if settings.promising == 1.0:
        return None
    if _is_promising(trial, settings.promising):
        return Reason.PROMISING
    if _leads_to_the_best(trial):
        return Reason.STRAIGHT_LINE
    return Reason.REFRESH if _refreshes_labels(trial, settings.patience) else None


def trains_in_full(trial: FrozenTrial, full_fraction: float) -> bool:
    """Return whether a trial trains to the end whatever it reports.

    Args:
        trial: One that was enqueued with `FULL_FIDELITY` does.
        full_fraction: Share of all trials that do, evenly spread over their numbers.
    """
    if trial.user_attrs.get(FULL_FIDELITY):
        return True
    number = trial.number
    return math.floor((number + 1) * full_fraction) > math.floor(number * full_fraction)


def _is_promising(trial: AtCutoff, probability: float) -> bool:
    """Return whether the label is at least so likely to be better than the best full value."""
    margin = sign_of(trial.study) * (best_value(trial.study, trial.full) - trial.label.value)
    if not trial.label.std > 0:
        return margin > 0
    return float(scipy.special.ndtr(margin / trial.label.std)) >= probability


def _leads_to_the_best(trial: AtCutoff) -> bool:
    """Return whether a curve that went on straight would beat the best full value.

    Learning usually slows down, so a straight line is the most that a training can hope for. This
    keeps those that learn late, which labels miss until one of their like has ended: in replays of
    32 searches it lowers the regret lost in stopped trials from 18.5 to 3.0 (docs/results.md).
    """
    if len(trial.curve) < 2 or math.isinf(trial.rule.end):
        return False
    straight = trial.rule.value_at_end(trial.curve, axis="linear", shrink=0.0)
    return sign_of(trial.study) * (best_value(trial.study, trial.full) - straight) > 0


def _refreshes_labels(trial: AtCutoff, patience: float) -> bool:
    """Return whether many trials were stopped since the last full one, and this is a good one.

    Args:
        trial: Its label has to be among the best of those stopped since.
        patience: What those have to have cost, in full trainings.
    """
    last = max((other.number for other in trial.full), default=-1)
    finished = storage.trials(trial.study, storage.LABELLED)
    stopped = [
        (t, label) for t in finished if t.number > last and (label := stored_label(t)) is not None
    ]
    steps = sum(as_number(t.user_attrs.get(FIDELITY)) or 0.0 for t, _ in stopped)
    end = trial.rule.end
    if not stopped or math.isinf(end) or steps < patience * end:
        return False
    sign = sign_of(trial.study)
    labels = [sign * label for _, label in stopped]
    return sign * trial.label.value <= float(np.quantile(labels, REFRESH_QUANTILE))


class PilotErrors:
    """Final values less labels of the pilots, by the step at which the labels are taken.

    Args:
        study: Of the pilots.
        rule: That they decided.
        pilots: The full trials that decided it.

    Attributes:
        checkpoints: The steps at which errors are known; between them the nearest counts.
    """

    def __init__(self, study: Study, rule: StoppingRule, pilots: Sequence[FrozenTrial]) -> None:
        self._rule = rule
        self._worst = worst_value(direction_of(study))
        self._curves = [Curve.of(trial.intermediate_values) for trial in pilots]
        self._finals = trial_values(pilots)
        self._known: dict[float, Float[ndarray, " n"]] = {}
        self.checkpoints = checkpoints(self._curves, rule.cutoff)

    def final_value(self, curve: Curve) -> tuple[float, float] | None:
        """Return mean and scale of the Student-t distribution of a training's final value.

        None if the curve has no label, or fewer than three pilots have one at its step.
        """
        label = self._rule.label(curve)
        step = nearest(self.checkpoints, curve.last_step)
        with np.errstate(over="ignore", invalid="ignore"):  # values near the largest float
            if step not in self._known:
                then = labels_at(self._curves, step, self._rule.fit, self._worst)
                errors = self._finals - then
                self._known[step] = errors[np.isfinite(errors)]
            errors = self._known[step]
            if label is None or len(errors) < 3:
                return None
            mean = label.value + float(errors.mean())
            # The error of one more trial: that of the pilots' mean, and its own.
            scale = float(errors.std(ddof=1)) * math.sqrt(1 + 1 / len(errors))
        return (mean, scale) if math.isfinite(mean) and math.isfinite(scale) else None

    def is_hopeless(self, study: Study, curve: Curve, probability: float) -> bool:
        """Return whether a trial is so likely to end in the worse half of the finished trials."""
        expected = self.final_value(curve)
        if expected is None:
            return False
        finished = storage.trials(study, storage.LABELLED)
        known = [t.value if is_full(t) else stored_label(t) for t in finished]
        median = float(np.median([value for value in known if value is not None]))
        margin = sign_of(study) * (expected[0] - median)
        if expected[1] == 0:
            return margin > 0
        certainty = scipy.stats.t.cdf(margin / expected[1], df=self._rule.n_pilots - 1)
        return float(certainty) > probability
