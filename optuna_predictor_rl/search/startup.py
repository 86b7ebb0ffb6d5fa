"""The first trials, before the predictor takes over."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping, Set
from typing import Any

import numpy as np
import scipy
from optuna.distributions import BaseDistribution
from optuna.samplers import RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from optuna_predictor_rl.core.space import Rows, SearchSpace
from optuna_predictor_rl.search.settings import SearchSettings
from optuna_predictor_rl.search.user_prior import Belief, check_prior, option_prior
from optuna_predictor_rl.search.warm_start import N_FIRST, WarmStart
from optuna_predictor_rl.study.distributions import to_space


class Startup:
    """Picks the first trials: the sources' best, then a design that fills the space as believed.

    Raises:
        ValueError: If a belief is none that a parameter could have.
    """

    def __init__(
        self, settings: SearchSettings, warm_start: WarmStart, prior: Mapping[str, Belief]
    ) -> None:
        check_prior(prior)
        self._settings = settings
        self._warm_start = warm_start
        self._prior = prior

    def rows(self, study: Study, space: SearchSpace, number: int) -> Rows:
        """Return rows to try in a trial by its number, best first."""
        designed = self._believed(space, self._sobol(space, number))
        if not self._warm_start or number >= N_FIRST:
            return designed
        best = self._warm_start.best(space, study.directions, self._rng(number, ""))
        return np.concatenate([best[number:], best[:number], designed])

    def value(
        self, study: Study, trial: FrozenTrial, name: str, distribution: BaseDistribution
    ) -> Any:
        """Return the value of a parameter that no finished trial has had."""
        rng = self._rng(trial.number, name)
        if self._warm_start and trial.number < N_FIRST:
            space = to_space({name: distribution})
            row = self._warm_start.best(space, study.directions, rng)[trial.number :][:1]
        elif name in self._prior:
            space = to_space({name: distribution})
            row = self._believed(space, rng.random((1, 1)))
        else:
            random = RandomSampler(seed=self._digest(trial.number, name))
            return random.sample_independent(study, trial, name, distribution)
        return space.configurations(row)[0][name]

    def logits(self, space: SearchSpace, n_trials: int) -> np.ndarray | None:
        """Return where the policy starts after so many trials; None is uniform."""
        if not self._prior:
            return None
        return option_prior(self._prior, space, self._settings.policy.n_bins).logits(n_trials)

    def unknown(self, names: Set[str]) -> list[str]:
        """Return which beliefs are about none of these parameters."""
        return sorted(self._prior.keys() - names)

    def _believed(self, space: SearchSpace, uniform: np.ndarray) -> Rows:
        """Return the rows at points of the unit cube, distributed as believed."""
        if not self._prior:
            return space.from_uniform(uniform)
        return option_prior(self._prior, space, self._settings.policy.n_bins).from_uniform(uniform)

    def _sobol(self, space: SearchSpace, number: int) -> np.ndarray:
        """Return the point of a scrambled Sobol sequence by the trial's number, (1, decisions)."""
        rng = np.random.default_rng(self._settings.seed)
        engine = scipy.stats.qmc.Sobol(len(space.decisions), rng=rng)
        if number:  # SciPy cannot go forward by 0 points
            engine.fast_forward(number)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one point is no power of two
            return np.asarray(engine.random(1))

    def _rng(self, number: int, name: str) -> np.random.Generator:
        """Return a stream of its own for each trial and parameter."""
        return np.random.default_rng(self._digest(number, name))

    def _digest(self, number: int, name: str) -> int:
        key = f"{self._settings.seed}:{number}:{name}".encode()
        return int.from_bytes(hashlib.blake2b(key, digest_size=4).digest(), "little")
