"""What a comparison writes on trials and studies, and which trials count."""

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.attributes import SEARCHER, SUGGESTION_SECONDS

SHARED = "shared"


def searcher_of(trial: FrozenTrial) -> str:
    """The searcher that a trial belongs to."""
    return str(trial.user_attrs.get(SEARCHER, SHARED))


def counts(trial: FrozenTrial) -> bool:
    """Whether a trial is one of its searcher's: it ended by itself, well or badly.

    A failed trial counts if its objective returned NaN or raised an exception to be caught. It
    does not if it was killed or interrupted: that says nothing about its searcher.
    """
    if trial.state == TrialState.FAIL:
        return SUGGESTION_SECONDS in trial.user_attrs
    return trial.state in (TrialState.COMPLETE, TrialState.PRUNED)


def trials_by_searcher(study: Study) -> dict[str, list[FrozenTrial]]:
    """The trials that count, in the order of their numbers; shared ones first."""
    grouped: dict[str, list[FrozenTrial]] = {SHARED: []}
    for trial in storage.trials(study, fresh=True):
        if counts(trial):
            grouped.setdefault(searcher_of(trial), []).append(trial)
    return grouped
