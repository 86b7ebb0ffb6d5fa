"""Which trials train past the cutoff: those that may become the best, and some to learn from."""

import math
from collections.abc import Sequence

import numpy as np
import scipy
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl.core.curves import Curve, Extrapolation
from optuna_predictor_rl.fidelity.cutoff_rule import StoppingRule
from optuna_predictor_rl.fidelity.labels import stored_label
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.attributes import FIDELITY, as_number
from optuna_predictor_rl.study.objective import best_value, sign_of

DUE = 0.2
"""The share of the labels of stopped trials among which one is good enough to be due."""


def is_promising(
    study: Study, label: Extrapolation, full: Sequence[FrozenTrial], probability: float
) -> bool:
    """Whether a label is at least so likely to become better than the best full value."""
    margin = sign_of(study) * (best_value(study, full) - label.value)
    if not label.std > 0:
        return margin > 0
    return float(scipy.special.ndtr(margin / label.std)) >= probability


def leads_to_the_best(
    study: Study, curve: Curve, full: Sequence[FrozenTrial], rule: StoppingRule
) -> bool:
    """Whether a curve that went on straight would become better than the best full value.

    Learning slows down as a rule, so a straight line is the most that a training can hope for. It
    keeps those that learn late, which labels tell nothing of before one of their like has ended.
    """
    if len(curve) < 2 or math.isinf(rule.end):
        return False
    straight = rule.at_the_end(curve, axis="linear", shrink=0.0)
    return sign_of(study) * (best_value(study, full) - straight) > 0


def is_due(
    study: Study,
    label: Extrapolation,
    full: Sequence[FrozenTrial],
    *,
    whole: float,
    patience: float,
) -> bool:
    """Whether a trial goes on because none has run to its end for long.

    Args:
        study: Whose trials were stopped.
        label: Of the trial: it has to be among the best of those that were stopped since.
        full: The full trials.
        whole: Steps of a whole training.
        patience: What the trials stopped since the last full one have to have cost, in whole
            trainings.
    """
    last = max((trial.number for trial in full), default=-1)
    finished = storage.trials(study, (TrialState.COMPLETE, TrialState.PRUNED))
    stopped = [t for t in finished if t.number > last and stored_label(t) is not None]
    steps = sum(as_number(trial.user_attrs.get(FIDELITY)) or 0.0 for trial in stopped)
    if not stopped or math.isinf(whole) or steps < patience * whole:
        return False
    sign = sign_of(study)
    labels = [sign * (stored_label(trial) or 0.0) for trial in stopped]
    return sign * label.value <= float(np.quantile(labels, DUE))
