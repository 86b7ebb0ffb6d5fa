import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from optuna_predictor_rl.core.conditions import Condition
from optuna_predictor_rl.core.decisions import MAX_FEW_VALUES, Categorical, Numeric
from optuna_predictor_rl.core.policy.spacing import (
    diverse,
    gower_distance,
    near_to,
)
from optuna_predictor_rl.core.space import SearchSpace
from tests.optuna_predictor_rl.core.strategies import decisions

SPACE = SearchSpace(
    (
        Numeric(name="rate", low=1e-4, high=1.0, log=True),
        Numeric(name="layers", low=1.0, high=float(MAX_FEW_VALUES), step=1.0, integer=True),
        Categorical(name="kind", choices=("a", "b")),
    )
)
TRIED = [0.5, 0.4, 1.0]


def near(row: list[float], distance: float = 0.1) -> bool:
    return bool(near_to(SPACE, np.array([TRIED]), distance)(np.array([row]))[0])


def test_numbers_within_the_distance_are_near_choices_and_few_values_only_if_they_are_the_same():
    assert near([0.59, 0.4, 1.0], distance=0.5 * 0.2 ** (1 / 6))
    assert not near([0.61, 0.4, 1.0], distance=0.5 * 0.2 ** (1 / 6))
    assert not near([0.5, 0.4 + 1 / (MAX_FEW_VALUES - 1), 1.0])
    assert not near([0.5, 0.4, 0.0])


def test_none_is_near_at_distance_zero():
    assert not near(TRIED, distance=0.0)


def test_none_is_near_to_none():
    assert near_to(SPACE, np.empty((0, 3)), 0.1)(np.array([TRIED])).tolist() == [False]


def test_inactive_decisions_are_near_to_each_other_alone():
    rows = np.array([[np.nan, 0.4, 1.0], [0.5, 0.4, 1.0]])
    assert near_to(SPACE, rows[:1], 0.1)(rows).tolist() == [True, False]


@given(decisions(), st.integers(0, 99), st.sampled_from([0.0, 0.0123, 0.0987, 0.321, 0.987]))
def test_it_is_what_an_enumeration_of_all_pairs_says(drawn, seed, distance):
    space = SearchSpace(drawn)
    rng = np.random.default_rng(seed)
    n_numeric = sum(d.n_values is None or d.n_values > MAX_FEW_VALUES for d in space.decisions)
    reach = 0.5 * (2 * distance) ** (6 / min(max(n_numeric, 1), 6))
    rows, others = space.random(20, rng), space.random(7, rng)

    def differ(j: int, a: float, b: float) -> bool:
        if np.isnan(a) or np.isnan(b):
            return np.isnan(a) != np.isnan(b)
        decision = space.decisions[j]
        few = decision.n_values is not None and decision.n_values <= MAX_FEW_VALUES
        return a != b if few else abs(a - b) >= max(reach, 1e-9)

    expected = [
        distance > 0 and any(not any(map(differ, range(len(r)), r, o)) for o in others)
        for r in rows
    ]
    assert near_to(space, others, distance)(rows).tolist() == expected


KIND = Categorical(name="kind", choices=("a", "b", "c"))
X = Numeric(name="x", low=-1.0, high=3.0)
MIXED = SearchSpace((KIND, X))
NUMBERS = SearchSpace(tuple(Numeric(name=n, low=0.0, high=1.0) for n in "xyz"))


def test_numbers_are_apart_by_the_mean_difference_and_choices_by_the_share_that_differs() -> None:
    rows = NUMBERS.random(20, np.random.default_rng(0))
    expected = cdist(rows, rows[:1], "cityblock")[:, 0] / 3
    assert gower_distance(rows, rows[0], NUMBERS) == pytest.approx(expected)
    choices = SearchSpace(tuple(Categorical(name=n, choices=(0, 1, 2, 3)) for n in "xyz"))
    rows = choices.random(20, np.random.default_rng(0))
    expected = cdist(rows, rows[:1], "hamming")[:, 0]
    assert gower_distance(rows, rows[0], choices) == pytest.approx(expected)


def test_a_decision_that_one_row_lacks_is_wholly_apart_and_one_that_both_lack_is_not() -> None:
    space = SearchSpace((KIND, X), (Condition(1, 0, frozenset({0})),))
    rows = np.array([[0.0, 0.4], [1.0, np.nan], [2.0, np.nan]])
    assert gower_distance(rows, rows[0], space).tolist() == [0.0, 1.0, 1.0]
    assert gower_distance(rows, rows[1], space).tolist() == [1.0, 0.0, 0.5]


@pytest.mark.parametrize("distance", [0.0, 0.1, 0.5, 1.0])
def test_the_chosen_are_the_best_that_keep_their_distance(distance: float) -> None:
    rows = np.repeat(MIXED.random(40, np.random.default_rng(1)), 2, axis=0)
    chosen = diverse(rows, MIXED, 40, distance).tolist()
    for i in range(len(rows)):
        apart = [gower_distance(rows[[j]], rows[i], MIXED)[0] for j in chosen if j < i]
        free = all(a > 0 and a >= distance for a in apart)
        assert (i in chosen) == free
    assert diverse(rows, MIXED, 3, distance).tolist() == chosen[:3]


def test_the_chosen_keep_their_distance_from_others_too() -> None:
    rows = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 1.0]])
    assert diverse(rows, MIXED, 3, 0.5, apart_from=rows[:1]).tolist() == [1, 2]
    assert diverse(rows, MIXED, 3, 0.5, apart_from=rows).tolist() == []
