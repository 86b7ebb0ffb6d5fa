"""Which trials count, and which configurations are the same, in whole studies."""

from collections import Counter
from typing import Any

import optuna
import pytest
from optuna.samplers import PartialFixedSampler
from optuna.study import Study
from optuna.trial import Trial, TrialState, create_trial

from optuna_predictor_rl import KnownCost, PredictorRLSampler
from optuna_predictor_rl.data.history import read_history
from optuna_predictor_rl.study.attributes import PLANNED
from tests.optuna_predictor_rl.search import samplers
from tests.optuna_predictor_rl.trials import SPACE, study_of, trial


def tiny(**options: Any) -> PredictorRLSampler:
    return samplers.tiny(**{"n_startup_trials": 4, **options})


def most_repeats(study: Study) -> int:
    return max(Counter(tuple(sorted(t.params.items())) for t in study.trials).values())


def test_a_range_that_follows_another_parameter_does_not_end_the_search() -> None:
    def objective(trial: Trial) -> float:
        x = trial.suggest_int("x", 0, 100)
        y = trial.suggest_int("y", x - 3, x + 3)
        z = [trial.suggest_float(f"z{i}", -1.0, 1.0) for i in range(2)]
        return abs(x - 70) / 30 + abs(y - 71) / 30 + sum((a - 0.3) ** 2 for a in z)

    study = optuna.create_study(sampler=tiny())
    study.optimize(objective, n_trials=20)
    search_space = study.sampler.infer_relative_search_space(study, study.trials[-1])
    assert len(read_history(study, search_space).rows) == 20
    assert study.best_value < 0.35
    last = study.trials[-8:]
    assert sum(abs(t.params["x"] - 70) < 15 for t in last) >= 4  # chance: 1 in 3 of them


def test_a_parameter_that_is_fixed_from_outside_distinguishes_trials() -> None:
    def objective(trial: Trial) -> float:
        x = trial.suggest_int("x", 0, 9)
        return (x - 7) ** 2 + 5.0 * (trial.suggest_categorical("y", ["p", "q"]) == "p")

    sampler = tiny()
    study = optuna.create_study(sampler=PartialFixedSampler({"y": "p"}, sampler))
    study.optimize(objective, n_trials=10)
    study.sampler = PartialFixedSampler({"y": "q"}, sampler)
    study.optimize(objective, n_trials=5)
    assert 7 in [t.params["x"] for t in study.trials[10:13]]
    assert most_repeats(study) == 1


def test_a_parameter_that_is_no_longer_asked_does_not_distinguish_trials() -> None:
    sampler = tiny()
    study = optuna.create_study(sampler=sampler)
    study.optimize(
        lambda t: (t.suggest_int("x", 0, 7) - 5) ** 2 + t.suggest_float("y", 0, 1), n_trials=6
    )
    study.optimize(lambda t: (t.suggest_int("x", 0, 7) - 5) ** 2, n_trials=8)
    assert {t.params["x"] for t in study.trials[6:]} == set(range(8))


def test_a_renamed_parameter_takes_the_place_of_the_old_one() -> None:
    study = optuna.create_study(sampler=tiny())
    study.optimize(lambda t: t.suggest_int("x", 0, 3) + t.suggest_float("old", 0, 1), n_trials=6)
    study.optimize(lambda t: t.suggest_int("x", 0, 3) + t.suggest_int("new", 0, 1), n_trials=8)
    assert len({(t.params["x"], t.params["new"]) for t in study.trials[6:]}) >= 7


@pytest.mark.parametrize("is_both", [True, False], ids=["both", "either"])
def test_a_parameter_that_two_others_decide_on_does_not_distinguish_trials_without_it(
    is_both: bool,
) -> None:
    def objective(trial: Trial) -> float:
        a = trial.suggest_int("a", 0, 2)
        b = trial.suggest_categorical("b", ["u", "v", "w"])
        signs = a == 0, b == "v"
        c = trial.suggest_float("c", 0.0, 1.0) if (all if is_both else any)(signs) else 0.5
        return a + (b != "u") + c

    study = optuna.create_study(sampler=tiny())
    study.optimize(objective, n_trials=14)
    assert most_repeats(study) == 1


def test_an_enqueued_parameter_is_held_while_the_others_are_searched() -> None:
    study = optuna.create_study(sampler=tiny())

    def objective(trial: Trial) -> float:
        return trial.suggest_int("x", 0, 5) + 0.1 * trial.suggest_int("n", 0, 5)

    study.optimize(objective, n_trials=6)
    for _ in range(6):
        study.enqueue_trial({"n": 9})  # outside of the range
    with pytest.warns(UserWarning, match="Fixed parameter n with value 9"):
        study.optimize(objective, n_trials=6)
    assert sorted(t.params["x"] for t in study.trials[6:]) == list(range(6))


def product(params: dict[str, Any]) -> float:
    return float(params["x"] * params["n"])


def test_a_known_cost_is_given_the_parameters_that_are_fixed_from_outside() -> None:
    given: list[dict[str, Any]] = []

    def cost(params: dict[str, Any]) -> float:
        given.append(params)
        return product(params)

    sampler = tiny(cost=KnownCost(cost), cost_weight=0.5)
    study = optuna.create_study(sampler=PartialFixedSampler({"n": 2}, sampler))
    study.optimize(lambda t: -t.suggest_float("x", 0, 3) * t.suggest_int("n", 1, 3), n_trials=6)
    assert {params["n"] for params in given} == {2}


def test_a_known_cost_does_without_parameters_that_were_not_asked_for() -> None:
    def objective(trial: Trial) -> float:
        x = trial.suggest_float("x", 0.0, 3.0)
        trial.report(x, 1)
        if trial.number in (4, 6):
            raise optuna.TrialPruned
        return x * trial.suggest_int("n", 0, 3)

    study = optuna.create_study(sampler=tiny(cost=KnownCost(product), cost_weight=0.3))
    study.optimize(objective, n_trials=5)
    study.enqueue_trial({"n": 3})
    study.enqueue_trial({"n": 3})
    study.optimize(objective, n_trials=4)
    assert [t.params.get("n") for t in study.trials[5:7]] == [3, None]
    with pytest.raises(KeyError, match="typo"):
        tiny(cost=KnownCost(lambda p: p["typo"]), n_startup_trials=1).inspect(study)


def test_a_budget_that_nothing_meets_is_said_once_and_nothing_is_repeated(
    caplog: pytest.LogCaptureFixture,
) -> None:
    study = optuna.create_study(
        sampler=tiny(cost=KnownCost(lambda p: 1 + p["x"] + p["y"]), max_cost=0.5)
    )
    study.optimize(lambda t: t.suggest_int("x", 0, 9) + t.suggest_int("y", 0, 9), n_trials=10)
    assert most_repeats(study) == 1
    assert max(sum(t.params.values()) for t in study.trials[1:]) <= 4
    messages = [r.message for r in caplog.records if "no configuration" in r.message]
    assert len(messages) == 1
    assert "max_cost is 0.5" in messages[0]


@pytest.mark.parametrize("state", [TrialState.RUNNING, TrialState.COMPLETE])
def test_a_retried_trial_looks_whether_another_has_come_to_have_the_same(
    state: TrialState,
) -> None:
    study = study_of(*(trial(x, value=x) for x in (0.1, 0.5, 0.9)), sampler=tiny())
    plan = {f"{PLANNED}:0": '{"x": 0.25}'}
    study.add_trial(trial(0.25, 0.25 if state == TrialState.COMPLETE else None, state=state))
    study.add_trial(create_trial(state=TrialState.WAITING, system_attrs=plan))
    retried = study.ask()
    assert retried.number == 4
    assert retried.suggest_float("x", 0.0, 1.0) != 0.25
    assert len(read_history(study, SPACE).seen) == 5
