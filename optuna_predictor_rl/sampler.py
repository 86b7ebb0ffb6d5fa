"""The sampler: trains the predictor on the study's trials and the policy against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl.core.policy.reinforce import PolicyConfig
from optuna_predictor_rl.core.predictor.config import PredictorConfig
from optuna_predictor_rl.data.costs import Cost, KnownCost, check_costs, check_known_cost
from optuna_predictor_rl.data.params import Configurations, as_params, rows_of
from optuna_predictor_rl.search.claims import Planner
from optuna_predictor_rl.search.recommendation import Recommendation, recommended
from optuna_predictor_rl.search.settings import SearchSettings
from optuna_predictor_rl.search.startup import Startup
from optuna_predictor_rl.search.study_predictor import Prediction
from optuna_predictor_rl.search.suggester import FittedSearch, Suggester
from optuna_predictor_rl.search.trial_records import store_constraints, store_suggestion
from optuna_predictor_rl.search.user_prior import Belief
from optuna_predictor_rl.search.warm_start import Given, WarmStart
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.distributions import union_search_space
from optuna_predictor_rl.study.objective import sign_of
from optuna_predictor_rl.support.checked import check_at_least, checked
from optuna_predictor_rl.support.device import usable_device
from optuna_predictor_rl.support.guard import guarded
from optuna_predictor_rl.support.representation import call_of, remembering


@checked
class PredictorRLSampler(BaseSampler):
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
        max_cost: Largest cost that a trial may have. Nothing beyond it is suggested if the cost
            is a `KnownCost`, save for the first trial of a study, which knows no parameters; a
            cost to be learned is kept below it by probability, as a constraint.
        n_startup_trials: Trials of a space-filling design before the predictor takes over.
        learn_from_running: Whether running trials that have come to the cutoff of the study's
            `LowFidelityPruner` teach their label already; otherwise they count as pending.
        store_predictions: Whether running trials get user attributes of what is expected of them
            and where they come from, and those that broke constraints; see
            `optuna_predictor_rl.search.trial_records`. A `DashboardCallback` turns it on.
        warm_start: Another study (its trials are read now), a `Source` or a finished trial, or a
            list of them, with other ranges, scales and parameters where they have them. Their
            best configurations are tried first; what they predict is a start for the predictor,
            and loses its weight if the study's own trials disagree.
        prior: Beliefs about parameters: weights of choices (the others weigh nothing), or for
            numeric ones a function from a value to its weight, or a normal one as (centre, width)
            with the width in shares of the range, of the log range where it is one. The first
            trials are drawn from them and the policy starts from them; a tenth stays uniform,
            and they fade as trials come in. Names that no finished trial has are warned about.
            A known configuration is better enqueued.
        independent_sampler: Sampler of parameters that no finished trial has had, and of those
            whose range has moved away from the planned value. None draws the former at random
            and lets the predictor choose the latter.
        seed: Seed of all randomness. What a trial is given depends on the seed, the trial's
            number and the study's trials, not on the process.
        device: Where networks and policies are trained.
        constraints_func: Returns a finished trial's constraints, feasible up to zero, as for
            Optuna's samplers. Deprecated since Optuna 5: have the objective call
            `trial.set_constraint` instead.

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
        weights = tuple(float(weight) for weight in np.atleast_1d(np.asarray(cost_weight)))
        check_costs(cost, weights, max_cost)
        if n_startup_trials < 0:
            raise ValueError(f"n_startup_trials must not be negative, but got {n_startup_trials}.")
        if seed is not None and seed < 0:
            raise ValueError(f"seed must not be negative, but got {seed}.")
        if constraints_func is not None:
            storage.warn_of_constraints_func()
        self.store_predictions = store_predictions
        self._independent_sampler = independent_sampler
        self._constraints_func = constraints_func
        self._known_cost_works: set[frozenset[str]] = set()
        if seed is None:
            seed = int(np.random.SeedSequence().entropy % 2**63)  # type: ignore[operator]
        self._settings = SearchSettings(
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
        self._suggester = Suggester(self._settings)
        sources = WarmStart(warm_start, self._settings.predictor)
        startup = Startup(self._settings, sources, prior or {})
        self._planner = Planner(self._settings, self._suggester, startup, sources)

    def __repr__(self) -> str:
        """The call that makes it again."""
        return call_of(self)

    @property
    def predictor(self) -> PredictorConfig:
        """Settings of the predictor."""
        return self._settings.predictor

    @property
    def policy(self) -> PolicyConfig:
        """Settings of the policy."""
        return self._settings.policy

    @property
    def cost(self) -> Cost | None:
        """User attribute or callable that gives a trial's cost, if there is one."""
        return self._settings.cost

    @property
    def cost_weights(self) -> tuple[float, ...]:
        """The alphas of Eq. (6), cycled from trial to trial by the trials' numbers."""
        return self._settings.cost_weights

    @property
    def n_startup_trials(self) -> int:
        """Trials of a space-filling design before the predictor takes over."""
        return self._settings.n_startup_trials

    def infer_relative_search_space(
        self,
        study: Study,
        trial: FrozenTrial,  # noqa: ARG002 # the interface is Optuna's
    ) -> dict[str, BaseDistribution]:
        """All parameters that finished trials have had, conditional ones included."""
        return union_search_space(storage.trials(study, (TrialState.COMPLETE, TrialState.PRUNED)))

    @guarded()
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
        with self._suggester.lock:
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
        """A value of a parameter that `sample_relative` gave none, or one outside of its range.

        That is random, unless set otherwise, if no finished trial has had the parameter; otherwise
        the predictor's choice within this trial's own range.
        """
        sampler = self._independent_sampler
        if sampler is None:
            with self._suggester.lock:
                return self._planner.value(study, trial, param_name, param_distribution)
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
        """Store the constraints of `constraints_func`, and see whether a known cost works.

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
            self._try_known_cost(trial)

    def _try_known_cost(self, trial: FrozenTrial) -> None:
        """Compute a known cost once for each set of parameters, so that mistakes show at once.

        Trials of earlier runs may lack parameters that the cost is now computed from.
        """
        names = frozenset(trial.params)
        if isinstance(self.cost, KnownCost) and names not in self._known_cost_works:
            check_known_cost(self.cost, trial)
            self._known_cost_works.add(names)

    def reseed_rng(self) -> None:
        """Forward to the independent sampler; our own randomness comes from the trial's number."""
        if self._independent_sampler is not None:
            self._independent_sampler.reseed_rng()

    @checked
    @guarded()
    def inspect(self, study: Study, *, cost_weight: float | None = None) -> FittedSearch:
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
        if cost_weight is not None:
            check_costs(self.cost, (cost_weight,), self._settings.max_cost)
        with self._suggester.lock:
            return self._planner.search(study, cost_weight)

    @checked
    @guarded()
    def predict(self, study: Study, params_list: Configurations) -> Prediction:
        """What the study's predictor says of configurations, in the study's own units.

        Its standard deviation is calibrated by cross-validation on the study's trials.

        Args:
            study: The study.
            params_list: Configurations, such as `trial.params`, or trials; 100,000 take seconds.
                One may stand alone. A data frame has one a row, in columns that are named after
                the parameters, or as in `study.trials_dataframe()`; empty cells stand for
                parameters that a configuration lacks.

        Raises:
            ValueError: If the study has several objectives, a configuration has an unknown
                parameter, lacks one or has a value outside of its range; otherwise as for
                `inspect`.

        Example:
            >>> import optuna
            >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
            >>> sampler = PredictorRLSampler(seed=0)
            >>> study = optuna.create_study(sampler=sampler, direction="maximize")
            >>> study.optimize(lambda trial: -trial.suggest_float("x", -1, 1) ** 2, n_trials=15)
            >>> good, bad = sampler.predict(study, [{"x": 0.0}, {"x": 0.9}]).mean
            >>> bool(good > bad)
            True
        """
        _check_one_objective(study)
        searched = self.inspect(study)
        with self._suggester.lock:
            predictor = self._suggester.predictor(searched, sign_of(study))
        return predictor(rows_of(as_params(params_list, study), searched.history, study))

    @checked
    @guarded()
    def recommend(
        self,
        study: Study,
        k: int = 10,
        *,
        distance: float = 0.1,
        cost_weight: float | Sequence[float] | None = None,
    ) -> list[Recommendation]:
        """The best configurations that no trial has had, for final trainings.

        They are ranked by the predicted mean of Eq. (6), not by what could be learned from them.
        Each is a dict that `study.enqueue_trial` takes, with attributes `mean`, `std`, `rank`,
        `cost_mean`, `cost_weight` and `round`. `finalists` has those that trials have had.

        Args:
            study: The study.
            k: How many for each cost weight; fewer if no more are far enough apart.
            distance: Least distance between two of them: the mean over parameters of 1 for
                another choice and of the difference in shares of the range for numbers, in
                [0, 1]. At 0 they only differ.
            cost_weight: As for the sampler; None takes the sampler's. The k of each weight follow
                each other.

        Raises:
            ValueError: If an argument is out of its range or the study has several objectives;
                otherwise as for `inspect`.

        Example:
            >>> import optuna
            >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
            >>> sampler = PredictorRLSampler(seed=0)
            >>> study = optuna.create_study(sampler=sampler)
            >>> study.optimize(lambda trial: trial.suggest_float("x", -1, 1) ** 2, n_trials=10)
            >>> for params in sampler.recommend(study, k=2):
            ...     study.enqueue_trial(params, user_attrs={"full_fidelity": True})
        """
        check_at_least(1, k=k)
        if not 0.0 <= distance <= 1.0:
            raise ValueError(f"distance must be in [0, 1], but got {distance}.")
        _check_one_objective(study)
        shares = self.cost_weights
        if cost_weight is not None:
            shares = tuple(float(share) for share in np.atleast_1d(np.asarray(cost_weight)))
            check_costs(self.cost, shares, self._settings.max_cost)
        searches = {share: self.inspect(study, cost_weight=share) for share in shares}
        with self._suggester.lock:
            optima = {share: self._suggester.optima(found) for share, found in searches.items()}
            predictor = self._suggester.predictor(searches[shares[0]], sign_of(study))
        return recommended(optima, predictor, k=k, distance=distance)


def _check_one_objective(study: Study) -> None:
    if len(study.directions) > 1:
        raise ValueError(
            f"study must have one objective to be predicted, as only suggestions support "
            f"several, but got {len(study.directions)} directions."
        )
