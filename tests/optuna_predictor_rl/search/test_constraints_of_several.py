"""Constraints beside several objectives, and what is told of constraints once."""

import logging
import math
import pickle
from collections.abc import Iterator
from typing import Any

import optuna
import pytest
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from optuna_predictor_rl import PolicyConfig, PredictorConfig, PredictorRLSampler
from optuna_predictor_rl.data.history import read_history
from optuna_predictor_rl.search.doubts import N_UNMET
from optuna_predictor_rl.study.attributes import LABEL
from tests.optuna_predictor_rl.trials import SPACE


def tiny(**options: Any) -> PredictorRLSampler:
    return PredictorRLSampler(
        predictor=PredictorConfig(n_members=2, n_epochs=2),
        policy=PolicyConfig(n_rounds=2, n_steps=2, batch_size=4),
        **{"n_startup_trials": 4, "seed": 0, **options},
    )


def two(trial: Trial) -> tuple[float, float]:
    x = trial.suggest_float("x", 0.0, 1.0)
    return x**2, (x - 1.0) ** 2


def limit(trial: FrozenTrial | Trial) -> float:
    return 0.5 - trial.params["x"]


def optimized(sampler: PredictorRLSampler, n_trials: int, of: Any = two) -> Study:
    study = optuna.create_study(directions=["minimize"] * 2, sampler=sampler)
    study.optimize(of, n_trials=n_trials)
    return study


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[Any]:
    optuna.logging.enable_propagation()
    yield lambda: [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    optuna.logging.disable_propagation()


@pytest.mark.filterwarnings("ignore:.*constraints_func")
def test_a_function_of_constraints_leads_to_the_same_trials_as_constraints_that_are_set() -> None:
    def set_too(trial: Trial) -> tuple[float, float]:
        values = two(trial)
        trial.set_constraint("0", limit(trial))
        return values

    found = optimized(tiny(constraints_func=lambda trial: (limit(trial),)), 8)
    same = optimized(tiny(), 8, set_too)
    assert [t.params for t in found.trials] == [t.params for t in same.trials]
    assert [t.constraints for t in found.trials] == [t.constraints for t in same.trials]


def nan_below_a_half(trial: FrozenTrial) -> tuple[float]:
    return (math.nan if trial.params["x"] < 0.5 else -1.0,)


@pytest.mark.filterwarnings("ignore:.*constraints_func")
def test_a_function_of_constraints_that_returns_nan_breaks_them_and_is_told_of_once(
    told: Any,
) -> None:
    sampler = tiny(constraints_func=nan_below_a_half)
    study = optimized(pickle.loads(pickle.dumps(sampler)), 8)
    unknown = [t for t in study.trials if t.params["x"] < 0.5]
    assert len(study.trials) == 8
    assert all(t.constraints == {"0": math.inf} for t in unknown)
    assert all(t.params["x"] >= 0.5 for t in study.best_trials)
    assert len([m for m in told() if "constraints_func returned (nan,) for trial" in m]) == 1


def never(trial: Trial) -> tuple[float, float]:
    values = two(trial)
    trial.set_constraint("memory", 1.0 + trial.params["x"])
    trial.set_constraint("time", -1.0)
    return values


def test_a_constraint_that_no_trial_satisfies_is_told_of_once(told: Any) -> None:
    study = optuna.create_study(directions=["minimize"] * 2, sampler=tiny())
    for i in range(N_UNMET - 1):
        study.add_trial(
            create_trial(
                values=[1.0, 1.0],
                params={"x": i / 20},
                distributions=SPACE,
                constraints={"memory": 1.0, "time": -1.0},
            )
        )
    study.optimize(never, n_trials=1)
    assert [m for m in told() if "constraints are broken" in m] == []
    study.optimize(never, n_trials=2)
    (message,) = [m for m in told() if "constraints are broken" in m]
    assert f"each of the {N_UNMET} trials that have ended (none satisfies ['memory'])" in message
    assert len(study.trials) == N_UNMET + 2
    assert study.best_trials == []


def test_an_infinite_constraint_is_broken_beside_one_that_is_satisfied() -> None:
    study = optuna.create_study(directions=["minimize"] * 2)
    for x, value in [(0.1, math.inf), (0.2, -1.0), (0.3, -math.inf)]:
        study.add_trial(
            create_trial(
                values=[x, x], params={"x": x}, distributions=SPACE, constraints={"c": value}
            )
        )
    assert read_history(study, SPACE).feasible.tolist() == [False, True, True]


def test_a_label_on_a_pruned_trial_of_several_objectives_is_no_value() -> None:
    study = optuna.create_study(directions=["minimize"] * 2)
    pruned = {"state": TrialState.PRUNED, "user_attrs": {LABEL: 1.0}}
    study.add_trial(create_trial(params={"x": 0.5}, distributions=SPACE, **pruned))
    study.add_trial(create_trial(params={"x": 0.1}, distributions=SPACE, values=[1.0, 2.0]))
    history = read_history(study, SPACE)
    assert history.labels.tolist() == [[1.0, 2.0]]
    assert history.failed.tolist() == [[0.5]]
