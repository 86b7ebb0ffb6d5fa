"""User attributes of a trial that optuna-dashboard sorts and draws: its origin and predictions.

They have to be stored while the trial runs, as Optuna lets nobody write to a finished one.
"""

import numpy as np
from optuna.study import Study
from optuna.trial import FrozenTrial

from optuna_predictor_rl.core.predictor.calibration import LabelPredictor
from optuna_predictor_rl.core.space import Rows, row_keys
from optuna_predictor_rl.search.suggester import FittedSearch
from optuna_predictor_rl.study.attributes import (
    FEASIBLE,
    PHASE,
    PREDICTED,
    PREDICTED_STD,
    ROUND,
    VIOLATION,
)
from optuna_predictor_rl.study.objective import sign_of
from optuna_predictor_rl.study.storage import set_trial_attribute, trial_id


def store_suggestion(
    study: Study, trial: FrozenTrial, row: Rows, search: FittedSearch | None
) -> None:
    """Store where a running trial's parameters come from, and what is predicted of them.

    Args:
        study: The study.
        trial: The running trial.
        row: Its parameters, (1, decisions).
        search: The search they come from; None during the startup.
    """
    identifier = trial_id(trial)
    if search is None:
        set_trial_attribute(study, identifier, PHASE, "startup")
        return
    key = row_keys(row)[0]
    if key in row_keys(search.rows):
        place = row_keys(search.candidates.rows).index(key)
        set_trial_attribute(study, identifier, PHASE, "search")
        set_trial_attribute(study, identifier, ROUND, int(search.candidates.round[place]))
    else:
        set_trial_attribute(study, identifier, PHASE, "random")
    for name, value in _predicted(study, row, search).items():
        set_trial_attribute(study, identifier, name, value)


def store_constraints(study: Study, trial: FrozenTrial) -> None:
    """Store whether a running trial is feasible: optuna-dashboard does not read constraints."""
    constraints = trial.constraints
    if not constraints:
        return
    violation = sum(max(value, 0.0) for value in constraints.values())
    set_trial_attribute(study, trial_id(trial), VIOLATION, float(violation))
    set_trial_attribute(study, trial_id(trial), FEASIBLE, int(violation == 0.0))


def _predicted(study: Study, row: Rows, search: FittedSearch) -> dict[str, float]:
    if len(study.directions) > 1:  # they are scalarized to one label, which has no unit
        return {}
    labels = search.history.labels
    (mean, std), _ = LabelPredictor.of(search.ensemble, labels).predict(row)
    predicted = {}
    for t, (task, sign) in enumerate([("value", sign_of(study)), ("cost", 1.0)][: mean.shape[1]]):
        if not np.isnan(labels[:, t]).all():
            predicted[PREDICTED.format(task=task)] = sign * float(mean[0, t])
            predicted[PREDICTED_STD.format(task=task)] = float(std[0, t])
    return predicted
