"""How a sampler weighs costs, and refuses those that it cannot compute."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.study import Study
from optuna.trial import Trial, TrialState

from optuna_predictor_rl import KnownCost, PredictorRLSampler
from tests.optuna_predictor_rl.samplers import levels, optimized, tiny
from tests.optuna_predictor_rl.trials import trial


def cost_study(cost_weight: Any, n_trials: int = 16, **options: Any) -> Study:
    """The larger x, the better and the more expensive."""

    def objective(trial: Trial) -> float:
        x = trial.suggest_float("x", 0.0, 1.0)
        trial.suggest_float("y", 0.0, 1.0)
        trial.set_user_attr("flops", 1e9 * x)
        return -x

    return optimized(objective, n_trials, cost="flops", cost_weight=cost_weight, **options)


def test_the_cost_weight_moves_suggestions_towards_cheap_configurations() -> None:
    expensive, cheap = levels(cost_study(0.0)), levels(cost_study(0.9))
    assert expensive > 0.8
    assert cheap < 0.2


def test_value_and_cost_are_weighed_whatever_their_units() -> None:
    study = cost_study(0.25)
    assert levels(study) > 0.8  # value counts three times as much, whatever the cost's unit


def test_a_sequence_of_cost_weights_is_cycled_from_trial_to_trial() -> None:
    trials = cost_study((0.0, 1.0)).trials[6:]
    x = [trial.params["x"] for trial in trials]
    assert np.mean(x[::2]) > 0.7
    assert np.mean(x[1::2]) < 0.3


def test_pruned_trials_without_a_cost_are_learned_from() -> None:
    study = optuna.create_study(sampler=tiny(n_startup_trials=1, cost="flops", cost_weight=0.5))
    for x in (0.1, 0.5, 0.9):
        study.add_trial(trial(x, x, TrialState.PRUNED))
    assert study.ask().suggest_float("x", 0.0, 1.0) < 0.5


def test_a_missing_cost_names_the_trial_and_the_attribute() -> None:
    study = optuna.create_study(sampler=tiny(cost="flops"))
    with pytest.raises(ValueError, match="trial 0 has no 'flops'"):
        study.optimize(lambda trial: trial.suggest_float("x", 0.0, 1.0), n_trials=2)


def test_a_known_cost_that_fails_in_one_branch_does_so_at_its_first_trial() -> None:
    study = optuna.create_study(sampler=tiny(cost=KnownCost(lambda p: p["w"] * p["d"])))
    study.enqueue_trial({"mode": "b"})
    study.enqueue_trial({"mode": "a"})

    def objective(trial: Trial) -> float:
        deep = trial.suggest_categorical("mode", ["a", "b"]) == "b"
        return trial.suggest_float("w", 0, 1) + (trial.suggest_float("d", 0, 1) if deep else 0.0)

    study.optimize(objective, n_trials=1)
    with pytest.raises(ValueError, match=r"cost must be a number for .* but got KeyError: 'd'"):
        study.optimize(objective, n_trials=1)


@pytest.mark.parametrize("wrong", [lambda p: p["typo"], lambda _: None, lambda _: math.nan])
def test_a_known_cost_that_fails_does_so_at_the_first_trial(wrong: Callable[..., Any]) -> None:
    sampler = PredictorRLSampler(cost=KnownCost(wrong), seed=0)
    study = optuna.create_study(sampler=sampler)
    with pytest.raises(ValueError, match=r"cost must be a number .* for \{'x': "):
        study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE]


def test_a_known_cost_may_name_a_parameter_that_earlier_runs_lacked() -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    study.sampler = tiny(cost=KnownCost(lambda p: p["x"] * p["y"]))
    study.optimize(lambda t: t.suggest_float("x", 0, 1) + t.suggest_float("y", 0, 1), n_trials=1)
    assert len(study.trials) == 3


def test_a_known_cost_is_not_tried_on_a_trial_that_lacks_parameters() -> None:
    def objective(trial: Trial) -> float:
        x = trial.suggest_float("x", 0, 1)
        if trial.number == 0:
            raise optuna.TrialPruned
        return x + trial.suggest_float("y", 0, 1)

    sampler = PredictorRLSampler(cost=KnownCost(lambda p: p["x"] * p["y"]), seed=0)
    study = optuna.create_study(sampler=sampler)
    study.optimize(objective, n_trials=2)
    assert len(study.trials) == 2
