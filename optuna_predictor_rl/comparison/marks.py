"""User and system attributes that a comparison writes, and which trials count."""

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.attributes import SEARCHER, SUGGESTION_SECONDS

SHARED = "shared"


def searcher_of(trial: FrozenTrial) -> str:
    """Return the name of the searcher that a trial belongs to."""
    return str(trial.user_attrs.get(SEARCHER, SHARED))


def counts(trial: FrozenTrial) -> bool:
    """Return whether a trial counts for its searcher: its objective ended, well or badly.

    A failed trial counts if its objective returned NaN or raised an exception of `catch`. A killed
    or interrupted trial does not count, because its end is not the searcher's doing.
    """
    if trial.state == TrialState.FAIL:
        return SUGGESTION_SECONDS in trial.user_attrs
    return trial.state in (TrialState.COMPLETE, TrialState.PRUNED)


def trials_by_searcher(study: Study) -> dict[str, list[FrozenTrial]]:
    """Return the trials that count by searcher, by number; shared ones first."""
    grouped: dict[str, list[FrozenTrial]] = {SHARED: []}
    for trial in storage.trials(study, fresh=True):
        if counts(trial):
            grouped.setdefault(searcher_of(trial), []).append(trial)
    return grouped
