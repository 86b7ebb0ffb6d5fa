"""The configurations of a search that deserve a full training."""

import math

from optuna.study import Study
from optuna.trial import FrozenTrial

from optuna_predictor_rl.fidelity.labels import is_full, value_or_label
from optuna_predictor_rl.study.objective import check_one_objective, sign_of
from optuna_predictor_rl.support.checked import check_at_least, checked
from optuna_predictor_rl.support.guard import guarded


@checked
@guarded()
def finalists(study: Study, k: int = 3) -> list[FrozenTrial]:
    """Return the best trials by full value or low-fidelity label, one for each configuration.

    A configuration that has a full value is ranked by it and not by its labels. To train the
    others to the end, enqueue them (`is_full` is in `optuna_predictor_rl.fidelity.labels`)::

        for trial in finalists(study):
            if not is_full(trial):
                study.enqueue_trial(trial.params, user_attrs={"full_fidelity": True})

    Args:
        study: A study with one objective.
        k: How many; fewer are returned if the study has no more.

    Raises:
        ValueError: If `k` is not positive, or the study has several objectives.
    """
    check_one_objective(study)
    check_at_least(1, k=k)
    sign = sign_of(study)

    def loss(trial: FrozenTrial) -> float:
        value = value_or_label(trial)
        return math.inf if value is None or math.isnan(value) else sign * value

    labelled = [trial for trial in study.trials if math.isfinite(loss(trial))]
    best: dict[str, FrozenTrial] = {}
    for trial in sorted(labelled, key=lambda trial: (not is_full(trial), loss(trial))):
        best.setdefault(repr(sorted(trial.params.items())), trial)
    return sorted(best.values(), key=loss)[:k]
