"""The objective of a study."""

import math

import optuna
import pytest

from optuna_predictor_rl.study.objective import best_value, check_one_objective
from tests.optuna_predictor_rl.trials import trial


@pytest.mark.parametrize(
    ("purpose", "needed"),
    [("", "one objective"), ("for this figure", "one objective for this figure")],
)
def test_several_objectives_are_refused_with_the_purpose(purpose: str, needed: str) -> None:
    check_one_objective(optuna.create_study(), purpose)
    study = optuna.create_study(directions=["minimize", "maximize"])
    with pytest.raises(ValueError, match=f"^study must have {needed}, but got 2 directions.$"):
        check_one_objective(study, purpose)


@pytest.mark.parametrize(("direction", "sign"), [("minimize", 1.0), ("maximize", -1.0)])
def test_the_best_value_is_finite_unless_there_is_none(direction: str, sign: float) -> None:
    study = optuna.create_study(direction=direction)
    values = [3.0, -math.inf, -1.0, math.inf, None]
    trials = [trial(value=v, state=optuna.trial.TrialState.PRUNED) for v in values]
    assert best_value(study, trials) == (-1.0 if sign > 0 else 3.0)
    assert best_value(study, []) == -sign * math.inf
