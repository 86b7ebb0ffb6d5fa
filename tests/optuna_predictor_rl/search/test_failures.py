"""Trials that fail say where others would, and a failure that happens once closes nothing."""

import math
from dataclasses import replace
from unittest.mock import create_autospec

import numpy as np
import optuna
import pytest
from optuna.trial import Trial, TrialState

from optuna_predictor_rl.core.predictor.success import SuccessModel
from optuna_predictor_rl.data.history import read_history
from optuna_predictor_rl.search.risk import BOLD, CAREFUL, Risk
from tests.optuna_predictor_rl.search import samplers
from tests.optuna_predictor_rl.trials import SPACE, study_of, trial


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


def test_a_value_that_is_no_number_is_a_failure_too() -> None:
    def objective(trial: Trial) -> float:
        x = trial.suggest_float("x", 0.0, 1.0)
        return math.nan if x > 0.5 else -x

    study = optuna.create_study(sampler=samplers.tiny())
    study.optimize(objective, n_trials=30)
    assert sum(t.state == TrialState.FAIL for t in study.trials[-15:]) <= 5
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


@pytest.mark.parametrize(("failure_rate", "least"), [(0.1, BOLD), (0.11, CAREFUL)])
def test_a_risk_is_accepted_up_to_a_bound_that_depends_on_recent_failures(
    failure_rate: float, least: float
) -> None:
    model = create_autospec(SuccessModel, instance=True)
    model.log_probability.side_effect = lambda rows: -10.0 * math.log(2.0) * rows[:, 0]
    history = read_history(study_of(trial(0.3, 1.0), trial(0.1, 2.0)), SPACE)
    risk = Risk.of(model, replace(history, failure_rate=failure_rate))
    assert math.exp(risk.least) == pytest.approx(least / 2)
    accepted, refused, worse = risk.penalty(np.array([[0.1], [0.21], [0.4]]))
    assert accepted == pytest.approx(math.log(2.0))
    assert 900 < refused < worse
