import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna._hypervolume import compute_hypervolume

from optuna_predictor_rl.core.pareto import chebyshev, front_order, hypervolume, is_pareto
from tests.optuna_predictor_rl.core.strategies import lawful

POINTS = st.lists(st.tuples(*[st.integers(0, 4)] * 2), min_size=1, max_size=12)
FRONT = np.array([[0.0, 9.0], [2.0, 8.0], [5.0, 5.0], [8.0, 1.0], [10.0, 0.0]])


@lawful
@given(st.integers(1, 4).flatmap(lambda t: st.lists(
    st.tuples(*[st.integers(0, 3)] * t), min_size=1, max_size=12)))  # fmt: skip
def test_the_front_is_what_no_other_point_dominates(points: list[tuple[int, ...]]) -> None:
    y = np.asarray(points, dtype=np.float64)
    dominated = [any((a <= b).all() and (a < b).any() for a in y) for b in y]
    assert is_pareto(y).tolist() == [not d for d in dominated]


@lawful
@given(POINTS)
def test_the_hypervolume_is_optunas(points: list[tuple[int, int]]) -> None:
    y, reference = np.asarray(points, dtype=np.float64), np.array([3.5, 3.5])
    inside = y[(y < reference).all(1)]
    expected = compute_hypervolume(inside, reference) if len(inside) else 0.0
    assert hypervolume(y, reference) == pytest.approx(expected)


def test_every_point_of_a_front_is_the_best_for_some_weight() -> None:
    best = {int(chebyshev(FRONT, np.array([w, 1.0 - w])).argmin()) for w in np.linspace(0, 1, 101)}
    assert best == set(range(len(FRONT)))


def test_a_dominated_point_is_never_the_best_also_beside_an_end_of_the_front() -> None:
    points = np.vstack([[0.0, 9.5], FRONT, [10.5, 0.0], [5.5, 5.5]])
    for w in np.linspace(0.01, 0.99, 99):
        assert 1 <= chebyshev(points, np.array([w, 1.0 - w])).argmin() <= len(FRONT)


def test_units_and_points_far_from_the_front_change_nothing() -> None:
    weight = np.array([0.3, 0.7])
    expected = chebyshev(FRONT, weight)
    moved = chebyshev(FRONT * [1e6, 1e-3] + [5.0, -1.0], weight)
    assert moved == pytest.approx(expected)
    assert chebyshev(np.vstack([FRONT, [[1e9, 1e9]]]), weight)[:-1] == pytest.approx(expected)


def test_it_is_the_augmented_largest_weighted_distance() -> None:
    points, weight = np.array([[0.0, 4.0], [2.0, 0.0], [1.0, 1.0]]), np.array([0.5, 0.5])
    # extents 2 and 4: distances (0, 1), (1, 0), (1/2, 1/4), halved by the weights
    assert chebyshev(points, weight) == pytest.approx([0.525, 0.525, 0.25 + 0.05 * 0.375])


def test_the_ideal_point_is_that_of_the_feasible_points() -> None:
    weight = np.array([0.5, 0.5])
    points = np.vstack([FRONT, [[-100.0, -100.0]]])
    found = chebyshev(points, weight, np.array([True] * 5 + [False]))
    assert found[:5] == pytest.approx(chebyshev(FRONT, weight))


def test_one_point_or_equal_points_are_finite() -> None:
    for points in (np.zeros((1, 2)), np.ones((3, 3)), np.array([[1.0, 2.0], [1.0, 3.0]])):
        weight = np.full(points.shape[1], 1.0 / points.shape[1])
        assert np.isfinite(chebyshev(points, weight)).all()


@settings(lawful, max_examples=30)
@given(st.integers(1, 3).flatmap(lambda t: st.lists(
    st.tuples(*[st.integers(0, 3)] * t), min_size=1, max_size=9)))  # fmt: skip
def test_the_front_comes_first_then_that_of_the_others(points: list[tuple[int, ...]]) -> None:
    y = np.asarray(points, dtype=np.float64)
    left, expected = list(range(len(y))), []
    while left:
        front = [
            i for i in left if not any((y[j] <= y[i]).all() and (y[j] < y[i]).any() for j in left)
        ]
        expected.append(set(front))
        left = [i for i in left if i not in front]
    order = front_order(y).tolist()
    for front in expected:
        assert set(order[: len(front)]) == front
        order = order[len(front) :]
    assert order == []
    assert front_order(y, 3).tolist() == front_order(y).tolist()[:3]


@settings(lawful, max_examples=30)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=12))
def test_the_order_of_one_objective_is_that_of_its_values(values: list[int]) -> None:
    y = np.asarray(values, dtype=np.float64)[:, None]
    assert front_order(y).tolist() == np.argsort(y[:, 0], kind="stable").tolist()
    equal = np.hstack([y, y])  # the same once more: fronts of one value each
    assert front_order(equal).tolist() == front_order(y).tolist()


def test_a_front_begins_with_its_compromise_and_goes_on_with_what_is_far() -> None:
    # Shares of the extents, 10 and 9: (0, 1), (.2, .89), (.5, .56), (.8, .11), (1, 0). The middle
    # is .75 and .67 from the ends; the others are .23 from an end, and the first comes first.
    assert front_order(FRONT).tolist() == [2, 4, 0, 1, 3]
    assert front_order(FRONT * [1e6, 1e-9] - 4.0, 3).tolist() == [2, 4, 0]
