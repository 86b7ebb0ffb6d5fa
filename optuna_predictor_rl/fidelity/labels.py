"""Which trials carry a low-fidelity label, and which a full value or are to have one."""

import math
from collections.abc import Iterable

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl.core.curves import Extrapolation
from optuna_predictor_rl.study.attributes import FIDELITY, LABEL, LABEL_STD, as_number
from optuna_predictor_rl.study.storage import set_trial_attribute


def store_label(study: Study, trial_id: int, fidelity: float, label: Extrapolation) -> None:
    """Marks a running trial as stopped at ``fidelity`` with the given long-term value."""
    set_trial_attribute(study, trial_id, LABEL, float(label.value))
    set_trial_attribute(study, trial_id, FIDELITY, int(fidelity))
    if math.isfinite(label.std):
        set_trial_attribute(study, trial_id, LABEL_STD, float(label.std))


def stored_label(trial: FrozenTrial) -> float | None:
    """The label the trial was marked with, if it was; what is no number is no label."""
    return as_number(trial.user_attrs.get(LABEL))


def is_full(trial: FrozenTrial) -> bool:
    """Whether the trial ran to its end.

    A complete trial that returned its label is not full. One that was marked but went on and
    returned another value is: a full value replaces a label.
    """
    return trial.state == TrialState.COMPLETE and trial.value != stored_label(trial)


def full_trials(trials: Iterable[FrozenTrial]) -> list[FrozenTrial]:
    """The trials with a full value and a learning curve, in the order in which they ended."""
    kept = [t for t in trials if len(t.intermediate_values) > 1 and is_full(t)]
    return sorted(kept, key=lambda t: (t.datetime_complete is None, t.datetime_complete, t.number))
