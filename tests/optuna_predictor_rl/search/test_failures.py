"""Trials that fail say where others would, and a failure that happens once closes nothing."""

import math

import numpy as np
import optuna
import pytest
from optuna.trial import Trial, TrialState

from optuna_predictor_rl.search.risk import BOLD, CAREFUL, RiskLimit
from tests.optuna_predictor_rl.search import samplers


class OutOfMemoryError(Exception):
    """What a trial raises that does not fit."""


def test_the_last_trials_seldom_fail_although_the_optimum_lies_at_the_boundary() -> None:
    def objective(trial: Trial) -> float:
        x, y = trial.suggest_float("x", 0.0, 1.0), trial.suggest_float("y", 0.0, 1.0)
        if x + y > 0.9:
            raise OutOfMemoryError
        return (x - 0.6) ** 2 + (y - 0.6) ** 2

    study = optuna.create_study(sampler=samplers.tiny())
    study.optimize(objective, n_trials=40, catch=(OutOfMemoryError,))
    failed = [t.state == TrialState.FAIL for t in study.trials]
    assert sum(failed[-20:]) <= 6  # 19 if failures taught nothing
    assert study.best_value < 0.06  # the optimum is .045


def test_a_trial_that_fails_before_it_asks_for_all_parameters_teaches_by_those_it_has() -> None:
    def objective(trial: Trial) -> float:
        depth = trial.suggest_int("depth", 1, 6)
        if depth > 4:
            raise OutOfMemoryError
        width, kind = trial.suggest_float("width", 0.0, 1.0), trial.suggest_categorical("k", "ab")
        return (depth - 6) ** 2 / 10 + (width - 0.7) ** 2 + (kind == "b")

    study = optuna.create_study(sampler=samplers.tiny())
    study.optimize(objective, n_trials=30, catch=(OutOfMemoryError,))
    assert sum(t.state == TrialState.FAIL for t in study.trials[-15:]) <= 5  # or all of them
    assert study.best_value < 0.42  # the optimum is .4


@pytest.mark.parametrize("pruned", [False, True], ids=["no number", "pruned unreported"])
def test_a_trial_without_a_value_is_a_failure_too(pruned: bool) -> None:
    def objective(trial: Trial) -> float:
        x = trial.suggest_float("x", 0.0, 1.0)
        if x > 0.5 and pruned:
            raise optuna.TrialPruned
        return math.nan if x > 0.5 else -x

    study = optuna.create_study(sampler=samplers.tiny())
    study.optimize(objective, n_trials=30)
    assert sum(t.state != TrialState.COMPLETE for t in study.trials[-15:]) <= 5
    assert study.best_value < -0.45


def test_an_optimum_that_failed_once_is_tried_again() -> None:
    failed = []

    def objective(trial: Trial) -> float:
        n = trial.suggest_int("n", 0, 30)
        if n == 17 and not failed:
            failed.append(n)
            raise ConnectionError
        return abs(n - 17)

    study = optuna.create_study(sampler=samplers.tiny())
    study.optimize(objective, n_trials=31, catch=(ConnectionError,))
    assert failed
    assert study.best_params == {"n": 17}


def test_a_study_whose_trials_all_fail_goes_on() -> None:
    def objective(trial: Trial) -> float:
        trial.suggest_int("n", 0, 5)
        raise OutOfMemoryError

    study = optuna.create_study(sampler=samplers.tiny())
    study.optimize(objective, n_trials=12, catch=(OutOfMemoryError,))
    assert len(study.trials) == 12


@pytest.mark.parametrize(
    ("n_bad", "least"), [(0, BOLD), (2, BOLD), (3, CAREFUL)], ids=["none", "a tenth", "more"]
)
def test_a_risk_is_accepted_up_to_a_limit_that_depends_on_the_last_twenty_trials(
    n_bad: int, least: float
) -> None:
    succeeded = np.array([False] * 5 + [True] * (20 - n_bad) + [False] * n_bad)
    limit = RiskLimit.of(np.log([0.1, 0.8]), succeeded)
    assert math.exp(limit.least) == pytest.approx(least * 0.8)
    accepted, refused, worse = limit.penalty(np.log(least * np.array([0.8, 0.79, 0.4])))
    assert accepted == 0.0
    assert 900 < refused < worse
