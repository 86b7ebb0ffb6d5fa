import math
from decimal import Decimal
from typing import Any

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState, create_trial

from optuna_predictor_rl.core.space import SearchSpace
from optuna_predictor_rl.study.distributions import (
    known_part,
    to_decision,
    to_space,
    union_search_space,
)

lawful = settings(deadline=None, derandomize=True)
CHOICES: list[Any] = [None, True, False, 0, 2, 16, 0.5, -1.5, math.nan, math.inf, "", "a", "None"]


@st.composite
def float_distributions(draw: st.DrawFn) -> FloatDistribution:
    kind = draw(st.sampled_from(["linear", "log", "step"]))
    if kind == "step":
        step = draw(st.sampled_from([0.01, 0.1, 0.3, 0.5, 2.0]))
        low = draw(st.integers(-500, 500)) / 10
        high = float(Decimal(str(low)) + draw(st.integers(0, 40)) * Decimal(str(step)))
        return FloatDistribution(low, high, step=step)
    bound = st.floats(1e-12, 1e12) if kind == "log" else st.floats(-1e300, 1e300)
    low, high = sorted(draw(st.tuples(bound, bound)))
    return FloatDistribution(low, high, log=kind == "log")


@st.composite
def int_distributions(draw: st.DrawFn) -> IntDistribution:
    if draw(st.booleans()):
        low, high = sorted(draw(st.tuples(st.integers(1, 10**6), st.integers(1, 10**6))))
        return IntDistribution(low, high, log=True)
    low, step = draw(st.integers(-1000, 1000)), draw(st.integers(1, 30))
    return IntDistribution(low, low + step * draw(st.integers(0, 50)), step=step)


@st.composite
def categorical_distributions(draw: st.DrawFn) -> CategoricalDistribution:
    choices = st.lists(st.sampled_from(CHOICES), min_size=1, max_size=6, unique_by=str)
    return CategoricalDistribution(draw(choices))


distributions = st.one_of(float_distributions(), int_distributions(), categorical_distributions())


def rows_of(distribution: BaseDistribution, seed: int = 0) -> tuple[SearchSpace, np.ndarray]:
    """The space of one distribution, both ends of it and random rows."""
    space = to_space({"x": distribution})
    ends = space.from_uniform(np.array([[0.0], [np.nextafter(1.0, 0.0)]]))
    return space, np.concatenate([ends, space.random(20, np.random.default_rng(seed))])


@lawful
@given(distributions, st.integers(0, 2**32 - 1))
def test_every_decoded_value_is_contained_in_its_distribution(
    distribution: BaseDistribution, seed: int
) -> None:
    space, rows = rows_of(distribution, seed)
    for configuration in space.configurations(rows):
        value = configuration["x"]
        assert distribution._contains(distribution.to_internal_repr(value))
        if isinstance(distribution, (FloatDistribution, IntDistribution)):
            is_int = isinstance(distribution, IntDistribution)
            assert type(value) is (int if is_int else float)


@lawful
@given(distributions, st.integers(0, 2**32 - 1))
def test_every_value_that_optuna_draws_survives_encoding_and_decoding(
    distribution: BaseDistribution, seed: int
) -> None:
    sampler, study = optuna.samplers.RandomSampler(seed=seed), optuna.create_study()
    trial = create_trial(value=0.0)
    drawn = [sampler.sample_independent(study, trial, "x", distribution) for _ in range(3)]
    space = to_space({"x": distribution})
    rows = space.rows([{"x": value} for value in drawn])
    for value, configuration in zip(drawn, space.configurations(rows), strict=True):
        again = configuration["x"]
        if isinstance(distribution, FloatDistribution):
            width = abs(distribution.high - distribution.low)
            assert again == pytest.approx(value, rel=1e-9, abs=max(1e-12 * width, 1e-300))
        else:
            assert again is value or again == value


@pytest.mark.parametrize(
    "distribution",
    [
        IntDistribution(0, 2**63 - 1),
        IntDistribution(-(2**63) + 1, 2**53 + 1),
        IntDistribution(2**53 + 1, 2**60 + 3),
        FloatDistribution(0.0, 1.0, step=0.1),
        FloatDistribution(-1.0, 0.8, step=0.3),
        IntDistribution(1, 2, log=True),
        FloatDistribution(1e-300, 1e300, log=True),
        FloatDistribution(5.0, 5.0),
        CategoricalDistribution(("only",)),
    ],
    ids=str,
)
def test_no_value_at_an_edge_leaves_its_distribution(distribution: BaseDistribution) -> None:
    space, rows = rows_of(distribution)
    for configuration in space.configurations(rows):
        internal = distribution.to_internal_repr(configuration["x"])
        assert distribution._contains(internal)


def test_an_unknown_distribution_is_refused_by_name() -> None:
    class Other(BaseDistribution):
        def to_external_repr(self, value: float) -> float:
            return value

        def to_internal_repr(self, value: float) -> float:
            return value

        def single(self) -> bool:
            return False

        def _contains(self, value: float) -> bool:
            return value == value

    with pytest.raises(ValueError, match="distribution of 'x' must be"):
        to_decision("x", Other())


def finished(
    number: int = 0, state: TrialState = TrialState.COMPLETE, **parameters: Any
) -> FrozenTrial:
    """A trial; each keyword is a value and its distribution."""
    return create_trial(
        state=state,
        value=float(number) if state == TrialState.COMPLETE else None,
        params={name: value for name, (value, _) in parameters.items()},
        distributions={name: distribution for name, (_, distribution) in parameters.items()},
    )


UNIT, WIDE = FloatDistribution(0.0, 1.0), FloatDistribution(0.0, 9.0)
KIND = CategoricalDistribution(("a", "b", "c"))
NAN = CategoricalDistribution((float("nan"), 1))


def test_the_union_has_every_parameter_with_its_latest_range_and_more_than_one_value() -> None:
    single = IntDistribution(3, 3)
    trials = [
        *(finished(x=(0.5, UNIT), kind=("a", KIND), only=(3, single)) for _ in range(7)),
        finished(x=(4.0, WIDE), y=(0.1, UNIT)),
    ]
    union = union_search_space(trials)
    assert union == {"x": WIDE, "kind": KIND, "y": UNIT}
    assert list(union) == ["x", "kind", "y"]
    assert union_search_space([]) == {}


@pytest.mark.parametrize(
    ("value", "distribution", "has_place"),
    [
        (0.5, UNIT, True),
        (4.0, UNIT, True),
        ("a", KIND, True),
        ("a", UNIT, False),
        (True, UNIT, False),
        (0.5, KIND, False),
        ("d", KIND, False),
        (math.nan, NAN, True),
        (math.nan, UNIT, False),
    ],
)
def test_values_of_a_parameters_kind_have_a_place_in_its_space(
    value: Any, distribution: BaseDistribution, has_place: bool
) -> None:
    space = to_space({"x": distribution})
    assert ("x" in known_part({"x": value, "unknown": 1}, space)) == has_place
