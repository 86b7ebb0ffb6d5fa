"""Random search spaces and values, as unkind as Optuna allows them to be."""

import math
import sys
from typing import Any

from hypothesis import strategies as st
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import Trial

LARGEST = sys.float_info.max
DENORMAL = 5e-324
LARGEST_INT = 2**53
"""Optuna keeps values as floats, which have no odd integers beyond."""

odd_floats = st.sampled_from(
    [0.0, -0.0, 1.0, -1.0, DENORMAL, -DENORMAL, 1e-310, 1e308, -1e308, LARGEST, -LARGEST]
)
values = st.one_of(
    st.floats(-10.0, 10.0),
    odd_floats,
    st.sampled_from([math.inf, -math.inf, math.nan]),
)
names = st.one_of(
    st.sampled_from(["x", "y", "層", "a b", "🧪", "predictor_rl:low_fidelity_label"]), st.text()
)
primitives = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.floats(), st.text(max_size=3)
)


@st.composite
def floats(draw: st.DrawFn, log: bool) -> FloatDistribution:
    finite = st.floats(allow_nan=False, allow_infinity=False) | odd_floats
    if log:
        low, high = sorted(abs(draw(finite)) or DENORMAL for _ in range(2))
        return FloatDistribution(low, high, log=True)
    if draw(st.booleans()):
        step = draw(st.sampled_from([0.1, 0.25, 1e-3, 1.0, 7.0, 1e-9]))
        low = draw(st.integers(-1000, 1000)) * step
        return FloatDistribution(low, low + draw(st.integers(0, 2000)) * step, step=step)
    low, high = sorted(draw(finite) for _ in range(2))
    return FloatDistribution(low, high)


@st.composite
def integers(draw: st.DrawFn, log: bool) -> IntDistribution:
    smallest = 1 if log else -LARGEST_INT
    bound = st.integers(smallest, LARGEST_INT) | st.integers(smallest, 9)
    low, high = sorted(draw(bound) for _ in range(2))
    step = 1 if log else draw(st.sampled_from([1, 1, 2, 3, 1000, 2**40 + 1]))
    return IntDistribution(low, high, log=log, step=step)


categoricals = st.one_of(
    st.lists(primitives, min_size=1, max_size=6, unique_by=repr),
    st.just(list(range(1000))),
    st.just([16, 32, 64, 128]),
).map(CategoricalDistribution)

distributions: st.SearchStrategy[BaseDistribution] = st.one_of(
    floats(log=False), floats(log=True), integers(log=False), integers(log=True), categoricals
)


def another_range(distribution: BaseDistribution) -> st.SearchStrategy[BaseDistribution]:
    """What Optuna lets the parameter become: another range of the same kind and scale."""
    if isinstance(distribution, FloatDistribution):
        return floats(log=distribution.log)
    if isinstance(distribution, IntDistribution):
        return integers(log=distribution.log)
    return st.just(distribution)


def suggest(trial: Trial, name: str, distribution: BaseDistribution) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(name, distribution.choices)
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    options = {"log": distribution.log} if distribution.log else {"step": distribution.step}
    if isinstance(distribution, FloatDistribution):
        return trial.suggest_float(name, distribution.low, distribution.high, **options)
    return trial.suggest_int(name, distribution.low, distribution.high, **options)


def is_member(value: Any, distribution: BaseDistribution) -> bool:
    """Whether a value is one of the distribution's, with its type."""
    if isinstance(distribution, CategoricalDistribution):
        same = [c for c in distribution.choices if type(c) is type(value)]
        return any(c == value or (c != c and value != value) for c in same)
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    if not distribution.low <= value <= distribution.high:
        return False
    if isinstance(distribution, IntDistribution):
        return type(value) is int and (value - distribution.low) % distribution.step == 0
    if distribution.step is None:
        return type(value) is float
    steps = (value - distribution.low) / distribution.step
    return type(value) is float and abs(steps - round(steps)) < 1e-6
