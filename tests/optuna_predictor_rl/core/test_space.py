"""Rows and configurations of search spaces."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optuna_predictor_rl.core.conditions import AnyOf, Condition, RangeCondition
from optuna_predictor_rl.core.decisions import Categorical, Decision, Numeric
from optuna_predictor_rl.core.space import SearchSpace, row_keys
from tests.optuna_predictor_rl.core.strategies import decisions

lawful = settings(deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1)


@lawful
@given(decisions(), seeds)
def test_random_rows_are_members_to_the_last_bit(found: tuple[Decision, ...], seed: int) -> None:
    space = SearchSpace(found)
    rows = space.random(8, np.random.default_rng(seed))
    assert space.snap(rows).tobytes() == rows.tobytes()


@lawful
@given(decisions(finite=True), seeds)
def test_rows_of_a_finite_space_survive_their_configurations(
    found: tuple[Decision, ...], seed: int
) -> None:
    space = SearchSpace(found)
    rows = space.random(8, np.random.default_rng(seed))
    assert space.rows(space.configurations(rows)).tobytes() == rows.tobytes()


@lawful
@given(decisions(), seeds)
def test_a_row_and_that_of_its_configuration_have_the_same_key(
    found: tuple[Decision, ...], seed: int
) -> None:
    space = SearchSpace(found)
    rows = space.random(8, np.random.default_rng(seed))
    assert row_keys(space.rows(space.configurations(rows))) == row_keys(rows)


def test_different_rows_have_different_keys() -> None:
    rows = np.array([[0.0, np.nan], [0.0, 1.0], [0.0, 1.0 - 1e-9], [1.0, 0.0], [0.0, 0.0]])
    assert len(set(row_keys(rows))) == 5
    assert row_keys(-rows[4:]) == row_keys(rows[4:])


def test_the_size_of_a_space_counts_its_configurations() -> None:
    a = Categorical(name="a", choices=("x", "y", "z"))
    b = Numeric(name="b", low=0.0, high=1.0, step=0.25)
    space = SearchSpace((a, b))
    assert space.size == 3 * 5
    assert SearchSpace((a, Numeric(name="c", low=0.0, high=1.0))).size == math.inf


def test_a_decision_is_active_exactly_for_the_choices_of_its_condition() -> None:
    kind = Categorical(name="kind", choices=("none", "dropout", "noise"))
    rate = Categorical(name="rate", choices=(0.1, 0.2))
    deep = Numeric(name="deep", low=0.0, high=1.0)
    conditions = (Condition(2, 1, frozenset({1})), Condition(1, 0, frozenset({1, 2})))
    space = SearchSpace((kind, rate, deep), conditions)
    for configuration in space.configurations(space.random(200, np.random.default_rng(0))):
        assert ("rate" in configuration) == (configuration["kind"] != "none")
        assert ("deep" in configuration) == (configuration.get("rate") == 0.2)


def test_a_decision_is_active_where_one_alternative_holds() -> None:
    kind = Categorical(name="kind", choices=("a", "b", "c"))
    x = Numeric(name="x", low=0.0, high=1.0)
    either = AnyOf(
        2,
        (
            (Condition(2, 0, frozenset({2})),),
            (Condition(2, 0, frozenset({1})), RangeCondition(2, 1, 0.5, 1.0)),
        ),
    )
    space = SearchSpace((kind, x, Numeric(name="y", low=0.0, high=1.0)), (either,))
    assert either.parents == (0, 1)
    for found in space.configurations(space.random(200, np.random.default_rng(0))):
        expected = found["kind"] == "c" or (found["kind"] == "b" and found["x"] >= 0.5)
        assert ("y" in found) == expected


def test_an_impossible_space_is_refused() -> None:
    one = Categorical(name="x", choices=(1,))
    with pytest.raises(ValueError, match="decisions must have distinct names"):
        SearchSpace((one, one))
    with pytest.raises(ValueError, match="a parent must precede its child"):
        SearchSpace((one,), (Condition(0, 0, frozenset()),))
