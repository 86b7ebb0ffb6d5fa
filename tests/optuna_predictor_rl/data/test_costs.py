import math
import pickle

import numpy as np
import pytest

from optuna_predictor_rl import KnownCost
from optuna_predictor_rl.core.conditions import Condition
from optuna_predictor_rl.core.decisions import Categorical, Numeric
from optuna_predictor_rl.core.space import SearchSpace
from optuna_predictor_rl.data.costs import RowCosts

SPACE = SearchSpace(
    (
        Categorical(name="kind", choices=("plain", "deep")),
        Numeric(name="depth", low=1.0, high=4.0, step=1.0, integer=True),
    ),
    (Condition(child=1, parent=0, choices=frozenset({1})),),
)


def parameters_to_cost(params: dict[str, object]) -> float:
    return 10.0 * float(params["width"]) + float(params.get("depth", 0))  # type: ignore[arg-type]


def test_a_row_costs_what_its_parameters_do_with_those_of_one_value() -> None:
    costs = RowCosts(KnownCost(parameters_to_cost))
    rows = np.array([[0.0, np.nan], [1.0, 0.0], [1.0, 1.0]])
    assert costs(SPACE, {"width": 2}, rows).tolist() == [20.0, 21.0, 24.0]


def test_each_configuration_is_asked_for_once_until_the_space_changes() -> None:
    asked = []
    costs = RowCosts(KnownCost(lambda params: asked.append(params) or 1.0))
    rows = SPACE.random(50, np.random.default_rng(0))
    for _ in range(3):
        costs(SPACE, {}, rows)
    assert len(asked) == 5
    costs(SPACE, {"width": 1}, rows)
    assert len(asked) == 10
    assert len(pickle.loads(pickle.dumps(RowCosts(KnownCost(parameters_to_cost)))).__dict__) == 5


def test_the_excess_is_what_lies_beyond_the_budget() -> None:
    rows = np.array([[1.0, 0.0], [1.0, 1.0]])
    cost = KnownCost(parameters_to_cost)
    assert RowCosts(cost, budget=12.0).excess(SPACE, {"width": 1}, rows).tolist() == [0.0, 2.0]
    assert RowCosts(cost).excess(SPACE, {"width": 1}, rows).tolist() == [0.0, 0.0]


def test_a_cost_that_is_not_finite_is_refused_with_its_parameters() -> None:
    with pytest.raises(ValueError, match=r"cost must be finite, but got nan for \{'a': 1\}"):
        KnownCost(lambda _: math.nan)({"a": 1})
