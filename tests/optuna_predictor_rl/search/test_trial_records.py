"""What is stored with a running trial: where it comes from, what is expected, constraints."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import Trial
from scipy.stats import spearmanr

from optuna_predictor_rl import PolicyConfig, PredictorConfig, PredictorRLSampler


def searched(n_trials: int, objective: Any, direction: str = "minimize", **options: Any) -> Any:
    sampler = PredictorRLSampler(
        n_startup_trials=5, seed=0, store_predictions=True, policy=PolicyConfig(n_steps=3),
        predictor=PredictorConfig(n_members=2), **options,
    )  # fmt: skip
    study = optuna.create_study(sampler=sampler, direction=direction)
    study.optimize(objective, n_trials=n_trials)
    return study


def parabola(trial: Trial) -> float:
    x = trial.suggest_float("x", -1, 1)
    trial.set_user_attr("flops", 1000.0 * (1.0 + x))
    return (x - 0.3) ** 2


def test_startup_trials_say_so_and_expect_nothing() -> None:
    study = searched(6, parabola)
    phases = [t.user_attrs.get("predictor_rl:phase") for t in study.trials]
    assert phases == [None] + ["startup"] * 4 + ["search"]  # at first no parameter is known
    assert "predictor_rl:predicted_value" not in study.trials[1].user_attrs


def test_predictions_are_in_the_units_of_value_and_cost() -> None:
    study = searched(16, parabola, cost="flops", cost_weight=0.3)
    last = study.trials[-1].user_attrs
    labels = {
        "value": [trial.value for trial in study.trials[:-1]],
        "cost": [trial.user_attrs["flops"] for trial in study.trials[:-1]],
    }
    for name, of_trials in labels.items():
        best, middle, worst = np.quantile(of_trials, [0.0, 0.5, 1.0])
        assert 2.0 * best - middle <= last[f"predictor_rl:predicted_{name}"] <= worst
        assert 0.0 <= last[f"predictor_rl:predicted_{name}_std"] <= worst - (2.0 * best - middle)
    assert last["predictor_rl:rl_round"] in range(-1, 5)


def test_what_is_stored_is_what_predict_says() -> None:
    study = searched(9, parabola, cost="flops", cost_weight=0.3)
    study.ask().suggest_float("x", -1, 1)
    asked = study.trials[-1]
    stored = asked.user_attrs
    predicted = study.sampler.predict(study, [asked.params])
    assert stored["predictor_rl:predicted_value"] == pytest.approx(predicted.mean[0])
    assert stored["predictor_rl:predicted_cost"] == pytest.approx(predicted.cost_mean[0])
    assert stored["predictor_rl:predicted_value_std"] * predicted.correction == pytest.approx(
        predicted.std[0]
    )


def test_what_is_expected_of_a_maximized_value_has_its_sign() -> None:
    down = searched(10, lambda trial: parabola(trial) - 5.0).trials[-1].user_attrs
    up = searched(10, lambda trial: 5.0 - parabola(trial), "maximize").trials[-1].user_attrs
    assert up["predictor_rl:predicted_value"] == pytest.approx(
        -down["predictor_rl:predicted_value"]
    )
    assert up["predictor_rl:predicted_value_std"] == pytest.approx(
        down["predictor_rl:predicted_value_std"]
    )


def test_predictions_rank_trials_as_their_values_do() -> None:
    def plane(trial: Trial) -> float:
        return sum(trial.suggest_float(f"x{i}", 0, 1) for i in range(2))

    study = searched(
        30, plane, cost=lambda trial: -trial.params["x0"], cost_weight=[0.0, 0.5, 1.0]
    )
    known = [t for t in study.trials if "predictor_rl:predicted_value" in t.user_attrs]
    predicted = [t.user_attrs["predictor_rl:predicted_value"] for t in known]
    assert spearmanr(predicted, [t.value for t in known]).statistic > 0.5


def test_a_trial_after_all_has_been_seen_counts_as_random() -> None:
    study = searched(8, lambda trial: trial.suggest_categorical("x", [1, 2, 3]))
    assert study.trials[-1].user_attrs["predictor_rl:phase"] == "random"
    assert math.isfinite(study.trials[-1].user_attrs["predictor_rl:predicted_value"])


def test_attributes_are_small_and_fit_a_database(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path}/study.db"
    sampler = PredictorRLSampler(n_startup_trials=3, seed=0, store_predictions=True)
    study = optuna.create_study(sampler=sampler, storage=storage)
    study.optimize(parabola, n_trials=6)
    assert "predictor_rl:predicted_value" in study.trials[-1].user_attrs
    assert all(len(json.dumps(v)) < 2048 for v in study.trials[-1].user_attrs.values())


def test_broken_constraints_are_mirrored_as_numbers() -> None:
    def constrained(trial: Trial) -> float:
        x = trial.suggest_float("x", 0, 1)
        trial.set_constraint("low", 0.5 - x)
        trial.set_constraint("lower", 0.25 - x)
        return x

    study = searched(6, constrained)
    for trial in study.trials:
        x = trial.params["x"]
        expected = max(0.5 - x, 0.0) + max(0.25 - x, 0.0)
        assert trial.user_attrs["predictor_rl:violation"] == pytest.approx(expected)
        assert trial.user_attrs["predictor_rl:feasible"] == (1 if x >= 0.5 else 0)


def test_nothing_is_stored_unless_asked_for() -> None:
    study = optuna.create_study(sampler=PredictorRLSampler(n_startup_trials=2, seed=0))
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=4)
    assert all(trial.user_attrs == {} for trial in study.trials)


def test_several_objectives_say_where_a_trial_comes_from_only() -> None:
    sampler = PredictorRLSampler(n_startup_trials=5, seed=0, store_predictions=True)
    study = optuna.create_study(directions=["minimize", "maximize"], sampler=sampler)
    study.optimize(lambda trial: (parabola(trial), trial.params["x"]), n_trials=8)
    assert study.trials[-1].user_attrs["predictor_rl:phase"] == "search"
    assert "predictor_rl:predicted_value" not in study.trials[-1].user_attrs
