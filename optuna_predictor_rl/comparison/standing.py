"""How far a comparison has come according to its storage, and whose turn it is."""

import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning, UpdateFinishedTrialError
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState, create_trial

from optuna_predictor_rl.comparison.marks import SHARED, counts, searcher_of
from optuna_predictor_rl.comparison.workers import may_be_alive
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.attributes import SEARCHER, WORKER

WAIT = object()
"""No trial may start before those of other workers have ended."""


@dataclass(frozen=True)
class Standing:
    """Numbers of trials by searcher.

    Attributes:
        finished: Trials that count, see `marks.counts`.
        running: Trials that other workers run.
        waiting: Number of shared trials in the queue.
    """

    finished: Counter[str]
    running: Counter[str]
    waiting: int

    @classmethod
    def of(cls, trials: Iterable[FrozenTrial], worker: dict[str, Any]) -> "Standing":
        """Count trials, without those that `worker` runs."""
        finished, running, waiting = Counter[str](), Counter[str](), 0
        for trial in trials:
            owner = searcher_of(trial)
            if counts(trial):
                finished[owner] += 1
            elif trial.state == TrialState.WAITING:
                waiting += owner == SHARED
            elif trial.state == TrialState.RUNNING and WORKER in trial.system_attrs:
                running[owner] += trial.system_attrs[WORKER] != worker
        return cls(finished=finished, running=running, waiting=waiting)


@dataclass(frozen=True)
class Plan:
    """The trials of a comparison: `n_shared` shared ones, then `n_each` of each searcher.

    Attributes:
        searchers: Names in the order of their turns.
        n_shared: Number of shared trials, including those in the queue.
        n_each: Number of trials of each searcher.
        batch: Whether a searcher sees its own trials as running even when they have ended.
    """

    searchers: tuple[str, ...]
    n_shared: int
    n_each: int
    batch: bool

    def quota(self, searcher: str) -> int:
        """Return how many trials a searcher, or the shared part, has."""
        return self.n_shared if searcher == SHARED else self.n_each

    def n_finished(self, standing: Standing) -> int:
        """Return how many of the planned trials have ended."""
        names = (SHARED, *self.searchers)
        return sum(min(standing.finished[name], self.quota(name)) for name in names)

    @property
    def n_trials(self) -> int:
        """Return the number of planned trials."""
        return self.n_shared + len(self.searchers) * self.n_each

    def turn(self, standing: Standing, own: Counter[str], exhausted: set[str]) -> object:
        """Return whose turn it is: a searcher, `SHARED`, `WAIT`, or None if all is done.

        The searcher with the fewest started trials is next; ties go to the first one. No searcher
        starts before the shared trials have ended.

        Args:
            standing: Numbers of trials in the storage.
            own: Running trials of the asking worker.
            exhausted: Searchers that have no more to suggest.
        """
        started = standing.finished + standing.running + own
        if SHARED not in exhausted:
            if standing.waiting > own[SHARED] or started[SHARED] < self.n_shared:
                return SHARED
            if standing.finished[SHARED] < self.n_shared:
                return WAIT
        left = [name for name in self.searchers if name not in exhausted]
        able = [name for name in left if started[name] < self.n_each]
        if able:
            return min(able, key=lambda name: started[name])
        done = all(standing.finished[name] >= self.n_each for name in left)
        return None if done else WAIT

    def is_surplus(self, trial: FrozenTrial, trials: list[FrozenTrial]) -> bool:
        """Return whether another worker took the last turn first.

        Two workers may read the same numbers and both start the last trial. Enqueued trials are
        never surplus, because the user asked for each of them.
        """
        if "fixed_params" in trial.system_attrs:
            return False
        owner = searcher_of(trial)
        before = [t for t in trials if t.number < trial.number and searcher_of(t) == owner]
        n_running = sum(t.state == TrialState.RUNNING and WORKER in t.system_attrs for t in before)
        return n_running + sum(counts(t) for t in before) >= self.quota(owner)


def end_lost_trials(study: Study) -> None:
    """Fail the trials of dead workers, which then do not count and are run again.

    Enqueued parameters go back to the queue. A storage with a heartbeat decides instead, also for
    workers on other hosts, and its callback may retry the trials.
    """
    kept_in = storage.storage_of(study)
    if storage.is_heartbeat_enabled(kept_in):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            optuna.storages.fail_stale_trials(study)
        return
    for trial in storage.trials(study, (TrialState.RUNNING,), fresh=True):
        worker = trial.system_attrs.get(WORKER)
        if worker is None or may_be_alive(worker):
            continue
        try:
            kept_in.set_trial_state_values(storage.trial_id(trial), TrialState.FAIL)
        except UpdateFinishedTrialError:
            continue  # another worker failed it first
        enqueue_again(study, trial)


def enqueue_again(study: Study, trial: FrozenTrial) -> None:
    """Put a trial back into the queue if it came from there."""
    if "fixed_params" not in trial.system_attrs:
        return
    waiting = create_trial(
        state=TrialState.WAITING,
        user_attrs={SEARCHER: searcher_of(trial)},
        system_attrs={"fixed_params": trial.system_attrs["fixed_params"]},
    )
    storage.storage_of(study).create_new_trial(storage.id_of(study), waiting)
