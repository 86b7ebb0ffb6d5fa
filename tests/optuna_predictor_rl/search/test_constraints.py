"""Constraints and budgets: what is suggested, and what infeasible trials teach."""

import math
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.study import Study
from optuna.trial import Trial, TrialState, create_trial

from optuna_predictor_rl import KnownCost, PredictorRLSampler
from optuna_predictor_rl.data.history import read_history
from tests.optuna_predictor_rl.search.samplers import tiny
from tests.optuna_predictor_rl.trials import SPACE, UNIT, study_of


def plane(trial: Trial) -> float:
    """Best at x = y = 1."""
    x, y = trial.suggest_float("x", -2.0, 2.0), trial.suggest_float("y", -2.0, 2.0)
    return (x - 1.0) ** 2 + (y - 1.0) ** 2


def optimized(sampler: PredictorRLSampler, limit: float, n_trials: int, **options: Any) -> Study:
    """Feasible where x is at most the limit."""

    def objective(trial: Trial) -> float:
        value = plane(trial)
        trial.set_constraint("x", options.get("unit", 1.0) * (trial.params["x"] - limit))
        return value

    study = optuna.create_study(sampler=sampler)
    study.optimize(objective, n_trials=n_trials)
    return study


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e9])
def test_the_best_feasible_value_is_found_whatever_the_constraints_unit(unit: float) -> None:
    study = optimized(tiny(), limit=-0.5, n_trials=30, unit=unit)
    assert study.best_value == pytest.approx(2.25, abs=0.25)  # at (-0.5, 1)


def test_infeasible_places_are_avoided_although_their_values_are_better() -> None:
    trials = optimized(tiny(), limit=-0.5, n_trials=30).trials[-10:]
    assert np.mean([trial.params["x"] for trial in trials]) < 0.0


def test_a_search_without_a_feasible_trial_looks_for_one() -> None:
    study = optuna.create_study(sampler=tiny(n_startup_trials=1))
    for x in np.linspace(0.4, 1.0, 7).tolist():
        study.add_trial(
            create_trial(value=-x, params={"x": x}, distributions=SPACE, constraints={"c": x})
        )
    found = [study.ask() for _ in range(3)]
    assert np.mean([trial.suggest_float("x", 0.0, 1.0) for trial in found]) < 0.4


def test_a_missing_constraint_counts_as_satisfied_and_teaches_nothing() -> None:
    trials = [
        create_trial(value=1.0, params={"x": x}, distributions=SPACE, constraints=constraints)
        for x, constraints in ((0.1, {"a": 1.0}), (0.2, {"b": -1.0}), (0.3, {"a": -2.0, "b": 3.0}))
    ]
    trials.append(create_trial(value=1.0, params={"x": 0.4}, distributions=SPACE))
    history = read_history(study_of(*trials), SPACE)
    nan = math.nan
    expected = [[1.0, nan], [nan, -1.0], [-2.0, 3.0], [nan, nan]]
    assert np.array_equal(history.constraints, expected, equal_nan=True)
    assert history.feasible.tolist() == [False, True, False, True]


def test_a_pruned_trial_teaches_its_constraint() -> None:
    pruned = create_trial(
        state=TrialState.PRUNED,
        value=2.0,
        params={"x": 0.5},
        distributions={"x": UNIT},
        constraints={"c": math.inf},
    )
    other = create_trial(value=1.0, params={"x": 0.1}, distributions=SPACE, constraints={"c": 2.0})
    history = read_history(study_of(pruned, other), SPACE)
    assert history.constraints.tolist() == [[2.0], [2.0]]  # an infinite one as the worst finite


@pytest.mark.parametrize("n_startup_trials", [1, 100])
def test_nothing_beyond_a_known_budget_is_suggested(n_startup_trials: int) -> None:
    cost = KnownCost(lambda params: 1e9 * (params["x"] + params["y"]))
    sampler = tiny(n_startup_trials=n_startup_trials, cost=cost, max_cost=1e9)
    study = optuna.create_study(sampler=sampler)
    study.enqueue_trial({"x": 0.0, "y": 0.0})
    study.optimize(plane, n_trials=20)
    assert all(trial.params["x"] + trial.params["y"] <= 1.0 for trial in study.trials)
    if n_startup_trials == 1:
        assert study.best_value == pytest.approx(0.5, abs=0.2)  # at (1/2, 1/2)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_budget_that_few_configurations_meet_is_kept(seed: int) -> None:
    """13 of 10^9, which are found by moves towards the budget."""

    def product(params: dict[str, int]) -> float:
        return math.prod(params.values())

    made = tiny(n_startup_trials=4, cost=KnownCost(product), max_cost=4.0, seed=seed)
    study = optuna.create_study(sampler=made)
    study.optimize(lambda t: -sum(t.suggest_int(name, 1, 1000) for name in "abc"), n_trials=10)
    costs = [product(trial.params) for trial in study.trials]
    assert sum(cost <= 4 for cost in costs) >= 8
    assert len({tuple(trial.params.values()) for trial in study.trials}) == 10


def test_a_budget_that_nothing_meets_gives_something_cheap() -> None:
    cost = KnownCost(lambda params: params["x"])
    study = optuna.create_study(sampler=tiny(n_startup_trials=1, cost=cost, max_cost=-9.0))
    study.optimize(plane, n_trials=5)
    assert all(trial.params["x"] < -1.9 for trial in study.trials[2:])


def test_a_learned_cost_is_kept_below_its_budget() -> None:
    def objective(trial: Trial) -> float:
        value = plane(trial)
        trial.set_user_attr("flops", 1e9 * trial.params["x"])
        return value

    study = optuna.create_study(sampler=tiny(cost="flops", max_cost=-0.5e9))
    study.optimize(objective, n_trials=30)
    feasible = [trial.value for trial in study.trials if trial.params["x"] <= -0.5]
    assert min(v for v in feasible if v is not None) == pytest.approx(2.25, abs=0.3)
    assert np.mean([trial.params["x"] for trial in study.trials[-10:]]) < 0.0


def test_a_known_cost_is_weighed_like_one_that_was_measured() -> None:
    levels = []
    for weight in (0.1, 0.9):
        cost = KnownCost(lambda params: 1e9 * params["x"])
        study = optuna.create_study(sampler=tiny(cost=cost, cost_weight=weight))
        study.optimize(plane, n_trials=20)
        levels.append(np.mean([trial.params["x"] for trial in study.trials[-8:]]))
    assert levels[0] > 0.3
    assert levels[1] < -1.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_cost": 1.0}, "max_cost must be None without a cost, but got 1.0"),
        ({"cost": "f", "max_cost": math.nan}, "max_cost must be finite, but got nan"),
    ],
)
def test_a_budget_that_means_nothing_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PredictorRLSampler(**options)


def test_a_function_of_constraints_means_what_it_does_for_optunas_samplers() -> None:
    def limit(trial: optuna.trial.FrozenTrial) -> tuple[float, ...]:
        return (trial.params["x"] + 0.5,)

    with pytest.warns(FutureWarning, match=r"constraints_func.* Use .*set_constraint") as warned:
        sampler = tiny(constraints_func=limit, store_predictions=True)
    assert len(warned) == 1
    study = optuna.create_study(sampler=sampler)
    study.optimize(plane, n_trials=10)

    def objective(trial: Trial) -> float:
        value = plane(trial)
        trial.set_constraint("0", trial.params["x"] + 0.5)  # Optuna's name for the first value
        return value

    same = optuna.create_study(sampler=tiny())
    same.optimize(objective, n_trials=10)
    assert [t.params for t in study.trials] == [t.params for t in same.trials]
    assert [t.constraints for t in study.trials] == [t.constraints for t in same.trials]
    feasible = [t.params["x"] <= -0.5 for t in study.trials]
    assert [t.user_attrs["predictor_rl:feasible"] for t in study.trials] == feasible
