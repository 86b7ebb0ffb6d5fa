"""The samplers with a name, and a sampler as one arm of a comparison."""

import importlib
import threading
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl.comparison.marks import SHARED, searcher_of
from optuna_predictor_rl.sampler import PredictorRLSampler
from optuna_predictor_rl.study import storage

Searcher = BaseSampler | str | Callable[[int], BaseSampler]
"""A sampler, the name of one, or a callable that makes one from a seed."""


def _botorch(seed: int) -> BaseSampler:
    from optuna_integration import BoTorchSampler

    sampler: BaseSampler = BoTorchSampler(seed=seed)
    return sampler


def _cmaes(seed: int) -> BaseSampler:
    return optuna.samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False)


@dataclass(frozen=True)
class Named:
    """A function from a seed to a sampler, and the modules that the sampler imports when used."""

    make: Callable[[int], BaseSampler]
    modules: tuple[str, ...] = ()


NAMED = {
    "botorch": Named(_botorch, ("botorch", "optuna_integration")),
    "cmaes": Named(_cmaes, ("cmaes",)),
    "gp": Named(lambda seed: optuna.samplers.GPSampler(seed=seed)),
    "nsga2": Named(lambda seed: optuna.samplers.NSGAIISampler(seed=seed)),
    "predictor_rl": Named(lambda seed: PredictorRLSampler(seed=seed)),
    "random": Named(lambda seed: optuna.samplers.RandomSampler(seed=seed)),
    "tpe": Named(lambda seed: optuna.samplers.TPESampler(seed=seed)),
}


def by_name(searchers: Mapping[str, Searcher] | Sequence[str]) -> dict[str, Searcher]:
    """Return the searchers of a comparison by name, once all are checked.

    Raises:
        ImportError: If a package that one needs is not installed.
        ValueError: If there is none, a name is not allowed, or no sampler has such a name.
    """
    if not isinstance(searchers, Mapping):
        if len(set(searchers)) < len(searchers):
            raise ValueError(f"searchers must have different names, but got {list(searchers)}.")
        searchers = {name: name for name in searchers}
    if not searchers:
        raise ValueError("searchers must have at least one entry, but got none.")
    for name, searcher in searchers.items():
        if not isinstance(name, str) or not name or ":" in name:
            raise ValueError(f"searchers must have names without a colon, but got {name!r}.")
        if name == SHARED:
            raise ValueError(f"searchers must not be named {SHARED!r}: that is the shared trials.")
        check(name, searcher)
    return dict(searchers)


def check(name: str, searcher: Searcher) -> None:
    """Raise ValueError or ImportError, before any trial is run, if a searcher cannot be made."""
    if isinstance(searcher, BaseSampler):
        return
    if not isinstance(searcher, str):
        if isinstance(searcher, type) or not callable(searcher):
            raise ValueError(
                f"searcher {name!r} must be a sampler, a name or a callable that takes a seed, "
                f"but got {searcher!r}."
            )
        return
    if searcher not in NAMED:
        raise ValueError(f"searcher {name!r} must be one of {list(NAMED)}, but got {searcher!r}.")
    for module in NAMED[searcher].modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise ImportError(
                f"searcher {name!r} needs {module}: "
                f'pip install "optuna-predictor-rl[baselines]" ({error})'
            ) from error


def _timed(name: str) -> Any:
    """Return a method that calls the arm's sampler with what it may see, and takes the time."""

    def call(self: "ArmSampler", study: Study, trial: FrozenTrial, *args: Any) -> Any:
        start = time.perf_counter()
        try:
            return getattr(self._sampler, name)(self._sees or study, trial, *args)
        finally:
            self._seconds[trial.number] += time.perf_counter() - start

    return call


class ArmSampler(BaseSampler):
    """A searcher's sampler: made at its first trial, timed, and shown what the protocol allows.

    The seed of a sampler that is made here depends on the number of its first trial, so that
    workers beside and after each other do not repeat the same suggestions. A sampler object is
    reseeded for the same reason if its searcher has trials.

    Args:
        name: Name of the searcher.
        searcher: The sampler, or how to make it.
        seed: Seed of the comparison.
        sees: A study to show the sampler instead of the trial's own. The sampler then does not
            learn how trials end.
    """

    def __init__(self, name: str, searcher: Searcher, *, seed: int, sees: Study | None = None):
        self._name = name
        self._searcher = searcher
        self._seed = seed
        self._sees = sees
        self._sampler: BaseSampler | None = None
        self._lock = threading.Lock()
        self._seconds: dict[int, float] = defaultdict(float)

    def seconds(self, number: int) -> float:
        """Return the wall time of a trial's suggestions so far."""
        return self._seconds[number]

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Make the sampler at the first trial; see `optuna.samplers.BaseSampler`."""
        with self._lock:
            if self._sampler is None:
                self._sampler = self._make(study, trial)
        if self._sees is not None:
            storage.forget_trials(self._sees)
        self._before_trial(study, trial)

    _before_trial = _timed("before_trial")
    infer_relative_search_space = _timed("infer_relative_search_space")
    sample_relative = _timed("sample_relative")
    sample_independent = _timed("sample_independent")

    def after_trial(
        self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        """See `optuna.samplers.BaseSampler`."""
        self._seconds.pop(trial.number, None)
        if self._sampler is not None and self._sees is None:
            self._sampler.after_trial(study, trial, state, values)

    def reseed_rng(self) -> None:
        """See `optuna.samplers.BaseSampler`."""
        if self._sampler is not None:
            self._sampler.reseed_rng()

    def _make(self, study: Study, trial: FrozenTrial) -> BaseSampler:
        if isinstance(self._searcher, BaseSampler):
            others = study.get_trials(deepcopy=False)
            if any(searcher_of(t) == self._name and t.number != trial.number for t in others):
                self._searcher.reseed_rng()
            return self._searcher
        entropy = [self._seed, zlib.crc32(self._name.encode()), trial.number]
        seed = int(np.random.SeedSequence(entropy).generate_state(1)[0])
        make = NAMED[self._searcher].make if isinstance(self._searcher, str) else self._searcher
        sampler = make(seed)
        if not isinstance(sampler, BaseSampler):
            raise ValueError(f"searcher {self._name!r} must make a sampler, but got {sampler!r}.")
        return sampler
