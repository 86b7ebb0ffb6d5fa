"""What a study's predictor says of configurations."""

import math
from typing import Any

import numpy as np
import optuna
import pandas
import pytest
from optuna.trial import Trial
from scipy.stats import kendalltau

from tests.optuna_predictor_rl.search.searched import objective, sampler, searched, value


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


def test_inactive_parameters_are_ignored_and_active_ones_asked_for() -> None:
    def layered(trial: Trial) -> float:
        n_layers = trial.suggest_int("n_layers", 1, 3)
        return sum(trial.suggest_float(f"width{i}", 0.0, 1.0) for i in range(n_layers))

    made, study = searched(12, layered)
    one = {"n_layers": 1, "width0": 0.5}
    alike = made.predict(study, [one, one | {"width1": 0.1}, one | {"width2": 0.9}]).mean
    assert alike == pytest.approx(alike[0], rel=1e-12)
    with pytest.raises(ValueError, match=r"\[1\] must have the parameter 'width1', active for it"):
        made.predict(study, [one, one | {"n_layers": 2}])
    assert len(made.predict(study, study.trials).mean) == 12


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
