import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from optuna_predictor_rl.core.conditions import Condition
from optuna_predictor_rl.core.decisions import Categorical, Decision, Numeric
from optuna_predictor_rl.core.policy import local_search
from optuna_predictor_rl.core.policy.local_search import neighbours, refine
from optuna_predictor_rl.core.space import Rows, SearchSpace
from tests.optuna_predictor_rl.core.strategies import decisions, lawful


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@lawful
@given(decisions(), st.integers(0, 2**32 - 1))
def test_neighbours_are_members_of_the_space(found: tuple[Decision, ...], seed: int) -> None:
    space = SearchSpace(found)
    moved = neighbours(space, space.random(2, rng(seed)), 0.2, rng(seed))
    assert space.snap(moved).tobytes() == moved.tobytes()


def test_every_change_of_one_choice_is_a_neighbour() -> None:
    space = SearchSpace(tuple(Categorical(name=str(i), choices=tuple("abc")) for i in range(3)))
    moved = {tuple(row) for row in neighbours(space, np.array([[0.0, 1.0, 2.0]]), 0.2, rng())}
    everything = itertools.product(range(3), repeat=3)
    assert moved == {r for r in everything if (r[0] != 0) + (r[1] != 1) + (r[2] != 2) <= 1}


def test_what_becomes_active_by_a_move_gets_a_value() -> None:
    kind = Categorical(name="kind", choices=("off", "on"))
    rate = Numeric(name="rate", low=0.0, high=1.0)
    mode = Categorical(name="mode", choices=("a", "b"))
    on = frozenset({1})
    space = SearchSpace((kind, rate, mode), (Condition(1, 0, on), Condition(2, 0, on)))
    for start in ({"kind": "off"}, {"kind": "on", "rate": 0.5, "mode": "a"}):
        moved = neighbours(space, space.rows([start]), 0.2, rng())
        assert set(moved[:, 0]) == {0.0, 1.0}
        assert np.array_equal(np.isnan(moved[:, 1:]), np.repeat(moved[:, :1] == 0, 2, axis=1))


def test_refinement_reaches_the_optimum_of_a_smooth_cost() -> None:
    space = SearchSpace((Numeric(name="x", low=-2.0, high=2.0),))

    def curve(x: float) -> float:
        return float((x - 0.7) ** 2 + 0.1 * np.sin(3 * x))

    def cost(rows: Rows) -> np.ndarray:
        return np.array([curve(c["x"]) for c in space.configurations(rows)])

    start = space.random(3, rng())
    rows, costs = refine(space, cost, start, cost(start), 10, rng())
    best = space.configurations(rows[[np.argmin(costs)]])[0]["x"]
    assert best == pytest.approx(minimize_scalar(curve, bounds=(-2, 2)).x, abs=1e-2)


def test_refinement_returns_each_row_it_tried_with_its_cost() -> None:
    space = SearchSpace((Categorical(name="a", choices=tuple("abcd")),))
    asked: list[Rows] = []

    def cost(rows: Rows) -> np.ndarray:
        asked.append(rows)
        return rows[:, 0] * 2.0

    start = np.array([[3.0]])
    rows, costs = refine(space, cost, start, np.array([6.0]), 2, rng())
    assert np.array_equal(rows, np.concatenate(asked))
    assert np.array_equal(costs, rows[:, 0] * 2.0)
    assert costs.min() == 0.0


def test_no_passes_and_nothing_to_start_from_try_nothing() -> None:
    space = SearchSpace((Categorical(name="a", choices=tuple("ab")),))
    for n_passes, n_rows in ((0, 1), (2, 0)):
        start = np.zeros((n_rows, 1))
        rows, costs = refine(space, lambda r: r[:, 0], start, np.zeros(n_rows), n_passes, rng())
        assert (len(rows), len(costs)) == (0, 0)


LARGE = {
    "one of many choices": (Categorical(name="id", choices=tuple(range(5000))),),
    "some of many choices": tuple(
        Categorical(name=f"c{i}", choices=tuple(range(500))) for i in range(4)
    ),
    "many booleans": tuple(Categorical(name=f"b{i}", choices=(False, True)) for i in range(400)),
    "many floats": tuple(Numeric(name=f"x{i}", low=0.0, high=1.0) for i in range(1000)),
    "many of many choices": tuple(
        Categorical(name=f"c{i}", choices=tuple(range(100))) for i in range(100)
    ),
}


@pytest.mark.parametrize("found", LARGE.values(), ids=LARGE)
def test_a_large_space_has_no_more_moves_than_a_small_one(found: tuple[Decision, ...]) -> None:
    space = SearchSpace(found)
    row = space.random(1, rng())
    moved = neighbours(space, row, 0.2, rng())
    assert 64 <= len(moved) <= 128 + 12
    assert np.median((moved != row).sum(1)) <= 1


def test_each_pass_moves_other_decisions_of_a_large_space() -> None:
    space = SearchSpace(LARGE["many booleans"])
    row, source = np.zeros((1, 400)), rng()
    flipped = [neighbours(space, row, 0.2, source).any(0) for _ in range(4)]
    assert [f.sum() for f in flipped] == [32] * 4
    assert np.any(flipped, axis=0).sum() > 100


def test_64_choices_are_all_tried() -> None:
    space = SearchSpace((Categorical(name="id", choices=tuple(range(64))),))
    assert neighbours(space, np.zeros((1, 1)), 0.2, rng())[:, 0].tolist() == list(range(64))


def test_the_steps_halve_from_pass_to_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    space = SearchSpace((Numeric(name="x", low=0.0, high=1.0),))
    steps: list[float] = []

    def spied(space: SearchSpace, rows: Rows, step: float, rng: np.random.Generator) -> Rows:
        steps.append(step)
        return neighbours(space, rows, step, rng)

    monkeypatch.setattr(local_search, "neighbours", spied)
    refine(space, lambda rows: rows[:, 0], np.array([[0.5]]), np.array([0.5]), 3, rng())
    assert steps == pytest.approx([0.2, 0.1, 0.05])
