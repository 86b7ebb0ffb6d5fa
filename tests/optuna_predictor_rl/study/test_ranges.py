"""Ranges that differ from trial to trial."""

import math
from typing import Any

import optuna
import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import PartialFixedSampler, RandomSampler
from optuna.trial import FrozenTrial, create_trial

from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.ranges import modelled, searched


def with_x(distribution: BaseDistribution, value: Any = None) -> FrozenTrial:
    if value is None:
        value = distribution.low  # type: ignore[attr-defined]
    study = optuna.create_study()
    study.add_trial(
        create_trial(value=0.0, params={"x": value}, distributions={"x": distribution})
    )
    return study.trials[0]


MOVING = [
    ([IntDistribution(0, 6), IntDistribution(3, 9)], IntDistribution(0, 9)),
    (
        [IntDistribution(0, 4, step=2), IntDistribution(4, 8, step=2)],
        IntDistribution(0, 8, step=2),
    ),
    ([IntDistribution(0, 4, step=2), IntDistribution(1, 5, step=2)], IntDistribution(0, 5)),
    (
        [IntDistribution(0, 6, step=6), IntDistribution(4, 8, step=4)],
        IntDistribution(0, 8, step=2),
    ),
    (
        [IntDistribution(1, 4, log=True), IntDistribution(2, 9, log=True)],
        IntDistribution(1, 9, log=True),
    ),
    ([FloatDistribution(0, 1), FloatDistribution(-1, 0.5)], FloatDistribution(-1, 1)),
    (
        [FloatDistribution(0.1, 0.4, step=0.1), FloatDistribution(0.3, 0.7, step=0.1)],
        FloatDistribution(0.1, 0.7, step=0.1),
    ),
    (
        [FloatDistribution(0.0, 0.4, step=0.1), FloatDistribution(0.05, 0.45, step=0.1)],
        FloatDistribution(0.0, 0.45),
    ),
    (
        [FloatDistribution(1e-5, 1e-3, log=True), FloatDistribution(1e-2, 1, log=True)],
        FloatDistribution(1e-5, 1, log=True),
    ),
    ([IntDistribution(0, 0), IntDistribution(0, 5), IntDistribution(0, 0)], IntDistribution(0, 5)),
]


@pytest.mark.parametrize(("ranges", "union"), MOVING, ids=str)
def test_a_range_that_moves_is_searched_and_modelled_as_the_union_of_what_it_was(
    ranges: list[BaseDistribution], union: BaseDistribution
) -> None:
    trials = [with_x(d) for d in ranges]
    assert searched(trials) == {"x": union}
    assert modelled(trials, {"x": union}) == {"x": union}


def test_a_range_that_was_changed_by_hand_is_searched_as_it_is_and_modelled_as_it_was() -> None:
    wide, narrow = FloatDistribution(0.0, 1.0), FloatDistribution(0.4, 0.6)
    trials = [with_x(wide)] * 7 + [with_x(narrow)]
    assert searched(trials) == {"x": narrow}
    assert modelled(trials, {"x": narrow}) == {"x": wide}


def test_one_huge_value_does_not_make_all_others_the_same() -> None:
    unit = FloatDistribution(0.0, 1.0)
    trials = [with_x(unit, 0.5), with_x(FloatDistribution(0.0, 1e12), 1e12)]
    found = modelled(trials, {"x": unit})["x"]
    assert isinstance(found, FloatDistribution)
    assert (found.low, found.high) == (0.0, 21.0)  # 20 widths beyond


def test_choices_that_were_added_come_behind_the_latest_ones() -> None:
    old, new = CategoricalDistribution(("a", 1, math.nan)), CategoricalDistribution(("b", True))
    found = modelled([with_x(old, "a"), with_x(new, "b")], {"x": new})["x"]
    assert isinstance(found, CategoricalDistribution)
    assert str(found.choices) == "('b', True, 'a', 1, nan)"


def test_what_samplers_around_each_other_fix_is_known() -> None:
    inner = PartialFixedSampler({"a": 1, "b": 2}, RandomSampler())
    study = optuna.create_study(sampler=PartialFixedSampler({"b": 3}, inner))
    assert storage.fixed(study) == {"a": 1, "b": 3}
    assert storage.fixed(optuna.create_study()) == {}
