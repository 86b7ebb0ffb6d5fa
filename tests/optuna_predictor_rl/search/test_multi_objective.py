"""Studies with several objectives."""

import math
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.samplers import RandomSampler
from optuna.study import Study
from optuna.trial import Trial, TrialState

from optuna_predictor_rl import PolicyConfig, PredictorRLSampler
from optuna_predictor_rl.core.pareto import hypervolume
from optuna_predictor_rl.data.history import read_history
from optuna_predictor_rl.data.scalarization import with_one_objective
from tests.optuna_predictor_rl.search.samplers import tiny
from tests.optuna_predictor_rl.trials import SPACE


def two(trial: Trial) -> tuple[float, float]:
    """The front is x in [0, 1] with y = 0 and kind "a"; the second objective is large."""
    x, y = trial.suggest_float("x", -2.0, 3.0), trial.suggest_float("y", -2.0, 2.0)
    worse = float(trial.suggest_categorical("kind", ["a", "b"]) == "b")
    return x**2 + y**2 + worse, 1e6 * ((x - 1.0) ** 2 + y**2 + worse)


def optimized(sampler: Any, n_trials: int = 30) -> Study:
    study = optuna.create_study(directions=["minimize"] * 2, sampler=sampler)
    study.optimize(two, n_trials=n_trials)
    return study


def volume(study: Study) -> float:
    points = np.array([trial.values for trial in study.trials]) / [1.0, 1e6]
    return hypervolume(points, np.array([1.1, 1.1]))


def test_more_of_the_front_is_found_than_at_random() -> None:
    assert volume(optimized(tiny())) > volume(optimized(RandomSampler(seed=0), n_trials=200))


def test_the_front_is_traced_from_end_to_end() -> None:
    best = [trial.params["x"] for trial in optimized(tiny(), n_trials=40).best_trials]
    assert min(best) < 0.2
    assert max(best) > 0.8
    assert len([x for x in best if 0.2 < x < 0.8]) >= 3


def test_a_maximized_objective_is_its_negative_minimized() -> None:
    def flipped(trial: Trial) -> tuple[float, float]:
        first, second = two(trial)
        return first, -second

    study = optuna.create_study(directions=["minimize", "maximize"], sampler=tiny())
    study.optimize(flipped, n_trials=9)
    expected = optimized(tiny(), n_trials=9)
    assert [t.params for t in study.trials] == [t.params for t in expected.trials]


@pytest.mark.parametrize("n_objectives", [3, 5])
def test_any_number_of_objectives_is_searched(n_objectives: int) -> None:
    centres = np.linspace(0.0, 1.0, n_objectives)

    def objective(trial: Trial) -> tuple[float, ...]:
        x, y = trial.suggest_float("x", -3.0, 3.0), trial.suggest_float("y", -3.0, 3.0)
        return tuple((x - c) ** 2 + y**2 for c in centres)

    study = optuna.create_study(directions=["minimize"] * n_objectives, sampler=tiny())
    study.optimize(objective, n_trials=25)
    late = study.trials[-10:]
    assert np.mean([abs(t.params["y"]) for t in late]) < 1.0
    assert np.mean([-0.3 < t.params["x"] < 1.3 for t in late]) > 0.6


def test_trials_that_fail_or_return_odd_values_do_no_harm() -> None:
    odd = [math.nan, math.inf, -math.inf, 1e308, -1e308]

    def objective(trial: Trial) -> tuple[float, float]:
        first, second = two(trial)
        if trial.number % 7 == 6:
            raise RuntimeError
        return (odd[trial.number % 7], second) if trial.number % 7 < len(odd) else (first, second)

    study = optuna.create_study(directions=["minimize"] * 2, sampler=tiny())
    study.optimize(objective, n_trials=20, catch=RuntimeError)
    assert len(study.trials) == 20
    assert len(study.get_trials(states=(TrialState.COMPLETE,))) > 10


def test_trials_asked_for_at_once_differ() -> None:
    study = optimized(tiny(), n_trials=8)
    ahead = [study.ask() for _ in range(5)]
    for trial in ahead:
        two(trial)
    assert len({str(trial.params) for trial in ahead}) == 5


def test_the_front_of_the_feasible_is_searched() -> None:
    def objective(trial: Trial) -> tuple[float, float]:
        first, second = two(trial)
        trial.set_constraint("x", 0.5 - trial.params["x"])
        return first, second

    study = optuna.create_study(directions=["minimize"] * 2, sampler=tiny())
    study.optimize(objective, n_trials=35)
    best = [trial.params["x"] for trial in study.best_trials]
    assert 0.5 <= min(best) < 0.7
    assert np.mean([trial.params["x"] >= 0.4 for trial in study.trials[-10:]]) > 0.6


def test_weights_are_uniform_on_the_simplex_and_the_trials_own() -> None:
    """The best of a line of points is where its weighted parts are equal: at the weight."""
    study = optuna.create_study(directions=["minimize"] * 2)
    x = np.linspace(0.0, 1.0, 201)
    for position in x.tolist():
        study.add_trial(
            optuna.trial.create_trial(
                values=[position, 1.0 - position], params={"x": position}, distributions=SPACE
            )
        )
    history = read_history(study, SPACE)
    at = [x[with_one_objective(history, 3, n).labels[:, 0].argmin()] for n in range(200)]
    assert np.quantile(at, [0.25, 0.5, 0.75]) == pytest.approx([0.25, 0.5, 0.75], abs=0.08)
    again = with_one_objective(history, 3, 7).labels
    assert np.array_equal(again, with_one_objective(history, 3, 7).labels)


def test_the_papers_reward_searches_several_objectives_too() -> None:
    study = optimized(tiny(policy=PolicyConfig(n_steps=3, reward="mean")), n_trials=25)
    assert np.mean([abs(trial.params["y"]) for trial in study.trials[-10:]]) < 0.3  # random: 1


def test_a_weighed_cost_beside_several_objectives_is_refused() -> None:
    study = optuna.create_study(
        directions=["minimize"] * 2, sampler=tiny(cost="flops", cost_weight=0.5)
    )
    with pytest.raises(ValueError, match="cost_weight must be 0 in a study with several"):
        study.optimize(two, n_trials=2)


def test_the_next_suggestions_search_can_be_inspected() -> None:
    study = optimized(tiny(), n_trials=9)
    sampler = study.sampler
    assert isinstance(sampler, PredictorRLSampler)
    expected = sampler.inspect(study)
    trial = study.ask()
    two(trial)
    row = expected.history.space.rows([trial.params])
    assert row == pytest.approx(expected.rows[:1])
