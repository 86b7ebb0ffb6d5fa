import numpy as np
import pytest
from scipy.spatial.distance import cdist

from optuna_predictor_rl.core.conditions import Condition
from optuna_predictor_rl.core.decisions import Categorical, Numeric
from optuna_predictor_rl.core.policy.spacing import diverse, gower_distance
from optuna_predictor_rl.core.space import SearchSpace

KIND = Categorical(name="kind", choices=("a", "b", "c"))
X = Numeric(name="x", low=-1.0, high=3.0)
SPACE = SearchSpace((KIND, X))
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
    rows = np.repeat(SPACE.random(40, np.random.default_rng(1)), 2, axis=0)
    chosen = diverse(rows, SPACE, 40, distance).tolist()
    for i in range(len(rows)):
        apart = [gower_distance(rows[[j]], rows[i], SPACE)[0] for j in chosen if j < i]
        free = all(a > 0 and a >= distance for a in apart)
        assert (i in chosen) == free
    assert diverse(rows, SPACE, 3, distance).tolist() == chosen[:3]


def test_the_chosen_keep_their_distance_from_others_too() -> None:
    rows = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 1.0]])
    assert diverse(rows, SPACE, 3, 0.5, apart_from=rows[:1]).tolist() == [1, 2]
    assert diverse(rows, SPACE, 3, 0.5, apart_from=rows).tolist() == []
