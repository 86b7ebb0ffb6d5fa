"""The free decisions of a trial, and rows between them and the space of the study."""

import numpy as np
from optuna.distributions import CategoricalDistribution, FloatDistribution

from optuna_predictor_rl.core.decisions import Categorical, Numeric
from optuna_predictor_rl.core.space import SearchSpace
from optuna_predictor_rl.data.linked_ranges import LinkedRange
from optuna_predictor_rl.data.scope import Scope

MODEL = SearchSpace(
    (
        Numeric(name="x", low=0.0, high=1.0),
        Numeric(name="y", low=0.0, high=1.0),
        Categorical(name="kind", choices=("a", "b")),
    )
)
NARROW = {"x": FloatDistribution(0.0, 0.5), "kind": CategoricalDistribution(("a", "b"))}


def test_rows_get_the_held_decisions_and_come_back_without_them() -> None:
    scope = Scope.of(MODEL, NARROW, {"y": 0.25})
    assert scope.space.names == ["x", "kind"]
    rows = scope.to_model(np.array([[0.0, 1.0], [1.0, 0.0]]))
    assert rows.tolist() == [[0.0, 0.25, 1.0], [0.5, 0.25, 0.0]]  # x in shares of [0, 1]
    assert scope.to_free(rows).tolist() == [[0.0, 1.0], [1.0, 0.0]]


def test_a_decision_that_was_removed_is_not_free() -> None:
    assert Scope.of(MODEL, NARROW, {}, removed=frozenset({2})).space.names == ["x"]


def test_a_linked_range_confines_free_decisions_alone() -> None:
    at = np.array([0.0, 1.0])
    linked = LinkedRange(1, 0, at, low=np.zeros(2), high=at)  # y <= x
    everything = {"x": FloatDistribution(0, 1), "y": FloatDistribution(0, 1), **NARROW}
    everything["x"] = FloatDistribution(0.0, 1.0)
    rows = np.array([[0.25, 1.0, 0.0]])
    free = Scope.of(MODEL, everything, {}, linked_ranges=(linked,))
    assert free.is_everything
    assert free.to_model(rows).tolist() == [[0.25, 0.25, 0.0]]
    held = Scope.of(MODEL, everything, {"y": 1.0}, linked_ranges=(linked,))
    assert held.to_model(np.array([[0.25, 0.0]])).tolist() == [[0.25, 1.0, 0.0]]
