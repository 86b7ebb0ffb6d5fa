"""The sampler: trains the predictor on the study's trials and the policy against it."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import scipy
import torch
from jaxtyping import Float
from numpy import ndarray
from optuna.distributions import BaseDistribution
from optuna.logging import get_logger
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl import _storage
from optuna_predictor_rl.core.predictor import PredictorConfig
from optuna_predictor_rl.core.reinforce import PolicyConfig
from optuna_predictor_rl.core.space import Rows, SearchSpace, row_keys
from optuna_predictor_rl.costs import Cost, KnownCost, RowCosts, check_costs
from optuna_predictor_rl.distributions import from_numbers, to_numbers, union_search_space
from optuna_predictor_rl.history import History, finished_numbers, read_given, read_history
from optuna_predictor_rl.records import store_constraints, store_suggestion
from optuna_predictor_rl.representation import call_of, remembering
from optuna_predictor_rl.running import running_label
from optuna_predictor_rl.scalarization import with_one_objective
from optuna_predictor_rl.suggestion import Search, Suggester

N_CLAIMS = 8
"""How often a trial looks for something else when others have been given the same."""

N_FALLBACK = 256
"""Random configurations that are tried when all that was searched has been seen."""

_LOGGER = get_logger(f"optuna.{__name__}")


class PredictorRLSampler(BaseSampler):
    """Predictor-based reinforcement-learning search, as an Optuna sampler.

    Args:
        predictor: Settings of the predictor; `PredictorConfig.paper()` are the paper's.
        policy: Settings of the policy; `PolicyConfig.paper()` are the paper's.
        cost: User attribute that holds a trial's cost, or a callable that returns it from the
            trial, to be learned; or a `KnownCost` of the parameters, which is used exactly. Lower
            is better. None searches for the value alone.
        cost_weight: The alpha of Eq. (6): weight in [0, 1] of the standardized cost against the
            standardized value. A sequence is cycled from trial to trial. A study with several
            objectives has no cost beside them to weigh.
        max_cost: Largest cost that a trial may have. Nothing beyond it is suggested if the cost
            is a `KnownCost`, save for the first trial of a study, which knows no parameters; a
            cost to be learned is kept below it by probability, as a constraint.
        n_startup_trials: Trials of a space-filling design before the predictor takes over.
        learn_from_running: Whether running trials that have come to the cutoff of the study's
            `LowFidelityPruner` teach their label already; otherwise they count as pending.
        store_predictions: Whether running trials get user attributes of what is expected of them
            and where they come from, and those that broke constraints; see
            `optuna_predictor_rl.records`. A `DashboardCallback` turns it on.
        independent_sampler: Sampler of parameters that no finished trial has had; random if None.
        seed: Seed of all randomness. What a trial is given depends on the seed, the trial's
            number and the study's trials, not on the process.
        device: Where networks and policies are trained.

    Raises:
        ValueError: If a cost weight is not in [0, 1] or positive without a cost, the largest cost
            is not finite or stands without a cost, or the number of startup trials is negative.

    Example:
        >>> import optuna
        >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
        >>> study = optuna.create_study(sampler=PredictorRLSampler(seed=0))
        >>> study.optimize(lambda trial: trial.suggest_float("x", -1, 1) ** 2, n_trials=20)
        >>> study.best_value < 0.01
        True
    """

    @remembering
    def __init__(
        self,
        *,
        predictor: PredictorConfig | None = None,
        policy: PolicyConfig | None = None,
        cost: Cost | None = None,
        cost_weight: float | Sequence[float] = 0.0,
        max_cost: float | None = None,
        n_startup_trials: int = 8,
        learn_from_running: bool = False,
        store_predictions: bool = False,
        independent_sampler: BaseSampler | None = None,
        seed: int | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        weights = tuple(float(weight) for weight in np.atleast_1d(np.asarray(cost_weight)))
        check_costs(cost, weights, max_cost)
        if n_startup_trials < 0:
            raise ValueError(f"n_startup_trials must not be negative, but got {n_startup_trials}.")
        self._predictor = predictor or PredictorConfig()
        self._policy = policy or PolicyConfig()
        self._cost = cost
        self._cost_weights = weights
        self._max_cost = max_cost
        self._n_startup_trials = n_startup_trials
        self._learn_from_running = learn_from_running
        self.store_predictions = store_predictions
        self._independent_sampler = independent_sampler
        self._seed = int(np.random.SeedSequence().entropy % 2**63) if seed is None else seed  # type: ignore[operator]
        self._suggester = Suggester(
            self._predictor,
            self._policy,
            self._seed,
            torch.device(device),
            RowCosts(cost, max_cost) if isinstance(cost, KnownCost) else None,
        )
        self._warned = False

    def __repr__(self) -> str:
        """The call that makes it again."""
        return call_of(self)

    @property
    def predictor(self) -> PredictorConfig:
        """Settings of the predictor."""
        return self._predictor

    @property
    def policy(self) -> PolicyConfig:
        """Settings of the policy."""
        return self._policy

    @property
    def cost(self) -> Cost | None:
        """User attribute or callable that gives a trial's cost, if there is one."""
        return self._cost

    @property
    def cost_weights(self) -> tuple[float, ...]:
        """The alphas of Eq. (6), cycled from trial to trial by the trials' numbers."""
        return self._cost_weights

    @property
    def n_startup_trials(self) -> int:
        """Trials of a space-filling design before the predictor takes over."""
        return self._n_startup_trials

    def infer_relative_search_space(
        self,
        study: Study,
        trial: FrozenTrial,  # noqa: ARG002 # the interface is Optuna's
    ) -> dict[str, BaseDistribution]:
        """All parameters that finished trials have had, conditional ones included."""
        return union_search_space(_storage.trials(study, (TrialState.COMPLETE, TrialState.PRUNED)))

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The parameters that the policy picks against the predictor.

        Raises:
            ValueError: If a complete trial has no cost, or a cost has a weight beside several
                objectives.
        """
        if not search_space:
            return {}
        planned = from_numbers(_storage.planned(trial), search_space)
        if planned.keys() == search_space.keys():
            return planned  # of a killed trial, which is retried
        with self._suggester.lock:
            return self._claim(study, trial, search_space)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """A value of a parameter that no finished trial has had: random, unless set otherwise."""
        sampler = self._independent_sampler
        if sampler is None:
            key = f"{self._seed}:{trial.number}:{param_name}".encode()
            digest = hashlib.blake2b(key, digest_size=4).digest()
            sampler = RandomSampler(seed=int.from_bytes(digest, "little"))
        return sampler.sample_independent(study, trial, param_name, param_distribution)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Forward to the independent sampler, if there is one."""
        if self._independent_sampler is not None:
            self._independent_sampler.before_trial(study, trial)

    def after_trial(
        self,
        study: Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """Mirror constraints, if predictions are stored; forward to the independent sampler."""
        if self.store_predictions:
            store_constraints(study, trial)
        if self._independent_sampler is not None:
            self._independent_sampler.after_trial(study, trial, state, values)

    def reseed_rng(self) -> None:
        """Forward to the independent sampler; our own randomness comes from the trial's number."""
        if self._independent_sampler is not None:
            self._independent_sampler.reseed_rng()

    def inspect(self, study: Study, *, cost_weight: float | None = None) -> Search:
        """The predictor and the search that the study's next suggestion rests on.

        Args:
            study: The study.
            cost_weight: Search under this alpha of Eq. (6) instead of the next trial's.

        Raises:
            ValueError: If the study has no finished trial with a parameter, a complete trial
                without a cost, or a weight of the cost beside several objectives, or if the
                weight is not in [0, 1] or positive without a cost.

        Example:
            >>> import optuna
            >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
            >>> sampler = PredictorRLSampler(seed=0)
            >>> study = optuna.create_study(sampler=sampler)
            >>> study.optimize(lambda trial: trial.suggest_float("x", -1, 1) ** 2, n_trials=10)
            >>> mean, std = sampler.inspect(study).ensemble.predict(np.array([[0.5]]))
            >>> mean.shape
            (1, 1)
        """
        finished = _storage.trials(study, (TrialState.COMPLETE, TrialState.PRUNED))
        search_space = union_search_space(finished)
        if not search_space:
            raise ValueError("study must have a finished trial with a parameter, but has none.")
        number = len(study.get_trials(deepcopy=False))
        weight = self._weight(number)
        if cost_weight is not None:
            check_costs(self._cost, (cost_weight,), self._max_cost)
            weight = self._tasks_weight(cost_weight)
        with self._suggester.lock:
            return self._suggester.search(self._history(study, search_space, number), weight)

    def _history(
        self, study: Study, search_space: dict[str, BaseDistribution], number: int
    ) -> History:
        """The study's trials as one of a number sees them."""
        several = len(study.directions) > 1
        if several and any(self._cost_weights):
            raise ValueError(
                "cost_weight must be 0 in a study with several objectives, of which the cost may "
                f"be one, but got {self._cost_weights}."
            )
        learn_from_running = self._learn_from_running and not several
        history = read_history(
            study,
            search_space,
            cost=self._cost,
            max_cost=self._max_cost,
            current=number,
            running_label=running_label(study) if learn_from_running else None,
        )
        return with_one_objective(history, self._seed, number) if several else history

    def _weight(self, number: int) -> Float[ndarray, " t"]:
        """Weight of each task in Eq. (6) for a trial by its number."""
        return self._tasks_weight(self._cost_weights[number % len(self._cost_weights)])

    def _tasks_weight(self, share: float) -> Float[ndarray, " t"]:
        """Weight of each task in Eq. (6) under an alpha."""
        return np.array([1.0 - share, share][: 1 + (self._cost is not None)])

    def _is_startup(self, history: History) -> bool:
        return len(history.rows) < max(self._n_startup_trials, 1)

    def _claim(
        self,
        study: Study,
        trial: FrozenTrial,
        search_space: dict[str, BaseDistribution],
    ) -> dict[str, Any]:
        """Parameters that no other trial is given, also if several workers ask at once.

        Each writes what it takes before it reads what the others have taken. So of two that take
        the same at least one notices, and takes what is best once those before it have theirs.
        """
        known, n_before = finished_numbers(study), 0
        history = self._history(study, search_space, trial.number)
        self._say_what_is_left_out(history)
        for _ in range(N_CLAIMS):
            row = self._pick(history, trial.number)
            for _ in range(n_before):
                history = history.expecting(row)
                row = self._pick(history, trial.number)
            rng = np.random.default_rng([self._seed, trial.number, 1])
            parameters = _complete(history.space, row, rng)
            _storage.set_planned(study, trial, to_numbers(parameters, search_space))
            numbers, rows = read_given(
                study, history.space, search_space, known=known, current=trial.number
            )
            taken = history.space.canonical(history.space.rows([parameters]))
            (key,) = row_keys(taken)
            same = [n for n, k in zip(numbers, row_keys(rows), strict=True) if k == key]
            if not same:
                break
            n_before = sum(n < trial.number for n in same)
            history = replace(history, pending=rows)
        if self.store_predictions:
            searched = None if self._is_startup(history) else self._suggester.last
            store_suggestion(study, trial, taken, searched)
        return parameters

    def _pick(self, history: History, number: int) -> Rows:
        """The row that a trial is given by its number, (decisions,)."""
        rng = np.random.default_rng([self._seed, number])
        if self._is_startup(history):
            rows = _startup_row(history.space, number, self._seed)[None]
        else:
            rows = self._suggester.suggest(history, self._weight(number))
        rows = np.concatenate([rows, history.space.random(N_FALLBACK, rng)])
        rows = self._suggester.affordable(history, rows)
        return _first_unseen(rows, history.seen)

    def _say_what_is_left_out(self, history: History) -> None:
        if history.n_outside and not self._warned:
            self._warned = True
            _LOGGER.warning(
                f"{history.n_outside} finished trials have values outside of their parameters' "
                "present ranges; the predictor leaves them out."
            )


def _startup_row(space: SearchSpace, number: int, seed: int) -> Rows:
    """A point of a scrambled Sobol sequence by the trial's number, (decisions,)."""
    engine = scipy.stats.qmc.Sobol(len(space.decisions), rng=np.random.default_rng(seed))
    engine.fast_forward(number)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one point is no power of two
        return np.asarray(space.from_uniform(engine.random(1))[0])


def _first_unseen(rows: Rows, seen: Rows) -> Rows:
    """The first row that is not among the seen ones, or the last if all are, (decisions,)."""
    known = set(row_keys(seen))
    keys = row_keys(rows)
    return next((r for r, key in zip(rows, keys, strict=True) if key not in known), rows[-1])


def _complete(space: SearchSpace, row: Rows, rng: np.random.Generator) -> dict[str, Any]:
    """The configuration of a row, with values for its inactive decisions, should they be asked."""
    unconditional = SearchSpace(space.decisions)
    free = unconditional.random(1, rng)[0]
    return unconditional.configurations(np.where(np.isnan(row), free, row)[None])[0]
