"""What a study's predictor says of several objectives, and which configurations it recommends."""

import functools
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.study import Study
from optuna.trial import Trial
from scipy.stats import kendalltau

from optuna_predictor_rl import PolicyConfig, PredictorRLSampler, Recommendation
from optuna_predictor_rl.core.predictor.calibration import LabelPredictor
from tests.optuna_predictor_rl.search.samplers import tiny

DIRECTIONS = ("minimize", "maximize")
SIGNS = np.array([1.0, -1.0])


def values(params: dict[str, Any]) -> tuple[float, float]:
    """The front is x in [0, 1] with y = 0; the second objective is large, and maximized."""
    x, y = params["x"], params["y"]
    return x**2 + y**2, -1e6 * ((x - 1.0) ** 2 + y**2)


def asked(trial: Trial) -> dict[str, Any]:
    return {"x": trial.suggest_float("x", -1.0, 2.0), "y": trial.suggest_float("y", -1.0, 1.0)}


def two(trial: Trial) -> tuple[float, float]:
    found = values(asked(trial))
    trial.set_user_attr("flops", 10.0 + trial.params["x"])
    return found


def limited(trial: Trial) -> tuple[float, float]:
    found = two(trial)
    trial.set_constraint("x", 0.5 - trial.params["x"])
    return found


def never(trial: Trial) -> tuple[float, float]:
    found = two(trial)
    trial.set_constraint("x", 1.0 + abs(trial.params["x"]))
    return found


def filled(of: Any = two, n_trials: int = 40, directions: Any = DIRECTIONS) -> Study:
    study = optuna.create_study(
        directions=directions, sampler=optuna.samplers.RandomSampler(seed=1)
    )
    study.optimize(of, n_trials=n_trials)
    return study


def sampler(**options: Any) -> PredictorRLSampler:
    policy = PolicyConfig(n_rounds=2, n_steps=3, batch_size=4)
    return tiny(policy=policy, **options)


@functools.cache
def searched() -> tuple[PredictorRLSampler, Study]:
    return sampler(), filled()


@functools.cache
def recommended() -> list[Recommendation]:
    made, study = searched()
    return made.recommend(study, 6)


def new_params(n: int = 100) -> list[dict[str, Any]]:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=9))
    return [asked(study.ask()) for _ in range(n)]


def dominated(losses: np.ndarray) -> list[bool]:
    return [any((a <= b).all() and (a < b).any() for a in losses) for b in losses]


def test_each_objective_is_predicted_in_its_own_units_and_direction() -> None:
    made, study = searched()
    predicted = made.predict(study, new_params())
    true = np.array([values(params) for params in new_params()])
    assert predicted.mean.shape == predicted.std.shape == predicted.rank.shape == (100, 2)
    assert (predicted.std > 0).all()
    assert isinstance(predicted.correction, np.ndarray)
    assert predicted.correction.shape == (2,)
    assert predicted.cost_mean is None
    for o in range(2):
        assert kendalltau(predicted.mean[:, o], true[:, o]).statistic > 0.6
        assert np.abs(predicted.mean[:, o] - true[:, o]).mean() < true[:, o].std()
        order = kendalltau(predicted.rank[:, o], SIGNS[o] * true[:, o]).statistic
        assert order < -0.6


def test_a_minimized_objective_is_the_negative_of_a_maximized_one() -> None:
    made, study = searched()
    down = filled(lambda trial: tuple(SIGNS * two(trial)), directions=["minimize", "minimize"])
    expected, found = made.predict(study, new_params(20)), sampler().predict(down, new_params(20))
    assert found.mean == pytest.approx(SIGNS * expected.mean)
    assert found.std == pytest.approx(expected.std)
    assert found.rank == pytest.approx(expected.rank)


def test_one_objective_is_predicted_by_the_ensemble_behind_its_suggestions() -> None:
    study = filled(lambda trial: two(trial)[1], directions=["maximize"])
    made = sampler()
    search = made.inspect(study)
    rows = search.history.space.rows(new_params(20))
    mean = LabelPredictor.of(search.ensemble, search.history.labels).predict(rows)[0].mean[:, 0]
    assert made.predict(study, new_params(20)).mean == pytest.approx(-mean)


def test_a_cost_beside_several_objectives_is_predicted_too() -> None:
    made = sampler(cost="flops")
    predicted = made.predict(filled(), new_params(20))
    assert predicted.mean.shape == (20, 2)
    assert predicted.cost_mean == pytest.approx(
        [10.0 + params["x"] for params in new_params(20)], abs=0.5
    )


def test_recommendations_are_new_and_none_is_predicted_to_be_better_than_another() -> None:
    (made, study), found = searched(), recommended()
    assert len(found) == 6
    tried = [trial.params for trial in study.trials]
    assert not any(dict(params) in tried for params in found)
    means = np.array([params.mean for params in found])
    assert not any(dominated(SIGNS * means))
    predicted = made.predict(study, found)
    assert means == pytest.approx(predicted.mean)
    assert np.array([params.std for params in found]) == pytest.approx(predicted.std)
    assert np.array([params.rank for params in found]) == pytest.approx(predicted.rank)
    assert all(isinstance(params.mean, tuple) for params in found)
    assert repr(found[0]).count("+-") == 2


def test_recommendations_are_spread_along_the_front_from_its_compromise() -> None:
    found = recommended()
    at = [params["x"] for params in found]
    assert all(-0.2 < params["x"] < 1.2 and abs(params["y"]) < 0.3 for params in found)
    assert 0.3 < at[0] < 0.7
    assert min(at[1:3]) < 0.2
    assert max(at[1:3]) > 0.8


def test_fewer_recommendations_are_the_first_of_more() -> None:
    made, study = searched()
    assert made.recommend(study, 2) == recommended()[:2]


def test_recommendations_are_more_likely_feasible_than_not() -> None:
    found = sampler().recommend(filled(limited), 6)
    assert len(found) == 6
    assert all(params["x"] > 0.4 for params in found)


def test_nothing_is_recommended_where_nothing_is_likely_to_be_feasible() -> None:
    assert sampler().recommend(filled(never), 6) == []


def test_three_objectives_have_recommendations_too() -> None:
    three = filled(
        lambda trial: (*two(trial), trial.params["y"]), directions=[*DIRECTIONS, "minimize"]
    )
    found = sampler().recommend(three, 5)
    means = np.array([params.mean for params in found])
    assert means.shape == (5, 3)
    assert not any(dominated(means * [1.0, -1.0, 1.0]))


def test_the_front_of_one_objective_is_its_best_recommendation() -> None:
    study = filled(lambda trial: two(trial)[0], directions=["minimize"])
    made = sampler()
    (best,) = made.recommend(study, 1)
    problem = made._planner.objectives(study)
    suggester = made._planner.suggester
    predictor = suggester.predictor(problem, np.ones(1))
    rows, _ = suggester.front(problem, predictor)
    mean = np.unique(predictor(rows).mean.round(9))
    assert mean == pytest.approx([best.mean], abs=0.05)


def test_the_next_suggestion_is_left_as_it_is() -> None:
    made, study = sampler(), filled()
    study.sampler = made
    made.predict(study, new_params(3))
    made.recommend(study, 2)
    again = filled()
    again.sampler = sampler()
    assert asked(study.ask()) == asked(again.ask())


def test_a_cost_weight_beside_several_objectives_is_refused() -> None:
    made = sampler(cost="flops")
    with pytest.raises(ValueError, match=r"cost_weight must be 0 in a study with several .*0\.5"):
        made.recommend(filled(), cost_weight=0.5)
