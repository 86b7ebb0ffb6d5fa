"""The configurations of a search that deserve a full training."""

import math

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl.core.pareto import front_order
from optuna_predictor_rl.data.columns import is_feasible
from optuna_predictor_rl.fidelity.labels import is_full, value_or_label
from optuna_predictor_rl.study.objective import signs_of
from optuna_predictor_rl.support.checked import check_at_least, checked
from optuna_predictor_rl.support.guard import guarded


@checked
@guarded()
def finalists(study: Study, k: int = 3) -> list[FrozenTrial]:
    """Return the best feasible trials by finite value or label, one for each configuration.

    A configuration that has a full value is ranked by it and not by its labels. To train the
    others to the end, enqueue them (`is_full` is in `optuna_predictor_rl.fidelity.labels`)::

        for trial in finalists(study):
            if not is_full(trial):
                study.enqueue_trial(trial.params, user_attrs={"full_fidelity": True})

    With several objectives, the trials on the Pareto front come first, then those on the front of
    the others, and so on. Each front begins with its best compromise; every further trial is the
    farthest from those before it, in shares of the front's extent.

    Args:
        study: The study.
        k: How many; fewer are returned if the study has no more.

    Raises:
        ValueError: If `k` is not positive.

    Example:
        >>> import optuna
        >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
        >>> study = optuna.create_study(directions=["minimize", "maximize"])
        >>> for x in (0.0, 0.5, 1.0):
        ...     study.enqueue_trial({"x": x})
        >>> study.optimize(lambda trial: (trial.suggest_float("x", 0, 1), 1.0), n_trials=3)
        >>> [trial.params["x"] for trial in finalists(study)]
        [0.0, 0.5, 1.0]
    """
    check_at_least(1, k=k)
    signs = signs_of(study)
    labelled = [t for t in study.trials if is_feasible(t) and np.isfinite(losses(t, signs)).all()]
    kept = _one_each(labelled, signs)
    return [kept[i] for i in front_order(_losses(kept, signs), k)]


def losses(trial: FrozenTrial, signs: Float[ndarray, " o"]) -> Float[ndarray, " o"]:
    """Return a trial's value or label in each objective, lower is better; NaN without any."""
    if len(signs) > 1:
        complete = trial.state == TrialState.COMPLETE and trial.values is not None
        values = np.array(trial.values if complete else np.full(len(signs), math.nan))
    else:
        value = value_or_label(trial)
        values = np.array([math.nan if value is None else value])
    return np.asarray(signs * values)


def _losses(trials: list[FrozenTrial], signs: Float[ndarray, " o"]) -> Float[ndarray, "n o"]:
    return np.array([losses(t, signs) for t in trials]).reshape(-1, len(signs))


def _one_each(trials: list[FrozenTrial], signs: Float[ndarray, " o"]) -> list[FrozenTrial]:
    """Return the best trial of each configuration, those with a full value first."""
    full = {t.number: is_full(t) for t in trials}
    alike: dict[str, list[FrozenTrial]] = {}
    for trial in trials:
        alike.setdefault(repr(sorted(trial.params.items())), []).append(trial)
    best = []
    for group in alike.values():
        # A full value replaces the labels of its configuration.
        deciding = [t for t in group if full[t.number]] or group
        best.append(deciding[front_order(_losses(deciding, signs), 1)[0]])
    return sorted(best, key=lambda trial: (not full[trial.number], trial.number))
