import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from optuna_predictor_rl.core.decisions import Categorical, Numeric
from optuna_predictor_rl.core.policy.spacing import FEW, near_to
from optuna_predictor_rl.core.space import SearchSpace
from tests.optuna_predictor_rl.core.strategies import decisions

SPACE = SearchSpace(
    (
        Numeric(name="rate", low=1e-4, high=1.0, log=True),
        Numeric(name="layers", low=1.0, high=float(FEW), step=1.0, integer=True),
        Categorical(name="kind", choices=("a", "b")),
    )
)
TRIED = [0.5, 0.4, 1.0]


def near(row: list[float], distance: float = 0.1) -> bool:
    return bool(near_to(SPACE, np.array([TRIED]), distance)(np.array([row]))[0])


def test_numbers_within_the_distance_are_near_choices_and_few_values_only_if_they_are_the_same():
    assert near([0.59, 0.4, 1.0], distance=0.5 * 0.2 ** (1 / 6))
    assert not near([0.61, 0.4, 1.0], distance=0.5 * 0.2 ** (1 / 6))
    assert not near([0.5, 0.4 + 1 / (FEW - 1), 1.0])
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
    n_wide = sum(d.n_values is None or d.n_values > FEW for d in space.decisions)
    reach = 0.5 * (2 * distance) ** (6 / min(max(n_wide, 1), 6))
    rows, others = space.random(20, rng), space.random(7, rng)

    def differ(j: int, a: float, b: float) -> bool:
        if np.isnan(a) or np.isnan(b):
            return np.isnan(a) != np.isnan(b)
        decision = space.decisions[j]
        few = decision.n_values is not None and decision.n_values <= FEW
        return a != b if few else abs(a - b) >= max(reach, 1e-9)

    expected = [
        distance > 0 and any(not any(map(differ, range(len(r)), r, o)) for o in others)
        for r in rows
    ]
    assert near_to(space, others, distance)(rows).tolist() == expected
