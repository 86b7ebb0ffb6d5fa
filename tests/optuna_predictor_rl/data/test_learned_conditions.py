"""Conditions of parameters, learned from trials."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from optuna_predictor_rl.core.conditions import AnyCondition, Condition, RangeCondition
from optuna_predictor_rl.data.learned_conditions import LearnedConditions, learn_conditions
from optuna_predictor_rl.study.distributions import to_space

UNIT = FloatDistribution(0.0, 1.0)
KIND = CategoricalDistribution(("a", "b", "c"))
LAYERS = IntDistribution(1, 5)


def learned_from(
    search_space: dict[str, BaseDistribution],
    configurations: list[dict[str, Any]],
    has_all_active: list[bool] | None = None,
) -> LearnedConditions:
    space = to_space(search_space)
    has_all = np.array(has_all_active or [True] * len(configurations))
    return learn_conditions(space, space.rows(configurations), has_all)


def conditions_of(
    search_space: dict[str, BaseDistribution], configurations: list[dict[str, Any]]
) -> tuple[AnyCondition, ...]:
    return learned_from(search_space, configurations).conditions


def test_a_parameter_of_one_branch_is_active_in_that_branch() -> None:
    found = conditions_of(
        {"kind": KIND, "rate": UNIT, "x": UNIT},
        [
            {"kind": "a", "x": 0.1},
            {"kind": "b", "rate": 0.5, "x": 0.3},
            {"kind": "c", "rate": 0.1, "x": 0.3},
        ],
    )
    assert found == (Condition(1, 0, frozenset({1, 2})),)


def test_a_branch_that_no_trial_took_counts_as_inactive() -> None:
    tried = [{"kind": "a"}, {"kind": "b", "rate": 0.5}]
    found = conditions_of({"kind": KIND, "rate": UNIT}, tried)
    assert found == (Condition(1, 0, frozenset({1})),)


def test_nested_branches_are_learned_from_the_parent_that_explains_them() -> None:
    space = {"kind": KIND, "mode": CategoricalDistribution((0, 1)), "rate": UNIT}
    found = conditions_of(
        space,
        [
            {"kind": "a"},
            {"kind": "b", "mode": 0},
            {"kind": "b", "mode": 1, "rate": 0.5},
        ],
    )
    assert found == (Condition(1, 0, frozenset({1})), Condition(2, 1, frozenset({1})))


@pytest.mark.parametrize(
    "configurations",
    [
        [{"kind": "a", "rate": 0.5}, {"kind": "b", "rate": 0.5}],
        [{"kind": "a", "rate": 0.5}, {"kind": "a"}],
        [{"kind": "a"}, {"kind": "b"}],
        [{"kind": "a"}, {"rate": 0.5}],
    ],
    ids=["never missing", "no pattern", "always missing", "without the parent"],
)
def test_without_evidence_there_is_no_condition(configurations: list[dict[str, Any]]) -> None:
    assert conditions_of({"kind": KIND, "rate": UNIT}, configurations) == ()


def test_a_parameter_that_two_others_decide_on_is_active_where_both_say_so() -> None:
    space = {"a": KIND, "b": KIND, "c": UNIT}
    everything = [
        {"a": a, "b": b} | ({"c": 0.5} if a == "a" and b == "b" else {})
        for a in "cab"
        for b in "cba"
    ]
    found = conditions_of(space, everything)
    assert found == (Condition(2, 0, frozenset({0})), Condition(2, 1, frozenset({1})))


def test_a_parameter_from_some_number_on_is_active_from_half_way_to_it() -> None:
    space = {"layers": LAYERS, "width 3": UNIT}
    trials = [{"layers": n} | ({"width 3": 0.5} if n >= 3 else {}) for n in (2, 4, 1, 5, 2)]
    (found,) = conditions_of(space, trials)
    assert isinstance(found, RangeCondition)
    # Positions of 1 to 5 are 0, 1/4, ..., 1: between that of 2 and that of 4.
    assert (found.low, found.high) == (0.5, 1.0)
    positions = np.array([[0.25, np.nan], [0.5, np.nan], [np.nan, np.nan]])
    assert found.holds(positions).tolist() == [False, True, False]


def test_an_integer_explains_a_parameter_before_time_does() -> None:
    space = {"layers": LAYERS, "width 3": UNIT}
    trials = [{"layers": n} | ({"width 3": 0.5} if n >= 3 else {}) for n in (4, 3, 1, 2, 1)]
    assert learned_from(space, trials).removed == frozenset()
    assert conditions_of(space, trials) == (RangeCondition(1, 0, 0.375, 1.0),)


GUARDS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "either of two": lambda c: c["a"] == "b" or c["b"] == "c",
    "one, or two at once": lambda c: c["a"] == "c" or (c["b"] == "a" and c["layers"] > 2),
    "a choice or a bound": lambda c: c["b"] == "b" or c["x"] > 0.7,
    "beyond two bounds": lambda c: c["x"] < 0.25 or c["x"] > 0.75,
    "both of two numbers": lambda c: c["layers"] > 2 and c["x"] < 0.5,
    "nested": lambda c: "layers" in c and c["layers"] > 3,
}


@pytest.mark.parametrize("guard", GUARDS.values(), ids=GUARDS)
def test_conditions_of_several_parents_hold_where_trials_had_the_parameter(
    guard: Callable[[dict[str, Any]], bool],
) -> None:
    space = to_space({"a": KIND, "b": KIND, "x": UNIT, "layers": LAYERS, "child": UNIT})
    rng = np.random.default_rng(0)

    def trial() -> dict[str, Any]:
        drawn = {"a": rng.choice(list("abc")), "b": rng.choice(list("abc")), "x": rng.random()}
        if guard is not GUARDS["nested"] or drawn["a"] != "a":
            drawn["layers"] = int(rng.integers(1, 6))
        return drawn | ({"child": 0.5} if guard(drawn) else {})

    rows = space.rows([trial() for _ in range(80)])
    learned = learn_conditions(space, rows[:40], np.ones(40, dtype=bool))
    of_child = [condition for condition in learned.conditions if condition.child == 4]
    active = np.all([condition.holds(rows) for condition in of_child], axis=0)
    had = ~np.isnan(rows[:, 4])
    assert of_child
    assert (active == had)[:40].all()
    assert (active == had)[40:].mean() >= 0.8  # bounds are known to the nearest trial only


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 5), st.booleans()), max_size=20))
def test_learned_conditions_never_deny_a_trial_what_it_had(
    trials: list[tuple[int, int, bool]],
) -> None:
    space = to_space({"a": KIND, "layers": LAYERS, "child": UNIT})
    rows = space.rows(
        [{"a": "abc"[a], "layers": n} | ({"child": 0.5} if has else {}) for a, n, has in trials]
    )
    learned = learn_conditions(space, rows, np.ones(len(rows), dtype=bool))
    had = ~np.isnan(rows[:, 2])
    for condition in learned.conditions:
        assert condition.holds(rows)[had].all()


def test_a_parameter_that_the_latest_trials_lack_is_removed() -> None:
    space = {"x": UNIT, "y": UNIT}
    with_y = [{"x": 0.1 * i, "y": 0.5} for i in range(5)]
    assert learned_from(space, [*with_y, {"x": 0.25}]) == LearnedConditions(removed=frozenset({1}))
    assert learned_from(space, [{"x": 0.25}, *with_y]) == LearnedConditions(
        unexplained=frozenset({1})
    )


def test_a_trial_that_was_stopped_early_removes_nothing_that_it_lacks() -> None:
    trials = [*({"x": 0.1 * i, "y": 0.5} for i in range(5)), {"x": 0.25}]
    assert (
        learned_from({"x": UNIT, "y": UNIT}, trials, [True] * 5 + [False]) == LearnedConditions()
    )


def test_a_parameter_that_is_suggested_at_random_stays_unexplained() -> None:
    trials = [{"x": 0.5, "y": 0.1}, {"x": 0.5}, {"x": 0.5, "y": 0.3}, {"x": 0.5}]
    assert learned_from({"x": UNIT, "y": UNIT}, trials) == LearnedConditions(
        unexplained=frozenset({1})
    )
