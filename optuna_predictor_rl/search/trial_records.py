"""What a trial is given beside its parameters: numbers that optuna-dashboard sorts and draws.

They have to be stored while the trial runs, as Optuna lets nobody write to a finished one.
"""

import numpy as np
from optuna.study import Study
from optuna.trial import FrozenTrial

from optuna_predictor_rl.core.predictor.calibration import LabelPredictor
from optuna_predictor_rl.core.space import Rows, row_keys
from optuna_predictor_rl.search.suggester import FittedSearch
from optuna_predictor_rl.study.objective import sign_of
from optuna_predictor_rl.study.storage import set_trial_attribute, trial_id

PHASE = "predictor_rl:phase"
"""User attribute: "startup" (space-filling), "search" or, if all has been seen, "random"."""
ROUND = "predictor_rl:rl_round"
"""User attribute: the round of REINFORCE that proposed the trial; -1 for the local moves."""
PREDICTED = "predictor_rl:predicted_{task}"
"""User attribute: what the predictor expects, in the unit of the value or the cost."""
PREDICTED_STD = "predictor_rl:predicted_{task}_std"
"""User attribute: its standard deviation, not calibrated, in the same unit."""
VIOLATION = "predictor_rl:violation"
"""User attribute: sum of the constraints that are broken, 0 if the trial is feasible."""
FEASIBLE = "predictor_rl:feasible"
"""User attribute: 1 or 0, as optuna-dashboard does not sort truth values."""


def store_suggestion(
    study: Study, trial: FrozenTrial, row: Rows, search: FittedSearch | None
) -> None:
    """Stores where a running trial's parameters come from and what is expected of them.

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
    """Stores whether a running trial is feasible: optuna-dashboard does not read constraints."""
    constraints = trial.constraints
    if not constraints:
        return
    violation = sum(max(value, 0.0) for value in constraints.values())
    set_trial_attribute(study, trial_id(trial), VIOLATION, float(violation))
    set_trial_attribute(study, trial_id(trial), FEASIBLE, int(violation == 0.0))


def _predicted(study: Study, row: Rows, search: FittedSearch) -> dict[str, float]:
    if len(study.directions) > 1:  # the predictor knows a mixture of them, which has no unit
        return {}
    sign = sign_of(study)
    labels = search.history.labels
    (mean, std), _ = LabelPredictor.of(search.ensemble, labels).predict(row)
    predicted = {}
    for name, unit, known, center, spread in zip(
        ["value", "cost"], [sign, 1.0], labels.T, mean[0], std[0], strict=False
    ):
        if not np.isnan(known).all():
            predicted[PREDICTED.format(task=name)] = unit * float(center)
            predicted[PREDICTED_STD.format(task=name)] = float(spread)
    return predicted
