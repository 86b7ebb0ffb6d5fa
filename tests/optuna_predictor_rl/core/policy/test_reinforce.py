import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from optuna_predictor_rl.core.decisions import Categorical, Numeric
from optuna_predictor_rl.core.policy.candidates import Candidates
from optuna_predictor_rl.core.policy.config import PolicyConfig
from optuna_predictor_rl.core.policy.factorized import FactorizedPolicy, Grid
from optuna_predictor_rl.core.policy.reinforce import (
    Start,
    _advantage,
    _train,
    local_optima,
    search,
)
from optuna_predictor_rl.core.space import Rows, SearchSpace

SIZES = (4, 3, 5, 2, 4)
SPACE = SearchSpace(
    tuple(Categorical(name=f"d{i}", choices=tuple(range(n))) for i, n in enumerate(SIZES))
)
NO_ELITE = Start(np.empty((0, 5)))
PLAIN = PolicyConfig(n_refinements=0, elite_bonus=0.0)


def everything() -> Rows:
    options = [range(d.n_values or 0) for d in SPACE.decisions]
    return np.array(list(itertools.product(*options)), dtype=np.float64)


def additive(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(5, 5))


def cost_of(table: np.ndarray) -> Any:
    return lambda rows: table[np.arange(5), rows.astype(int)].sum(1)


def found(config: PolicyConfig, seed: int = 0, table: np.ndarray | None = None) -> Candidates:
    cost = cost_of(additive(seed) if table is None else table)
    return search(SPACE, cost, config, start=NO_ELITE, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "config",
    [PolicyConfig(), replace(PLAIN, n_steps=40), replace(PolicyConfig.paper(), n_steps=150)],
    ids=["default", "reinforce alone", "paper"],
)
def test_the_optimum_of_an_additive_cost_is_found(config: PolicyConfig, seed: int) -> None:
    cost = cost_of(additive(seed))
    best = everything()[np.argmin(cost(everything()))]
    assert np.array_equal(found(config, seed).rows[0], best)


def test_candidates_come_with_their_costs_best_first() -> None:
    candidates = found(PolicyConfig())
    assert np.array_equal(candidates.score, cost_of(additive(0))(candidates.rows))
    assert (np.diff(candidates.score) >= 0).all()


def test_what_was_proposed_is_known_in_the_order_of_the_steps() -> None:
    asked: list[Rows] = []
    table = np.round(additive(0))  # so that many costs are equal

    def cost(rows: Rows) -> np.ndarray:
        asked.append(rows.copy())
        return cost_of(table)(rows)

    config = PolicyConfig(n_rounds=2, n_steps=3, batch_size=4)
    candidates = search(SPACE, cost, config, start=NO_ELITE, rng=np.random.default_rng(0))
    assert np.array_equal(candidates.proposed, np.stack(asked[:3]).reshape(3, 2, 4, 5))


def test_every_candidate_of_every_round_is_kept() -> None:
    asked: list[Rows] = []

    def cost(rows: Rows) -> np.ndarray:
        asked.append(rows)
        return rows.sum(1)

    config = replace(PLAIN, n_rounds=3, n_steps=4, batch_size=6)
    rng = np.random.default_rng(0)
    candidates = search(SPACE, cost, config, start=NO_ELITE, rng=rng)
    assert sorted(map(tuple, candidates.rows)) == sorted(map(tuple, np.concatenate(asked)))
    assert np.bincount(candidates.round).tolist() == [24, 24, 24]


def test_what_refinement_proposes_is_kept_and_marked() -> None:
    candidates = found(PolicyConfig(n_steps=1, n_refinements=2))
    assert (candidates.round == -1).any()
    assert len(candidates.rows) == len(candidates.round)


def test_the_top_is_distinct_unseen_and_the_best_there_is() -> None:
    candidates = found(PolicyConfig(n_steps=40))
    seen = candidates.rows[:1]
    top = candidates.top(7, seen)
    known = {tuple(seen[0])}
    expected = []
    for row in map(tuple, candidates.rows):
        if row not in known:
            known.add(row)
            expected.append(row)
    assert list(map(tuple, top)) == expected[:7]
    assert len(candidates.top(10**6, seen)) == len(expected)
    assert candidates.top(3, candidates.rows).shape == (0, 5)


def test_probabilities_move_towards_better_options() -> None:
    table = additive(1)
    grid = Grid(SPACE)
    policy = FactorizedPolicy(grid.n_options, 2)
    config = replace(PLAIN, n_rounds=2, n_steps=60, batch_size=64, learning_rate=0.1)
    _train(policy, grid, cost_of(table), config, np.random.default_rng(0))
    probability = policy.log_probabilities().exp().detach().numpy()
    for j, decision in enumerate(SPACE.decisions):
        n = decision.n_values or 0
        best, worst = table[j, :n].argmin(), table[j, :n].argmax()
        assert (probability[:, j, best] > 1 / n).all()
        assert (probability[:, j, best] > 3 * probability[:, j, worst]).all()


def test_the_expected_cost_falls_from_step_to_step() -> None:
    config = replace(PLAIN, n_rounds=1, batch_size=64, n_steps=30, learning_rate=0.1)
    costs: list[float] = []

    def cost(rows: Rows) -> np.ndarray:
        value = cost_of(additive(2))(rows)
        costs.append(float(value.mean()))
        return value

    search(SPACE, cost, config, start=NO_ELITE, rng=np.random.default_rng(0))
    assert np.mean(costs[-5:]) < np.mean(costs[:5]) - 0.5
    assert np.mean(costs[10:20]) < np.mean(costs[:5])


def test_the_trace_tells_every_cost_and_the_policy_of_a_thinned_set_of_steps() -> None:
    seen: list[np.ndarray] = []

    def cost(rows: Rows) -> np.ndarray:
        seen.append(cost_of(additive(2))(rows))
        return seen[-1]

    config = replace(PLAIN, n_rounds=2, batch_size=8, n_steps=120, elite_bonus=0.0)
    trace = search(SPACE, cost, config, start=NO_ELITE, rng=np.random.default_rng(0)).trace
    assert trace.score.shape == (120, 2, 8)
    assert (trace.score.reshape(120, 16) == np.stack(seen[:120])).all()
    assert trace.steps.tolist() == list(range(0, 120, 3))
    assert trace.probabilities.shape[:3] == (40, 2, 5)
    np.testing.assert_allclose(trace.probabilities.sum(-1), 1.0, rtol=1e-5)
    for decision, first in zip(SPACE.decisions, trace.probabilities[0, 0], strict=True):
        n = decision.n_values or 0
        np.testing.assert_allclose(first[:n], 1 / n, rtol=1e-5)


def test_rounds_but_the_first_start_from_the_elite() -> None:
    best = np.array([[3.0, 2.0, 4.0, 1.0, 3.0]])
    config = replace(PLAIN, elite_bonus=8.0, n_steps=1, n_rounds=2, batch_size=200)
    rng = np.random.default_rng(0)
    candidates = search(SPACE, lambda r: np.zeros(len(r)), config, start=Start(best), rng=rng)
    share = [(candidates.rows[candidates.round == r] == best).mean() for r in range(2)]
    assert share[0] < 0.45
    assert share[1] > 0.95


def test_fewer_rounds_than_elite_start_from_the_best_of_it() -> None:
    elite = np.array([[3.0, 2.0, 4.0, 1.0, 3.0], [2.0, 1.0, 3.0, 0.0, 2.0], [0.0] * 5])
    config = replace(PLAIN, elite_bonus=8.0, n_steps=1, n_rounds=3, batch_size=100)
    rng = np.random.default_rng(0)
    found = search(SPACE, lambda r: np.zeros(len(r)), config, start=Start(elite), rng=rng)
    for r in (1, 2):
        assert (found.rows[found.round == r] == elite[r - 1]).mean() > 0.95


def test_the_baseline_is_the_rounds_mean_and_a_flat_cost_teaches_nothing() -> None:
    cost = np.array([[1.0, 2.0, 6.0], [5.0, 5.0, 5.0]])
    advantage = _advantage(cost)
    assert advantage.mean(1) == pytest.approx([0.0, 0.0])
    assert advantage[0].std() == pytest.approx(1.0)
    assert advantage[1].tolist() == [0.0, 0.0, 0.0]


def test_a_search_depends_on_its_random_stream_alone() -> None:
    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    first = found(PolicyConfig())
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(2)
    np.random.seed(2)  # noqa: NPY002 # the global stream is what must not matter
    assert np.array_equal(first.rows, found(PolicyConfig()).rows)


def test_a_space_of_every_kind_is_searched_near_its_optimum() -> None:
    space = SearchSpace(
        (
            Numeric(name="x", low=1e-4, high=1.0, log=True),
            Numeric(name="n", low=1.0, high=100.0, step=1.0, integer=True),
            Categorical(name="k", choices=("a", "b", "c")),
        )
    )
    target = space.rows([{"x": 0.02, "n": 37, "k": "b"}])[0]

    def cost(rows: Rows) -> np.ndarray:
        return ((rows - target) ** 2).sum(1)

    elite = Start(space.random(2, np.random.default_rng(1)))
    candidates = search(space, cost, PolicyConfig(), start=elite, rng=np.random.default_rng(0))
    best = space.configurations(candidates.rows[:1])[0]
    assert best["k"] == "b"
    assert best["x"] == pytest.approx(0.02, rel=0.2)
    assert abs(best["n"] - 37) <= 2


def test_each_round_ends_in_a_local_optimum() -> None:
    score, rng = cost_of(additive(3)), np.random.default_rng(0)
    rows, rounds = local_optima(SPACE, score, PLAIN, start=NO_ELITE, rng=rng)
    best = everything()[np.argmin(score(everything()))]  # an additive score has no other optimum
    assert set(rounds) == set(range(PLAIN.n_rounds))
    assert (np.diff(score(rows)) >= 0).all()
    for r in range(PLAIN.n_rounds):
        assert np.array_equal(rows[rounds == r][0], best)


def test_refinement_starts_from_the_elite() -> None:
    """In ten dimensions nothing that one step draws comes near, so that only the elite can."""
    space = SearchSpace(tuple(Numeric(name=f"x{i}", low=0.0, high=1.0) for i in range(10)))

    def cost(rows: Rows) -> np.ndarray:
        return ((rows - 0.3) ** 2).sum(1)

    elite, config = np.full((1, 10), 0.32), PolicyConfig(n_steps=1, elite_bonus=0.0)
    candidates = search(space, cost, config, start=Start(elite), rng=np.random.default_rng(0))
    assert candidates.score[0] < cost(elite)[0]
