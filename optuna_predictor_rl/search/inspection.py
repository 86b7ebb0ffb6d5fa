"""What a sampler can be asked about a study: its search, predictions and recommendations."""

from __future__ import annotations

from collections.abc import Sequence

from optuna.samplers import BaseSampler
from optuna.study import Study

from optuna_predictor_rl.data.costs import as_weights, check_costs
from optuna_predictor_rl.data.params import Configurations, as_params, rows_of
from optuna_predictor_rl.search.claims import Planner
from optuna_predictor_rl.search.recommendation import Recommendation, recommended
from optuna_predictor_rl.search.study_predictor import Prediction
from optuna_predictor_rl.search.suggester import FittedObjectives, FittedSearch
from optuna_predictor_rl.search.trial_view import check_cost_weights
from optuna_predictor_rl.study.objective import signs_of
from optuna_predictor_rl.support.checked import check_at_least, checked
from optuna_predictor_rl.support.guard import guarded


class InspectableSampler(BaseSampler):
    """Sampler that shows its search, predicts configurations and recommends some.

    Args:
        planner: Reads and searches studies; its suggester's lock is held meanwhile.
    """

    def __init__(self, planner: Planner) -> None:
        self._planner = planner

    @checked
    @guarded()
    def inspect(self, study: Study, *, cost_weight: float | None = None) -> FittedSearch:
        """Return the predictor and the search that the study's next suggestion rests on.

        Args:
            study: The study.
            cost_weight: FittedSearch under this alpha of Eq. (6) instead of the next trial's.

        Raises:
            ValueError: If the study has no finished trial with a parameter, a complete trial
                without a cost, or a weight of the cost beside several objectives, or if the
                weight is not in [0, 1] or positive without a cost.

        Example:
            >>> import numpy as np
            >>> import optuna
            >>> from optuna_predictor_rl import PredictorRLSampler
            >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
            >>> sampler = PredictorRLSampler(seed=0)
            >>> study = optuna.create_study(sampler=sampler)
            >>> study.optimize(lambda trial: trial.suggest_float("x", -1, 1) ** 2, n_trials=10)
            >>> mean, std = sampler.inspect(study).ensemble.predict(np.array([[0.5]]))
            >>> mean.shape
            (1, 1)
        """
        if cost_weight is not None:
            check_costs(
                self._planner.settings.cost, (cost_weight,), self._planner.settings.max_cost
            )
            check_cost_weights((cost_weight,), study)
        with self._planner.suggester.lock:
            return self._planner.search(study, cost_weight)

    @checked
    @guarded()
    def inspect_objectives(self, study: Study) -> FittedObjectives:
        """Return the predictor of each objective, and of the cost, that `predict` asks.

        With one objective it is that of `inspect`. With several, `inspect` shows what the next
        suggestion rests on: these as one, by weights that differ from trial to trial.

        Args:
            study: The study.

        Raises:
            ValueError: As for `inspect`.

        Example:
            >>> import optuna
            >>> from optuna_predictor_rl import PredictorRLSampler
            >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
            >>> sampler = PredictorRLSampler(seed=0)
            >>> study = optuna.create_study(directions=["minimize"] * 2, sampler=sampler)
            >>> study.optimize(lambda t: (t.suggest_float("x", -1, 1), t.params["x"]), n_trials=9)
            >>> sampler.inspect_objectives(study).history.labels.shape
            (9, 2)
        """
        with self._planner.suggester.lock:
            return self._planner.suggester.objectives(self._planner.objectives(study))

    @checked
    @guarded()
    def predict(self, study: Study, params_list: Configurations) -> Prediction:
        """Predict the values of configurations, in the study's own units and directions.

        The standard deviation is calibrated by cross-validation on the study's trials. A study
        with several objectives has a mean and a standard deviation of each.

        Args:
            study: The study.
            params_list: Configurations, such as `trial.params`, or trials, or a single one;
                100,000 take seconds. A data frame has one in each row, in columns that are named
                after the parameters, or as in `study.trials_dataframe()`; empty cells stand for
                parameters that a configuration lacks.

        Raises:
            ValueError: If a configuration has an unknown parameter, lacks one or has a value
                outside of its range; otherwise as for `inspect`.

        Example:
            >>> import optuna
            >>> from optuna_predictor_rl import PredictorRLSampler
            >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
            >>> sampler = PredictorRLSampler(seed=0)
            >>> study = optuna.create_study(sampler=sampler, direction="maximize")
            >>> study.optimize(lambda trial: -trial.suggest_float("x", -1, 1) ** 2, n_trials=15)
            >>> good, bad = sampler.predict(study, [{"x": 0.0}, {"x": 0.9}]).mean
            >>> bool(good > bad)
            True
        """
        with self._planner.suggester.lock:
            problem = self._planner.objectives(study)
            predictor = self._planner.suggester.predictor(problem, signs_of(study))
        return predictor(rows_of(as_params(params_list, study), problem.history, study))

    @checked
    @guarded()
    def recommend(
        self,
        study: Study,
        k: int = 10,
        *,
        distance: float | None = None,
        cost_weight: float | Sequence[float] | None = None,
    ) -> list[Recommendation]:
        """Return the best configurations that no trial has had, for final trainings.

        They are ranked by the predicted mean of Eq. (6), without a reward for uncertainty.
        Each is a dict that `study.enqueue_trial` takes, with attributes `mean`, `std`, `rank`,
        `cost_mean`, `cost_weight` and `round`. `finalists` has those that trials have had.

        Those of several objectives lie on the predicted Pareto front: no configuration that
        was found has better means, and with constraints each is more likely feasible than not.
        The first is the best compromise; every further one is the farthest from those before it,
        in shares of the front's extent.

        Args:
            study: The study.
            k: How many for each cost weight; fewer if no more are far enough apart, or if the
                front has no more.
            distance: Least distance between two of them: the mean over parameters of 1 for
                another choice and of the difference in shares of the range for numbers, in
                [0, 1]. At 0 they only differ. None takes 0.1, and with several objectives 0, as
                these keep them apart.
            cost_weight: As for the sampler; None takes the sampler's. The k of each weight follow
                each other.

        Raises:
            ValueError: If an argument is out of its range, or a cost has a weight beside several
                objectives; otherwise as for `inspect`.

        Example:
            >>> import optuna
            >>> from optuna_predictor_rl import PredictorRLSampler
            >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
            >>> sampler = PredictorRLSampler(seed=0)
            >>> study = optuna.create_study(sampler=sampler)
            >>> study.optimize(lambda trial: trial.suggest_float("x", -1, 1) ** 2, n_trials=10)
            >>> for params in sampler.recommend(study, k=2):
            ...     study.enqueue_trial(params, user_attrs={"full_fidelity": True})
        """
        check_at_least(1, k=k)
        if distance is None:
            distance = 0.1 if len(study.directions) == 1 else 0.0
        if not 0.0 <= distance <= 1.0:
            raise ValueError(f"distance must be in [0, 1], but got {distance}.")
        shares = self._planner.settings.cost_weights
        if cost_weight is not None:
            shares = as_weights(cost_weight)
            check_costs(self._planner.settings.cost, shares, self._planner.settings.max_cost)
        suggester = self._planner.suggester
        if len(study.directions) > 1:
            check_cost_weights(shares, study)
            with suggester.lock:
                problem = self._planner.objectives(study)
                predictor = suggester.predictor(problem, signs_of(study))
                optima = {0.0: suggester.front(problem, predictor)}
            return recommended(optima, predictor, k=k, distance=distance)
        searches = {share: self.inspect(study, cost_weight=share) for share in shares}
        with suggester.lock:
            optima = {share: suggester.optima(found) for share, found in searches.items()}
            predictor = suggester.predictor(searches[shares[0]].problem, signs_of(study))
        return recommended(optima, predictor, k=k, distance=distance)
