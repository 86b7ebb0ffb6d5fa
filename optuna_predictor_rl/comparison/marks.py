"""What a comparison writes on trials and studies, and which trials count."""

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl.study import storage

SEARCHER = "predictor_rl:searcher"
"""User attribute of a trial: the searcher it belongs to, or ``SHARED``; without it, shared."""

SHARED = "shared"

SUGGESTION_SECONDS = "predictor_rl:suggestion_seconds"
"""User attribute of a trial: wall time its sampler took. A trial that was cut short has none."""

EVALUATION_SECONDS = "predictor_rl:evaluation_seconds"
"""User attribute of a trial: wall time of the objective, without the sampler's."""

WORKER = "predictor_rl:worker"
"""System attribute of a trial: who runs it, see `workers`."""

SETTINGS = "predictor_rl:comparison"
"""User attribute of a study: protocol and numbers of trials."""


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
