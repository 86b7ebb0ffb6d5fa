"""What is stored on a stopped trial: its label, and the step at which it was stopped."""

import math
from collections.abc import Iterable

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl.core.curves import Extrapolation
from optuna_predictor_rl.study.attributes import FIDELITY, LABEL, LABEL_STD, as_number
from optuna_predictor_rl.study.storage import set_trial_attribute


def store_label(study: Study, trial_id: int, fidelity: float, label: Extrapolation) -> None:
    """Mark a running trial as stopped at the step `fidelity`, with its label."""
    set_trial_attribute(study, trial_id, LABEL, float(label.value))
    set_trial_attribute(study, trial_id, FIDELITY, int(fidelity))
    if math.isfinite(label.std):
        set_trial_attribute(study, trial_id, LABEL_STD, float(label.std))


def stored_label(trial: FrozenTrial) -> float | None:
    """Return the label that a trial is marked with; None without one, or if it is no number."""
    return as_number(trial.user_attrs.get(LABEL))


def value_or_label(trial: FrozenTrial) -> float | None:
    """Return a complete trial's value, or the label that a stopped trial is marked with.

    None for one that another pruner stopped: see `optuna_predictor_rl.fidelity.pruned_trials`.
    """
    if trial.state == TrialState.COMPLETE:
        return trial.value
    stored = stored_label(trial) if trial.state == TrialState.PRUNED else None
    return None if stored is None or math.isnan(stored) else stored


def is_full(trial: FrozenTrial) -> bool:
    """Return whether a trial has trained to the end.

    A complete trial that returned its label has not. One that is marked but went on, and returned
    another value, has: a full value replaces a label. Trials of several objectives have no label.
    """
    if trial.values is not None and len(trial.values) > 1:
        return trial.state == TrialState.COMPLETE
    return trial.state == TrialState.COMPLETE and trial.value != stored_label(trial)


def full_trials(trials: Iterable[FrozenTrial]) -> list[FrozenTrial]:
    """Return the trials with a full value and a learning curve, in the order they ended in."""
    kept = [t for t in trials if len(t.intermediate_values) > 1 and is_full(t)]
    return sorted(kept, key=lambda t: (t.datetime_complete is None, t.datetime_complete, t.number))
