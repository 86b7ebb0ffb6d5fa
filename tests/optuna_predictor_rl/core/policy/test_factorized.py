from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import Categorical as Reference

from optuna_predictor_rl.core.decisions import Categorical, Decision, Numeric
from optuna_predictor_rl.core.policy.factorized import FactorizedPolicy, Grid
from optuna_predictor_rl.core.space import SearchSpace
from tests.optuna_predictor_rl.core.strategies import decisions, lawful

N_OPTIONS = np.array([3, 1, 4])
seeds = st.integers(0, 2**32 - 1)


def policy(n_rounds: int = 2, seed: int = 0) -> FactorizedPolicy:
    """A policy with random logits."""
    made = FactorizedPolicy(N_OPTIONS, n_rounds)
    made.logits.data.normal_(generator=torch.Generator().manual_seed(seed))
    return made


def references(made: FactorizedPolicy, temperature: float) -> list[list[Reference]]:
    """The categorical distributions of each round and decision."""
    return [
        [Reference(logits=table[j, :o].double() / temperature) for j, o in enumerate(N_OPTIONS)]
        for table in made.logits.detach()
    ]


def every_option() -> Tensor:
    return torch.tensor(list(product(*map(range, N_OPTIONS))))


@pytest.mark.parametrize("temperature", [0.3, 1.0, 5.0])
def test_log_prob_is_that_of_independent_categoricals(temperature: float) -> None:
    made = policy()
    options = every_option().expand(2, -1, -1)
    log_prob = made.log_prob(options, temperature)
    for r, decisions_ in enumerate(references(made, temperature)):
        expected = sum(d.log_prob(options[r, :, j]) for j, d in enumerate(decisions_))
        torch.testing.assert_close(log_prob[r], expected.float())


def test_the_probabilities_of_all_configurations_sum_to_one() -> None:
    total = policy().log_prob(every_option().expand(2, -1, -1)).exp().sum(1)
    torch.testing.assert_close(total, torch.ones(2))


def test_samples_follow_the_policy_and_never_take_an_absent_option() -> None:
    made, n = policy(), 20_000
    options = made.sample(n, torch.Generator().manual_seed(0))
    assert options.shape == (2, n, 3)
    for r, decisions_ in enumerate(references(made, 1.0)):
        for j, reference in enumerate(decisions_):
            frequency = torch.bincount(options[r, :, j], minlength=int(N_OPTIONS[j])) / n
            torch.testing.assert_close(frequency.double(), reference.probs, atol=0.02, rtol=0)


def test_the_gradient_of_log_prob_is_the_choice_minus_its_probability() -> None:
    made = policy(n_rounds=1)
    options = torch.tensor([[[2, 0, 1]]])
    made.log_prob(options).sum().backward()
    expected = torch.nn.functional.one_hot(options[0, 0], 4) - made.log_probabilities()[0].exp()
    assert made.logits.grad is not None
    torch.testing.assert_close(made.logits.grad[0], expected.detach())


def test_a_high_temperature_makes_the_policy_uniform_and_a_low_one_makes_it_greedy() -> None:
    made = policy()
    options = every_option().expand(2, -1, -1)
    uniform = torch.full((2, len(options[0])), 1 / len(options[0]))
    torch.testing.assert_close(made.log_prob(options, 1e6).exp(), uniform)
    best = made.log_prob(options).argmax(1)
    assert (made.log_prob(options, 0.01).exp()[[0, 1], best] > 0.999).all()


def test_a_boosted_configuration_becomes_likelier_by_its_bonus_in_its_round_only() -> None:
    made = FactorizedPolicy(N_OPTIONS, 3)
    made.boost(np.array([[2, 0, 1], [0, 0, 3]]), 2.0, first=1)
    log_probability = made.log_probabilities().detach()
    torch.testing.assert_close(
        log_probability[0].exp(),
        FactorizedPolicy(N_OPTIONS, 1).log_probabilities()[0].exp().detach(),
    )
    assert log_probability[1, 0, 2] - log_probability[1, 0, 0] == pytest.approx(2.0)
    assert log_probability[2, 2, 3] - log_probability[2, 2, 1] == pytest.approx(2.0)


@lawful
@given(decisions(), seeds, st.integers(1, 20))
def test_the_rows_of_options_are_members_of_the_space(
    found: tuple[Decision, ...], seed: int, n_bins: int
) -> None:
    space = SearchSpace(found)
    grid, rng = Grid(space, n_bins), np.random.default_rng(seed)
    rows = grid.rows(rng.integers(0, grid.n_options, size=(6, len(found))), rng)
    assert space.snap(rows).tobytes() == rows.tobytes()
    options = grid.options(rows)
    assert ((options >= 0) & (options < grid.n_options)).all()


@lawful
@given(decisions(finite=True), seeds)
def test_every_value_of_a_small_decision_has_an_option_of_its_own(
    found: tuple[Decision, ...], seed: int
) -> None:
    grid, rng = Grid(SearchSpace(found), n_bins=500), np.random.default_rng(seed)
    assert grid.n_options.tolist() == [d.n_values for d in found]
    options = np.stack([np.arange(grid.n_options.max()) % o for o in grid.n_options], axis=1)
    assert np.array_equal(grid.options(grid.rows(options, rng)), options)


def test_the_intervals_of_a_continuous_decision_cover_it_evenly() -> None:
    grid = Grid(SearchSpace((Numeric(name="x", low=-3.0, high=5.0),)), n_bins=4)
    rng = np.random.default_rng(0)
    rows = grid.rows(np.repeat(np.arange(4), 500)[:, None], rng)
    assert np.array_equal(np.floor(4 * rows[:, 0]), np.repeat(np.arange(4), 500))
    assert np.histogram(rows[:, 0], 8, (0, 1))[0] == pytest.approx(np.full(8, 250), abs=60)


def test_a_decision_of_many_choices_keeps_one_option_a_choice() -> None:
    grid = Grid(SearchSpace((Categorical(name="x", choices=tuple(range(40))),)), n_bins=4)
    assert grid.n_options.tolist() == [40]


def test_an_inactive_decision_falls_into_its_first_option() -> None:
    grid = Grid(SearchSpace((Categorical(name="x", choices=(1, 2)),)))
    assert grid.options(np.array([[np.nan], [1.0]])).tolist() == [[0], [1]]
