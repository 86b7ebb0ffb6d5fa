"""What is suggested: for every kind of parameter, value and space."""

import math
from typing import Any

import numpy as np
import optuna
import pytest
import torch
from optuna.distributions import CategoricalDistribution
from optuna.samplers import RandomSampler
from optuna.trial import Trial, TrialState, create_trial

from optuna_predictor_rl import PolicyConfig, PredictorRLSampler
from optuna_predictor_rl.search import suggester
from optuna_predictor_rl.study.attributes import LABEL
from tests.optuna_predictor_rl.samplers import everything, levels, optimized, params, tiny
from tests.optuna_predictor_rl.trials import trial


def test_every_kind_of_parameter_is_searched_better_than_at_random() -> None:
    study = optuna.create_study(sampler=PredictorRLSampler(seed=1))
    study.optimize(everything, n_trials=40)
    random = optuna.create_study(sampler=RandomSampler(seed=1))
    random.optimize(everything, n_trials=200)
    assert study.best_value < random.best_value


def test_a_maximized_value_is_its_negative_minimized() -> None:
    down = optimized(everything, 9)
    up = optimized(lambda trial: -everything(trial), 9, direction="maximize")
    assert repr(params(up)) == repr(params(down))  # as text, for NaN is a choice


def test_no_parameter_is_left_to_chance_once_a_trial_has_had_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study = optimized(everything, 4)
    monkeypatch.setattr(PredictorRLSampler, "sample_independent", None)
    study.optimize(everything, n_trials=3)
    assert len(study.get_trials(states=(TrialState.COMPLETE,))) == 7


def test_a_branch_is_searched_together_with_its_own_parameters() -> None:
    def objective(trial: Trial) -> float:
        if trial.suggest_categorical("kind", ["plain", "deep", "wide"]) == "plain":
            return 1.0
        depth = trial.suggest_float("depth", 0.0, 1.0)
        if trial.params["kind"] == "deep":
            return (depth - 0.25) ** 2
        return 0.5 + (trial.suggest_float("width", 0.0, 1.0) - depth) ** 2

    study = optuna.create_study(sampler=PredictorRLSampler(seed=0))
    study.optimize(objective, n_trials=25)
    assert study.best_params["kind"] == "deep"
    assert study.best_value < 0.01


def test_an_enqueued_trial_is_run_and_learned_from() -> None:
    study = optuna.create_study(sampler=tiny(n_startup_trials=1))
    enqueued = [{"x": x} for x in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)]
    for configuration in enqueued:
        study.enqueue_trial(configuration)
    study.optimize(lambda trial: (trial.suggest_float("x", 0.0, 1.0) - 0.6) ** 2, n_trials=12)
    assert params(study)[:6] == enqueued
    assert levels(study, last=6) == pytest.approx(0.6, abs=0.15)


def test_a_partly_enqueued_trial_keeps_what_was_fixed() -> None:
    study = optimized(everything, 5)
    study.enqueue_trial({"n": 7})
    study.optimize(everything, n_trials=1)
    assert study.trials[-1].params["n"] == 7
    assert len(study.trials[-1].params) == 7


def test_trials_that_fail_or_return_odd_values_do_no_harm() -> None:
    odd = [math.nan, math.inf, -math.inf, 1e308, -1e308, 0.0]

    def objective(trial: Trial) -> float:
        x = trial.suggest_float("x", 0.0, 1.0)
        if trial.number % 9 == 7:
            raise RuntimeError
        if trial.number % 9 == 8:
            trial.report(x, 0)
            raise optuna.TrialPruned
        return odd[trial.number % 9] if trial.number % 9 < len(odd) else x

    study = optuna.create_study(sampler=tiny())
    study.optimize(objective, n_trials=20, catch=RuntimeError)
    assert len(study.trials) == 20
    assert all(0.0 <= trial.params["x"] <= 1.0 for trial in study.trials)


def test_a_pruned_trial_teaches_its_low_fidelity_label() -> None:
    """Reports say that small is good, labels that large is."""
    study = optuna.create_study(sampler=tiny(n_startup_trials=0))
    for x in np.linspace(0.0, 1.0, 8).tolist():
        study.add_trial(trial(x, x, TrialState.PRUNED, **{LABEL: -x}))
    study.optimize(lambda trial: -trial.suggest_float("x", 0.0, 1.0), n_trials=4)
    assert levels(study, last=4) > 0.8


@pytest.mark.parametrize("n_trials", [12, 15])
def test_no_configuration_is_repeated_before_the_space_is_exhausted(n_trials: int) -> None:
    def objective(trial: Trial) -> float:
        a = trial.suggest_categorical("a", ["x", "y", None])
        return trial.suggest_int("b", 0, 3) + 2.0 * (a is None)

    study = optimized(objective, n_trials)
    assert len({str(configuration) for configuration in params(study)}) == 12


def test_no_configuration_of_a_conditional_space_is_repeated() -> None:
    def objective(trial: Trial) -> float:
        if trial.suggest_categorical("a", ["x", "y"]) == "x":
            return float(trial.suggest_int("b", 0, 3))
        return float(trial.suggest_int("c", 0, 3))

    study = optimized(objective, 8)
    study.optimize(objective, n_trials=4)
    assert len({str(configuration) for configuration in params(study)}) == 8


def test_asking_ahead_gives_different_configurations_from_one_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fits: list[int] = []
    fit = suggester.fit_ensemble
    monkeypatch.setattr(
        suggester, "fit_ensemble", lambda *a, **k: (fits.append(1), fit(*a, **k))[1]
    )
    study = optimized(everything, 6)
    del fits[:]
    ahead = []
    for _ in range(4):
        trial = study.ask()
        everything(trial)
        ahead.append(str(trial.params))
    assert len(set(ahead)) == 4
    assert len(fits) == 1


def test_a_parameter_with_one_value_is_no_trouble() -> None:
    def objective(trial: Trial) -> float:
        trial.suggest_int("one", 3, 3)
        trial.suggest_categorical("only", ["a"])
        return trial.suggest_float("x", 0.0, 1.0)

    assert optimized(objective, 7).best_params["one"] == 3
    only = optimized(lambda trial: trial.suggest_float("one", 1.5, 1.5), 6)
    assert only.best_value == 1.5


def test_a_range_that_changes_is_followed() -> None:
    def objective(trial: Trial) -> float:
        high = 1.0 if trial.number < 6 else 0.5
        return -trial.suggest_float("x", 0.0, high)

    study = optimized(objective, 12)
    assert all(trial.params["x"] <= 0.5 for trial in study.trials[6:])


def test_a_parameter_that_changed_its_kind_is_followed() -> None:
    study = optuna.create_study(sampler=tiny(n_startup_trials=1))
    letters = CategoricalDistribution(("a", "b"))
    for value in (0.1, 0.9):
        study.add_trial(trial(value, value))
    study.add_trial(create_trial(value=0.0, params={"x": "b"}, distributions={"x": letters}))
    study.optimize(lambda t: float(t.suggest_categorical("x", ["a", "b"]) == "a"), n_trials=3)
    assert len(study.get_trials(states=(TrialState.COMPLETE,))) == 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cost": "f", "cost_weight": 1.5}, r"cost_weight must be in \[0, 1\], but got 1.5"),
        ({"cost": "f", "cost_weight": (0.0, -0.1)}, r"cost_weight must be in .* but got -0.1"),
        ({"cost": "f", "cost_weight": math.nan}, r"cost_weight must be in .* but got nan"),
        ({"cost": "f", "cost_weight": ()}, "cost_weight must not be empty"),
        ({"cost_weight": 0.5}, "cost_weight must be 0 without a cost, but got 0.5"),
        ({"n_startup_trials": -1}, "n_startup_trials must not be negative, but got -1"),
    ],
)
def test_a_setting_out_of_its_range_is_refused_by_name(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        PredictorRLSampler(**options)


def test_a_device_that_the_machine_lacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    for device in ("cuda:1", torch.device("cuda", 1)):
        with pytest.raises(ValueError, match=r"device .* got 'cuda:1': torch finds 1"):
            PredictorRLSampler(device=device)


def test_the_first_trial_may_ask_when_another_has_finished() -> None:
    study = optuna.create_study(sampler=tiny())
    first, second = study.ask(), study.ask()
    study.tell(second, second.suggest_float("x", 0.0, 1.0))
    assert 0.0 <= first.suggest_float("x", 0.0, 1.0) <= 1.0


def test_trials_keep_their_distance_from_those_before_in_one_parameter_at_least():
    sampler = PredictorRLSampler(seed=0, policy=PolicyConfig(distances=(0.2,)), n_startup_trials=5)
    study = optuna.create_study(sampler=sampler)
    study.optimize(lambda t: sum(t.suggest_float(f"x{i}", 0, 1) for i in range(6)), 12)
    places = np.array([list(t.params.values()) for t in study.trials])
    for i in range(5, 12):
        assert (np.abs(places[:i] - places[i]).max(axis=1) >= 0.2 - 1e-9).all()
