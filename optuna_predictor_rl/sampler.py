"""The sampler: Optuna's hooks around the predictor and the policy of a study."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl.core.policy.config import PolicyConfig
from optuna_predictor_rl.core.predictor.config import PredictorConfig
from optuna_predictor_rl.data.costs import Cost, KnownCostCheck, as_weights, check_costs
from optuna_predictor_rl.search.claims import Planner
from optuna_predictor_rl.search.doubts import KnownConstraints
from optuna_predictor_rl.search.inspection import InspectableSampler
from optuna_predictor_rl.search.settings import SearchSettings
from optuna_predictor_rl.search.startup import Startup
from optuna_predictor_rl.search.suggester import Suggester
from optuna_predictor_rl.search.trial_records import store_constraints, store_suggestion
from optuna_predictor_rl.search.user_prior import Belief
from optuna_predictor_rl.search.warm_start import Given, WarmStart
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.distributions import union_search_space
from optuna_predictor_rl.support.checked import checked
from optuna_predictor_rl.support.device import usable_device
from optuna_predictor_rl.support.guard import guarded
from optuna_predictor_rl.support.representation import call_of, remembering


@checked
class PredictorRLSampler(InspectableSampler):
    """Predictor-based reinforcement-learning search, as an Optuna sampler.

    Args:
        predictor: Settings of the predictor; `PredictorConfig.paper()` are the paper's.
        policy: Settings of the policy; `PolicyConfig.paper()` are the paper's.
        cost: User attribute that holds a trial's cost, or a callable that returns it from the
            trial, to be learned; or a `KnownCost` of the parameters, which is used exactly and
            tried on the first complete trial. Lower is better. None searches for the value alone.
        cost_weight: The alpha of Eq. (6): weight in [0, 1] of the standardized cost against the
            standardized value. A sequence is cycled from trial to trial. A study with several
            objectives has no cost beside them to weigh.
        max_cost: Largest cost that a trial may have. No trial exceeds it in a `KnownCost`, except
            the first of a study, whose parameters are not known before; a cost to be learned is
            kept below it by probability, as a constraint.
        n_startup_trials: Trials of a space-filling design before the predictor takes over. A
            failed trial counts as half of one.
        learn_from_running: Whether the predictor learns the labels of running trials that have
            reached the cutoff of the study's `LowFidelityPruner`; otherwise they are pending.
        store_predictions: Whether trials get user attributes of what is predicted of them, where
            they come from and what constraints they break; `optuna_predictor_rl.study.attributes`
            lists them. A `DashboardCallback` turns it on.
        warm_start: Another study (its trials are read now), a `Source` or a finished trial, or a
            list of them, perhaps with other ranges, scales and parameters. Their best
            configurations are tried first. Their predictions are the mean function of the
            predictor's members; their weight drops if the study's own trials disagree. They have
            as many objectives as the study, in the same order, in whatever directions.
        prior: Beliefs about parameters: weights of choices (the others weigh nothing), or for
            numeric ones a function from a value to its weight, or a normal one as (centre, width)
            with the width in shares of the range, of the log range where it is one. The first
            trials are drawn from them and the policy starts from them; a tenth stays uniform,
            and they fade as trials finish. A name that no finished trial has raises a warning.
            If you know a good configuration, enqueue it instead.
        independent_sampler: Sampler of parameters that no finished trial has had, and of those
            whose planned value is out of range. By default the former are drawn at random and
            the predictor chooses the latter.
        seed: Seed of all randomness. What a trial is given depends on the seed, the trial's
            number and the study's trials, not on the process.
        device: Where networks and policies are trained.
        constraints_func: Returns a finished trial's constraints, feasible up to zero, as for
            Optuna's samplers; NaN is broken. Deprecated since Optuna 5: have the objective
            call `trial.set_constraint` instead.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If a cost weight is not in [0, 1] or positive without a cost, the largest cost
            is not finite or stands without a cost, the number of startup trials or the seed is
            negative, a belief has no positive weight, a warm start has no values, or the device
            cannot be used.

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
        warm_start: Given | Sequence[Given] = (),
        prior: Mapping[str, Belief] | None = None,
        independent_sampler: BaseSampler | None = None,
        seed: int | None = None,
        device: str | torch.device = "cpu",
        constraints_func: Callable[[FrozenTrial], Sequence[float]] | None = None,
    ) -> None:
        weights = as_weights(cost_weight)
        check_costs(cost, weights, max_cost)
        if n_startup_trials < 0:
            raise ValueError(f"n_startup_trials must not be negative, but got {n_startup_trials}.")
        if seed is not None and seed < 0:
            raise ValueError(f"seed must not be negative, but got {seed}.")
        if constraints_func is not None:
            storage.warn_of_constraints_func()
            constraints_func = KnownConstraints(constraints_func)
        self.store_predictions = store_predictions
        self._independent_sampler = independent_sampler
        self._constraints_func = constraints_func
        self._check_known_cost = KnownCostCheck(cost)
        if seed is None:
            seed = int(np.random.SeedSequence().entropy % 2**63)  # type: ignore[operator]
        settings = SearchSettings(
            predictor=predictor or PredictorConfig(),
            policy=policy or PolicyConfig(),
            cost=cost,
            cost_weights=weights,
            max_cost=max_cost,
            n_startup_trials=n_startup_trials,
            learn_from_running=learn_from_running,
            seed=seed,
            device=usable_device(device),
        )
        sources = WarmStart(warm_start, settings.predictor)
        startup = Startup(settings, sources, prior or {})
        super().__init__(Planner(settings, Suggester(settings), startup, sources))

    def __repr__(self) -> str:
        """Return the call that makes it again."""
        return call_of(self)

    @property
    def predictor(self) -> PredictorConfig:
        """Return the settings of the predictor."""
        return self._planner.settings.predictor

    @property
    def policy(self) -> PolicyConfig:
        """Return the settings of the policy."""
        return self._planner.settings.policy

    @property
    def cost(self) -> Cost | None:
        """Return the user attribute or callable that gives a trial's cost, if there is one."""
        return self._planner.settings.cost

    @property
    def cost_weights(self) -> tuple[float, ...]:
        """Return the alphas of Eq. (6), cycled from trial to trial by the trials' numbers."""
        return self._planner.settings.cost_weights

    @property
    def n_startup_trials(self) -> int:
        """Return the number of trials before the predictor takes over."""
        return self._planner.settings.n_startup_trials

    def infer_relative_search_space(
        self,
        study: Study,
        trial: FrozenTrial,  # noqa: ARG002 # the interface is Optuna's
    ) -> dict[str, BaseDistribution]:
        """Return all parameters that finished trials have had, including conditional ones."""
        return union_search_space(storage.trials(study, storage.LABELLED))

    @guarded()
    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return the parameters that the policy picks against the predictor.

        Raises:
            ValueError: If a complete trial has no cost, a cost has a weight beside several
                objectives, or a source of the warm start has another number of objectives.
        """
        self._planner.check(study)
        if not search_space:
            return {}
        with self._planner.suggester.lock:
            claim = self._planner.claim(study, trial, search_space)
            if self.store_predictions:
                store_suggestion(study, trial, claim.row, claim.search)
        return claim.params

    @guarded()
    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Return a value of a parameter that `sample_relative` gave none, or one out of range.

        By default it is random if no finished trial has had the parameter, and otherwise the
        predictor's choice within this trial's own range.
        """
        if self._independent_sampler is not None:
            return self._independent_sampler.sample_independent(
                study, trial, param_name, param_distribution
            )
        with self._planner.suggester.lock:
            return self._planner.value(study, trial, param_name, param_distribution)

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
        """Store the constraints of `constraints_func`, and check that a known cost works.

        Raises:
            ValueError: If the trial is complete and its known cost cannot be computed.
        """
        if self._constraints_func is not None:
            storage.store_constraints(self._constraints_func, study, trial, state)
            trial = storage.stored_trial(study, trial)
        if self.store_predictions:
            store_constraints(study, trial)
        if self._independent_sampler is not None:
            self._independent_sampler.after_trial(study, trial, state, values)
        if state == TrialState.COMPLETE:
            self._check_known_cost(trial)

    def reseed_rng(self) -> None:
        """Forward to the independent sampler; our own randomness comes from the trial's number."""
        if self._independent_sampler is not None:
            self._independent_sampler.reseed_rng()
