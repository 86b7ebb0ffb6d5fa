import math

import numpy as np
import pytest

from optuna_predictor_rl.core.conditions import Condition
from optuna_predictor_rl.core.decisions import Categorical, Numeric
from optuna_predictor_rl.core.space import SearchSpace
from optuna_predictor_rl.core.translation import translated

SOURCE = SearchSpace(
    (
        Categorical(name="kind", choices=("a", "b", None)),
        Categorical(name="width", choices=(16, 64, 256)),
        Numeric(name="rate", low=1e-4, high=1.0, log=True),
        Numeric(name="extra", low=0.0, high=1.0),
    )
)
TARGET = SearchSpace(
    (
        Numeric(name="rate", low=1e-2, high=0.5),
        Categorical(name="kind", choices=(None, "b", "new")),
        Numeric(name="width", low=8.0, high=128.0, step=1.0, integer=True),
        Categorical(name="added", choices=("x", "y")),
    )
)


def moved(**values: object) -> dict[str, object]:
    default = np.array([math.nan, math.nan, math.nan, 1.0])
    rows = translated(SOURCE.rows([values]), SOURCE, TARGET, default)
    return TARGET.configurations(rows)[0]


def test_a_value_keeps_its_meaning_whatever_the_ranges_and_scales() -> None:
    found = moved(kind="b", width=64, rate=0.1, extra=0.3)
    assert found == {"rate": pytest.approx(0.1), "kind": "b", "width": 64, "added": "y"}
    assert moved(kind=None)["kind"] is None


def test_what_is_outside_of_the_range_moves_to_its_end_and_an_unknown_choice_is_missing() -> None:
    found = moved(kind="a", width=256, rate=1e-4)
    assert found == {"rate": 1e-2, "width": 128, "added": "y"}


def test_numbers_go_to_the_nearest_numeric_choice_and_never_to_names() -> None:
    space = SearchSpace((Numeric(name="width", low=1.0, high=100.0),))
    rows = space.rows([{"width": 20.0}, {"width": 99.0}])
    to = SearchSpace((Categorical(name="width", choices=(16, 64, 256)),))
    assert translated(rows, space, to, np.array([0.0])).ravel().tolist() == [0.0, 1.0]
    named = SearchSpace((Categorical(name="width", choices=("narrow", "wide")),))
    assert np.isnan(translated(rows, space, named, np.array([0.0]))).all()


def test_a_space_translated_to_itself_stays() -> None:
    rows = SOURCE.random(50, np.random.default_rng(0))
    assert translated(rows, SOURCE, SOURCE, np.zeros(4)) == pytest.approx(rows)


def test_a_decision_that_the_targets_conditions_silence_is_missing() -> None:
    decisions = (SOURCE.decisions[0], SOURCE.decisions[3])
    conditional = SearchSpace(decisions, (Condition(1, 0, frozenset({1})),))
    rows = SOURCE.rows([{"kind": k, "extra": 0.5} for k in ("a", "b")])
    found = translated(rows, SOURCE, conditional, np.zeros(2))
    assert np.isnan(found[:, 1]).tolist() == [True, False]
