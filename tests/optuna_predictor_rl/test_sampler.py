"""What is suggested: for every kind of parameter, value and space."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
import pytest
import torch
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.samplers import RandomSampler
from optuna.study import Study
from optuna.trial import Trial, TrialState, create_trial

from optuna_predictor_rl import (
    KnownCost,
    PolicyConfig,
    PredictorConfig,
    PredictorRLSampler,
)
from optuna_predictor_rl.core.space import SearchSpace
from optuna_predictor_rl.search import suggester
from optuna_predictor_rl.study.attributes import LABEL

CHOICES = (None, True, "relu", 3, 0.5, math.nan)
UNIT = FloatDistribution(0.0, 1.0)


def tiny(**options: Any) -> PredictorRLSampler:
    """A sampler whose suggestions cost little."""
    return PredictorRLSampler(
        predictor=PredictorConfig(n_members=2, n_epochs=5),
        policy=PolicyConfig(n_steps=3),
        **{"n_startup_trials": 4, "seed": 0, **options},
    )


def everything(trial: Trial) -> float:
    """One parameter of each kind, the best of each in the middle of its range."""
    x = trial.suggest_float("x", -2.0, 2.0)
    rate = trial.suggest_float("rate", 1e-4, 1.0, log=True)
    share = trial.suggest_float("share", 0.0, 1.0, step=0.1)
    n = trial.suggest_int("n", 1, 9)
    width = trial.suggest_int("width", 4, 1024, log=True)
    even = trial.suggest_int("even", 0, 20, step=2)
    kind = trial.suggest_categorical("kind", CHOICES)
    numbers = (
        x,
        math.log(rate) + 4.6,
        4 * share - 2,
        (n - 5) / 2,
        math.log(width / 64),
        even - 10,
    )
    return sum(v * v for v in numbers) + 3.0 * (kind != "relu")


def optimized(
    objective: Callable[[Trial], float], n_trials: int, direction: str = "minimize", **options: Any
) -> Study:
    study = optuna.create_study(sampler=tiny(**options), direction=direction)
    study.optimize(objective, n_trials=n_trials)
    return study


def params(study: Study) -> list[dict[str, Any]]:
    return [trial.params for trial in study.trials]


def levels(study: Study, name: str = "x", last: int = 10) -> float:
    """Mean of a parameter over the last trials."""
    return float(np.mean([trial.params[name] for trial in study.trials[-last:]]))


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
        study.add_trial(
            create_trial(
                state=TrialState.PRUNED,
                value=x,
                params={"x": x},
                distributions={"x": UNIT},
                user_attrs={LABEL: -x},
            )
        )
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
        study.add_trial(create_trial(value=value, params={"x": value}, distributions={"x": UNIT}))
    study.add_trial(create_trial(value=0.0, params={"x": "b"}, distributions={"x": letters}))
    study.optimize(lambda t: float(t.suggest_categorical("x", ["a", "b"]) == "a"), n_trials=3)
    assert len(study.get_trials(states=(TrialState.COMPLETE,))) == 6


def cost_study(cost_weight: Any, n_trials: int = 16, **options: Any) -> Study:
    """The larger x, the better and the dearer."""

    def objective(trial: Trial) -> float:
        x = trial.suggest_float("x", 0.0, 1.0)
        trial.suggest_float("y", 0.0, 1.0)
        trial.set_user_attr("flops", 1e9 * x)
        return -x

    return optimized(objective, n_trials, cost="flops", cost_weight=cost_weight, **options)


def test_the_cost_weight_moves_suggestions_towards_cheap_configurations() -> None:
    dear, cheap = levels(cost_study(0.0)), levels(cost_study(0.9))
    assert dear > 0.8
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
        study.add_trial(
            create_trial(
                state=TrialState.PRUNED, value=x, params={"x": x}, distributions={"x": UNIT}
            )
        )
    assert study.ask().suggest_float("x", 0.0, 1.0) < 0.5


def test_a_missing_cost_names_the_trial_and_the_attribute() -> None:
    study = optuna.create_study(sampler=tiny(cost="flops"))
    with pytest.raises(ValueError, match="trial 0 has no 'flops'"):
        study.optimize(lambda trial: trial.suggest_float("x", 0.0, 1.0), n_trials=2)


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


def test_inspecting_shows_the_search_of_the_next_suggestion() -> None:
    study = optimized(everything, 9)
    sampler = study.sampler
    assert isinstance(sampler, PredictorRLSampler)
    searched = sampler.inspect(study)
    expected = SearchSpace(searched.history.space.decisions).configurations(searched.rows[:1])[0]
    trial = study.ask()
    everything(trial)
    assert trial.params.items() <= expected.items()


def test_a_study_without_finished_trials_cannot_be_inspected() -> None:
    with pytest.raises(ValueError, match="study must have a finished trial with a parameter"):
        PredictorRLSampler().inspect(optuna.create_study())


def test_a_search_can_be_inspected_under_another_cost_weight() -> None:
    study = cost_study(0.0)
    sampler = study.sampler
    assert isinstance(sampler, PredictorRLSampler)
    assert sampler.inspect(study).weight == pytest.approx([1.0, 0.0])
    assert sampler.inspect(study, cost_weight=0.9).weight == pytest.approx([0.1, 0.9])
    assert (sampler.cost, sampler.cost_weights) == ("flops", (0.0,))
    with pytest.raises(ValueError, match=r"cost_weight must be in \[0, 1\], but got -1"):
        sampler.inspect(study, cost_weight=-1.0)


def test_trials_keep_their_distance_from_those_before_in_one_parameter_at_least():
    sampler = PredictorRLSampler(seed=0, policy=PolicyConfig(distances=(0.2,)), n_startup_trials=5)
    study = optuna.create_study(sampler=sampler)
    study.optimize(lambda t: sum(t.suggest_float(f"x{i}", 0, 1) for i in range(6)), 12)
    places = np.array([list(t.params.values()) for t in study.trials])
    for i in range(5, 12):
        assert (np.abs(places[:i] - places[i]).max(axis=1) >= 0.2 - 1e-9).all()
