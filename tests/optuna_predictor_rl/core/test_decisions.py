"""Values, positions and choices of decisions."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from optuna_predictor_rl.core.decisions import Categorical, Numeric
from tests.optuna_predictor_rl.core.strategies import (
    categorical,
    continuous,
    integer,
    is_same,
    stepped,
)

lawful = settings(deadline=None, derandomize=True)


def members(decision: Numeric) -> list[float]:
    """All members of a stepped decision, by counting up."""
    assert decision.step is not None
    n = round((decision.high - decision.low) / decision.step)
    return [min(decision.low + k * decision.step, decision.high) for k in range(n + 1)]


@lawful
@given(st.one_of(stepped("x"), integer("x")))
def test_every_member_of_a_stepped_decision_survives_its_position(decision: Numeric) -> None:
    values = np.asarray(members(decision))
    positions = decision.position(values)
    assert decision.value(positions) == pytest.approx(values, rel=1e-14)
    if decision.integer:
        assert [decision.decode(p) for p in positions] == [int(v) for v in values]


@lawful
@given(continuous("x"), st.floats(0.0, 1.0))
def test_a_value_of_a_continuous_decision_survives_its_position(
    decision: Numeric, share: float
) -> None:
    value = decision.value(np.asarray([share]))
    assert decision.low <= value[0] <= decision.high
    width = decision.high / 2 - decision.low / 2
    again = decision.value(decision.position(value))
    assert again == pytest.approx(value, rel=1e-12, abs=max(1e-14 * width, 1e-300))


@lawful
@given(categorical("x"))
def test_every_choice_survives_its_index_with_its_type(decision: Categorical) -> None:
    for choice in decision.choices:
        assert is_same(decision.decode(float(decision.index(choice))), choice)


@lawful
@given(st.one_of(continuous("x"), stepped("x"), integer("x")))
def test_positions_ascend_from_zero_to_one(decision: Numeric) -> None:
    positions = decision.position(decision.value(np.linspace(0.0, 1.0, 9)))
    assert (np.diff(positions) >= 0).all()
    assert positions[0] == 0.0
    assert positions[-1] == (0.0 if decision.low == decision.high else 1.0)


@lawful
@given(st.one_of(stepped("x"), integer("x")))
def test_the_positions_of_all_members_are_counted_up(decision: Numeric) -> None:
    values = np.asarray(members(decision))
    assert decision.n_values == len(values)
    assert decision.member_positions == pytest.approx(decision.position(values))


def test_every_member_of_a_stepped_decision_is_equally_likely() -> None:
    decision = Numeric(name="x", low=-1.0, high=2.0, step=0.5)
    positions = decision.from_uniform((np.arange(7000) + 0.5) / 7000)
    _, counts = np.unique(decision.value(positions), return_counts=True)
    assert counts.tolist() == [1000] * 7


def test_a_logarithmic_decision_is_sampled_like_the_log_uniform_distribution() -> None:
    decision = Numeric(name="x", low=1e-3, high=10.0, log=True)
    values = decision.value(decision.from_uniform((np.arange(999) + 0.5) / 999))
    assert stats.kstest(values, stats.loguniform(1e-3, 10.0).cdf).statistic < 0.002


def test_a_logarithmic_integer_gets_the_mass_of_the_interval_around_it() -> None:
    decision = Numeric(name="x", low=1.0, high=9.0, log=True, step=1.0, integer=True)
    n = 100_000
    values = decision.value(decision.from_uniform((np.arange(n) + 0.5) / n))
    middle = np.arange(1.0, 10.0)
    assert set(values) == set(middle)
    borders = stats.loguniform(0.5, 9.5).cdf(np.append(middle - 0.5, 9.5))
    assert np.bincount(values.astype(int))[1:] / n == pytest.approx(np.diff(borders), abs=1e-4)


def test_a_logarithmic_step_longer_than_its_start_is_sampled() -> None:
    decision = Numeric(name="x", low=1.0, high=9.0, log=True, step=2.0)
    values = decision.value(decision.from_uniform(np.linspace(0.0, 0.999, 200)))
    assert set(values) == {1.0, 3.0, 5.0, 7.0, 9.0}


def test_the_widest_interval_of_floats_does_not_overflow() -> None:
    decision = Numeric(name="x", low=-1.7e308, high=1.7e308)
    values = np.array([-1.7e308, 0.0, 1.7e308])
    assert decision.position(values).tolist() == [0.0, 0.5, 1.0]
    assert decision.value(decision.position(values)) == pytest.approx(values)


def test_the_ends_of_a_logarithmic_decision_are_exact() -> None:
    decision = Numeric(name="x", low=1e-4, high=0.3, log=True)
    assert decision.value(np.array([0.0, 1.0])).tolist() == [1e-4, 0.3]


def test_values_outside_of_the_interval_are_clipped() -> None:
    for log in (False, True):
        decision = Numeric(name="x", low=1.0, high=10.0, log=log)
        assert decision.position(np.array([-5.0, 0.0, 11.0])).tolist() == [0.0, 0.0, 1.0]


def test_true_one_and_a_float_one_are_told_apart() -> None:
    decision = Categorical(name="x", choices=(1, True, 1.0, math.nan))
    assert [decision.index(c) for c in (1, True, 1.0, float("nan"))] == [0, 1, 2, 3]
    assert Categorical(name="x", choices=(0, 1)).index(1.0) == 1  # as Optuna has it


@pytest.mark.parametrize(
    ("choices", "ordinal"),
    [
        ((16, 32, 64), [0.0, 1 / 3, 1.0]),  # less than a factor of ten: linear
        ((1, 10, 100), [0.0, 0.5, 1.0]),
        ((-1, 0, 3), [0.0, 0.25, 1.0]),
        ((64, 16, 32), [1.0, 0.0, 1 / 3]),
        ((0, 1), None),
        ((1, 2, "3"), None),
        ((True, False, 2), None),
        ((1.0, 2.0, math.inf), None),
        ((1.0, 1, 2), None),
    ],
)
def test_three_distinct_numbers_carry_an_order(
    choices: tuple[object, ...], ordinal: list[float] | None
) -> None:
    found = Categorical(name="x", choices=choices).ordinal
    assert (None if found is None else found.tolist()) == (ordinal and pytest.approx(ordinal))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Numeric(name="x", low=2.0, high=1.0), "low and high of 'x'"),
        (lambda: Numeric(name="x", low=0.0, high=math.inf), "must be finite"),
        (lambda: Numeric(name="x", low=0.0, high=1.0, step=0.0), "step of 'x' must be positive"),
        (lambda: Numeric(name="x", low=0.0, high=1.0, log=True), "low of 'x' must be positive"),
        (lambda: Categorical(name="x", choices=()), "choices of 'x' must not be empty"),
        (lambda: Categorical(name="x", choices=("a",)).index("b"), "one of .*but got 'b'"),
    ],
)
def test_an_impossible_decision_is_refused_by_name(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]


@pytest.mark.parametrize("high", [5e-324, 1e-323, 1e-310])
def test_the_least_of_intervals_have_positions(high: float) -> None:
    decision = Numeric(name="x", low=0.0, high=high)
    with np.errstate(all="raise"):
        assert decision.position(np.array([0.0, high])).tolist() == [0.0, 1.0]
    assert decision.decode(1.0) == high
