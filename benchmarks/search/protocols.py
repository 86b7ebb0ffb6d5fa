"""The two ways in which a searcher is tried on a task."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import optuna
from optuna.samplers import BaseSampler, RandomSampler

from benchmarks.search.peers import SearchSpace
from benchmarks.search.tasks import Task

MakeSampler = Callable[[int, SearchSpace], BaseSampler]

# The batch's sampler gets another seed than the shared trials, or random search would repeat them.
_BATCH_SEED_OFFSET = 10_000


@dataclass
class Outcome:
    """What a searcher found, in the order in which it asked, and what asking took.

    Attributes:
        values: One loss per trial that the searcher chose.
        seconds: Wall time per trial: asking, suggesting and telling, but not evaluating.
        cpu_seconds: The same in processor time, which other processes disturb less.
        n_distinct: Number of different configurations among those trials.
        shared_values: Losses of the trials given to the searcher (batch only).
    """

    values: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    n_distinct: int = 0
    shared_values: list[float] = field(default_factory=list)


class _Stopwatch:
    """Adds up the time spent within it."""

    def __init__(self) -> None:
        self.seconds = self.cpu_seconds = 0.0

    def __enter__(self) -> "_Stopwatch":
        self._start = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds += time.perf_counter() - self._start[0]
        self.cpu_seconds += time.process_time() - self._start[1]


def search_space(task: Task) -> SearchSpace:
    """Record what a first trial suggests; a conditional task may have more than this."""
    trial = optuna.create_study(sampler=RandomSampler(seed=0)).ask()
    task.suggest(trial)
    return trial.distributions


def random_study(task: Task, n_trials: int, seed: int) -> optuna.Study:
    """Return a study of random trials."""
    study = optuna.create_study(sampler=RandomSampler(seed=seed))
    study.optimize(lambda trial: task.loss(task.suggest(trial)), n_trials=n_trials)
    return study


def sequential(task: Task, make_sampler: MakeSampler, *, seed: int, n_trials: int) -> Outcome:
    """Ask for one trial, tell its loss, and so on from an empty study."""
    study = optuna.create_study(sampler=make_sampler(seed, search_space(task)))
    outcome, seen = Outcome(), set()
    for _ in range(n_trials):
        watch = _Stopwatch()
        with watch:
            trial = study.ask()
            config = task.suggest(trial)
        value = task.loss(config)
        with watch:  # a sampler may do its work after a trial
            study.tell(trial, value)
        outcome.values.append(value)
        outcome.seconds.append(watch.seconds)
        outcome.cpu_seconds.append(watch.cpu_seconds)
        seen.add(repr(config))
    outcome.n_distinct = len(seen)
    return outcome


def batch(task: Task, make_sampler: MakeSampler, *, seed: int, n_trials: int) -> Outcome:
    """Share `n_trials` random trials, then ask for as many at once and tell none of them.

    The shared trials depend on the task and the seed only.
    """
    shared = random_study(task, n_trials, seed)
    sampler = make_sampler(seed + _BATCH_SEED_OFFSET, search_space(task))
    study = optuna.create_study(sampler=sampler)
    study.add_trials(shared.trials)

    outcome, configs = Outcome(shared_values=[t.values[0] for t in shared.trials]), []
    for _ in range(n_trials):
        with _Stopwatch() as watch:
            configs.append(task.suggest(study.ask()))
        outcome.seconds.append(watch.seconds)
        outcome.cpu_seconds.append(watch.cpu_seconds)
    outcome.values = [task.loss(config) for config in configs]
    outcome.n_distinct = len({repr(config) for config in configs})
    return outcome


PROTOCOLS: dict[str, Callable[..., Outcome]] = {"sequential": sequential, "batch": batch}
DEFAULT_TRIALS = {"sequential": 100, "batch": 75}


def rounded(values: list[float], digits: int) -> list[float]:
    """Keep so many significant digits, to keep the files small."""
    return [float(np.format_float_positional(v, digits, fractional=False)) for v in values]
