"""What a study's predictor says, and what it would train to the end."""

import copy
import json
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
import pandas
import pytest
from optuna.study import Study
from optuna.trial import Trial
from scipy.stats import kendalltau

from optuna_predictor_rl import KnownCost, PolicyConfig, PredictorConfig, PredictorRLSampler
from optuna_predictor_rl.core.policy.spacing import gower_distance
from optuna_predictor_rl.study.distributions import to_space


def sampler(**options: Any) -> PredictorRLSampler:
    """A sampler whose suggestions cost little."""
    predictor = PredictorConfig(n_members=3, n_epochs=10)
    policy = PolicyConfig(n_steps=4)
    return PredictorRLSampler(predictor=predictor, policy=policy, **{"seed": 0, **options})


def value(params: dict[str, Any]) -> float:
    gap = math.log10(params["rate"]) + 2.0
    return 100.0 + 3.0 * gap**2 + abs(params["n"] - 4) + 5.0 * (params["kind"] == "b")


def objective(trial: Trial) -> float:
    params = {
        "rate": trial.suggest_float("rate", 1e-4, 1.0, log=True),
        "n": trial.suggest_int("n", 1, 9),
        "kind": trial.suggest_categorical("kind", ["a", "b", None]),
    }
    trial.set_user_attr("flops", 10.0 * params["n"])
    return value(params)


def searched(
    n_trials: int = 30, of: Callable[[Trial], float] = objective, direction: str = "minimize",
    **options: Any,
) -> tuple[PredictorRLSampler, Study]:  # fmt: skip
    made = sampler(**options)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1), direction=direction)
    study.optimize(of, n_trials=n_trials)
    study.sampler = made
    return made, study


def new_params(n: int = 200) -> list[dict[str, Any]]:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=9))
    study.optimize(objective, n_trials=n)
    return [trial.params for trial in study.trials]


def test_predictions_are_in_the_units_and_the_order_of_the_values() -> None:
    made, study = searched(40)
    predicted, new = made.predict(study, new_params()), np.array([value(p) for p in new_params()])
    assert kendalltau(predicted.mean, new).statistic > 0.6
    assert np.abs(predicted.mean - new).mean() < new.std()
    assert (predicted.std > 0).all()
    assert predicted.cost_mean is None


def test_a_maximized_study_predicts_the_negative_of_its_minimized_one() -> None:
    made, study = searched()
    down = made.predict(study, new_params(20))
    made, study = searched(of=lambda trial: -objective(trial), direction="maximize")
    up = made.predict(study, new_params(20))
    assert up.mean == pytest.approx(-down.mean)
    assert up.std == pytest.approx(down.std)
    assert up.rank == pytest.approx(down.rank)


def test_the_rank_is_the_share_of_random_configurations_that_are_predicted_to_be_worse() -> None:
    made, study = searched(40)
    rank = made.predict(study, new_params(1500)).rank
    assert np.sort(rank) == pytest.approx(np.linspace(0, 1, 1500), abs=0.05)
    assert kendalltau(rank, [value(p) for p in new_params(1500)]).statistic < -0.6


def test_the_cost_is_predicted_in_its_own_units() -> None:
    made, study = searched(40, cost="flops", cost_weight=0.5)
    predicted = made.predict(study, new_params(50))
    assert predicted.cost_mean == pytest.approx([10.0 * p["n"] for p in new_params(50)], abs=8.0)
    assert predicted.cost_std is not None
    assert (predicted.cost_std > 0).all()


def test_the_study_is_left_as_it_is_and_its_next_suggestion_too() -> None:
    made, study = searched()
    attributes = copy.deepcopy(study.user_attrs)
    made.predict(study, new_params(5))
    made.recommend(study, 3)
    assert len(study.trials) == 30
    assert study.user_attrs == attributes
    trial = study.ask()
    objective(trial)
    again = searched()[1].ask()
    objective(again)
    assert trial.params == again.params


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"rate": 0.1, "n": 3}, r"params_list\[1\] must have the parameter 'kind'"),
        ({"rate": 0.1, "n": 3, "kind": "a", "x": 1}, r"but got \['x'\]"),
        ({"rate": 0.1, "n": 3, "kind": "c"}, r"params_list\[1\]\['kind'\] must be within"),
        ({"rate": 2.0, "n": 3, "kind": "a"}, r"\['rate'\] must be within .* but got 2\.0"),
        ({"rate": math.nan, "n": 3, "kind": "a"}, r"\['rate'\] must be within"),
        ({"rate": "fast", "n": 3, "kind": "a"}, r"\['rate'\] must be within"),
        ({"rate": 0.1, "n": 3.5, "kind": "a"}, r"\['n'\] must be within"),
        ({"rate": 0.1, "n": 10, "kind": "a"}, r"\['n'\] must be within"),
        ({"rate": 0.1, "n": True, "kind": "a"}, r"\['n'\] must be within"),
    ],
)
def test_a_configuration_that_the_study_may_not_try_is_refused(
    params: dict[str, Any], message: str
) -> None:
    made, study = searched(12)
    good = {"rate": 0.1, "n": 3, "kind": "a"}
    with pytest.raises(ValueError, match=message):
        made.predict(study, [good, params])


def test_a_study_without_trials_has_nothing_to_say() -> None:
    made = sampler()
    study = optuna.create_study(sampler=made)
    for ask in (lambda: made.predict(study, []), lambda: made.recommend(study)):
        with pytest.raises(ValueError, match="study must have a finished trial"):
            ask()


def test_a_conditional_parameter_may_be_missing() -> None:
    def conditional(trial: Trial) -> float:
        if trial.suggest_categorical("kind", ["plain", "wide"]) == "plain":
            return 1.0
        return trial.suggest_float("width", 0.0, 2.0)

    made, study = searched(of=conditional)
    mean = made.predict(
        study, [{"kind": "plain"}, {"kind": "wide", "width": 0.1}, {"kind": "wide", "width": 1.9}]
    ).mean
    assert mean[1] < mean[0] < mean[2]
    assert all(("width" in r) == (r["kind"] == "wide") for r in made.recommend(study, 5))


@pytest.mark.parametrize("distance", [0.0, 0.1, 0.4])
def test_recommendations_are_good_new_and_different(distance: float) -> None:
    made, study = searched(40)
    found = made.recommend(study, 6, distance=distance)
    assert 2 <= len(found) <= 6
    best = min(trial.value or 0.0 for trial in study.trials)
    assert value(found[0]) <= best + 1.0
    assert (np.diff([r.mean for r in found]) > -0.05).all()  # ranked by targets, not by labels
    space = to_space(study.trials[0].distributions)
    tried = [trial.params for trial in study.trials]
    rows = space.rows(found)
    for i, recommendation in enumerate(found):
        assert dict(recommendation) not in tried
        others = np.delete(rows, i, axis=0)
        apart = gower_distance(others, rows[i], space)
        assert (apart > 0).all()
        assert (apart >= distance - 1e-12).all()
    expected = made.predict(study, found)
    assert [r.mean for r in found] == pytest.approx(expected.mean)
    assert [r.std for r in found] == pytest.approx(expected.std)
    assert [r.rank for r in found] == pytest.approx(expected.rank)


def test_recommendations_come_from_several_rounds() -> None:
    made, study = searched(40)
    assert len({r.round for r in made.recommend(study, 10)} - {-1}) > 1


def test_a_higher_cost_weight_recommends_cheaper_configurations() -> None:
    made, study = searched(40, cost="flops")
    found = made.recommend(study, 2, cost_weight=(0.0, 0.6, 1.0))
    assert [r.cost_weight for r in found] == [0.0, 0.0, 0.6, 0.6, 1.0, 1.0]
    first, middle, last = (found[i]["n"] for i in (0, 2, 4))
    assert first >= middle >= last
    assert first > last
    assert len({repr(r) for r in found}) == 6


def test_recommendations_keep_within_a_budget_and_know_their_exact_cost() -> None:
    known = KnownCost(lambda params: 10.0 * params["n"])
    made, study = searched(40, cost=known, max_cost=20.0)
    found = made.recommend(study, 4)
    assert [r.cost_mean for r in found] == [10.0 * r["n"] for r in found]
    assert max(r["n"] for r in found) <= 2
    predicted = made.predict(study, found)
    assert predicted.cost_std is not None
    assert predicted.cost_std.tolist() == [0.0] * len(found)


def test_recommendations_are_likely_to_be_feasible() -> None:
    def constrained(trial: Trial) -> float:
        value = objective(trial)
        trial.set_constraint("n", 4.0 - trial.params["n"])  # the best without it is n = 4
        return value - trial.params["n"] % 2

    made, study = searched(40, of=constrained)
    assert [r["n"] >= 4 for r in made.recommend(study, 4)].count(True) >= 3


def test_several_objectives_are_refused() -> None:
    study = optuna.create_study(directions=["minimize", "minimize"])
    for ask in (lambda: sampler().predict(study, []), lambda: sampler().recommend(study)):
        with pytest.raises(ValueError, match=r"must have one objective to be predicted.* got 2"):
            ask()


def test_a_small_space_runs_out_of_recommendations() -> None:
    made, study = searched(3, of=lambda trial: trial.suggest_int("n", 0, 4) * 1.0)
    tried = {trial.params["n"] for trial in study.trials}
    assert {r["n"] for r in made.recommend(study, 10, distance=0.0)} == set(range(5)) - tried


def test_a_recommendation_is_a_plain_dict_to_optuna_and_to_json() -> None:
    made, study = searched()
    first = made.recommend(study, 1)[0]
    study.enqueue_trial(first, user_attrs={"full_fidelity": True})
    study.optimize(objective, n_trials=1)
    assert study.trials[-1].params == first
    assert json.loads(json.dumps(first)) == first
    for copied in (copy.deepcopy(first), pickle.loads(pickle.dumps(first))):
        assert copied == first
        assert copied.mean == first.mean
    assert "+-" in repr(first)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, r"k must be at least 1, but got 0\."),
        ({"distance": 1.5}, r"distance must be in \[0, 1\], but got 1\.5\."),
        ({"cost_weight": 0.5}, r"cost_weight must be 0 without a cost, but got 0\.5\."),
        ({"cost_weight": ()}, r"cost_weight must not be empty"),
    ],
)
def test_bad_arguments_are_refused(options: dict[str, Any], message: str) -> None:
    made, study = searched(3)
    with pytest.raises(ValueError, match=message):
        made.recommend(study, **options)


def test_one_configuration_trials_and_frames_are_predicted_as_dicts_are() -> None:
    made, study = searched(12)
    dicts = [trial.params for trial in study.trials]
    expected = made.predict(study, dicts).mean
    frame = study.trials_dataframe()  # with NaN where `kind` is None
    for given in (
        study.trials,
        tuple(dicts),
        frame,
        study.trials_dataframe(multi_index=True),
        pandas.DataFrame(dicts),
        frame.filter(like="params_"),
    ):
        assert made.predict(study, given).mean.tolist() == expected.tolist()
    for one in (dicts[3], study.trials[3]):
        assert made.predict(study, one).mean == pytest.approx(expected[3:4], rel=1e-6)


def test_empty_cells_are_parameters_that_a_configuration_lacks() -> None:
    def conditional(trial: Trial) -> float:
        x = trial.suggest_float("x", 0.0, 1.0)
        if x < 0.5:
            return x + trial.suggest_int("n", 1, 4)
        return x

    made, study = searched(12, conditional)
    expected = made.predict(study, [trial.params for trial in study.trials]).mean
    frame = study.trials_dataframe()
    assert frame["params_n"].isna().any()
    assert made.predict(study, frame).mean.tolist() == expected.tolist()
    with_na = frame.convert_dtypes()
    assert with_na["params_n"].isna().any()
    assert made.predict(study, with_na).mean.tolist() == expected.tolist()


def test_parameters_count_that_a_trial_was_made_with_but_not_asked_for_yet() -> None:
    made, study = searched(8)
    params = study.trials[3].params
    study.enqueue_trial(params)
    expected = made.predict(study, params).mean
    for given in (study.trials[-1], optuna.trial.FixedTrial(params), np.array([params])):
        assert made.predict(study, given).mean == expected


def test_a_column_that_occurs_twice_is_refused_by_name() -> None:
    made, study = searched(6)
    frame = pandas.DataFrame([study.trials[0].params])
    frame = pandas.concat([frame, frame[["rate"]]], axis=1)
    with pytest.raises(ValueError, match=r"must have each column once, but got \['rate'\]"):
        made.predict(study, frame)


def test_a_frame_with_a_column_that_is_no_parameter_is_refused_by_name() -> None:
    made, study = searched(6)
    frame = pandas.DataFrame([{**study.trials[0].params, "depth": 3}])
    with pytest.raises(ValueError, match=r"params_list\[0\] must have .*but got \['depth'\]"):
        made.predict(study, frame)


@pytest.mark.parametrize("given", ["rate", None, 3, ["rate"], np.zeros((2, 3))])
def test_what_is_no_configuration_is_refused(given: Any) -> None:
    made, study = searched(1)
    with pytest.raises(TypeError, match="params_list must be"):
        made.predict(study, given)
