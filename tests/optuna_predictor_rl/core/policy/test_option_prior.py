import numpy as np
import pytest
from scipy.stats import chisquare

from optuna_predictor_rl.core.decisions import Categorical, Numeric
from optuna_predictor_rl.core.policy.factorized import FactorizedPolicy, Grid
from optuna_predictor_rl.core.policy.option_prior import HALF_LIFE, UNIFORM_SHARE, OptionPrior
from optuna_predictor_rl.core.space import SearchSpace

SPACE = SearchSpace(
    (
        Categorical(name="kind", choices=("a", "b", "c")),
        Numeric(name="x", low=0.0, high=10.0),
        Numeric(name="n", low=1.0, high=4.0, step=1.0, integer=True),
    )
)
GRID = Grid(SPACE, n_bins=4)
WEIGHTS = (np.array([6.0, 3.0, 0.0]), np.array([0.0, 1.0, 0.0, 3.0]), None)
PRIOR = OptionPrior.of(GRID, WEIGHTS)


def test_the_believed_share_follows_the_weights_and_the_rest_is_uniform() -> None:
    believed = 1.0 - UNIFORM_SHARE
    expected = [believed * w + UNIFORM_SHARE / 3 for w in (2 / 3, 1 / 3, 0.0)]
    assert PRIOR.probabilities[0] == pytest.approx(expected)
    assert PRIOR.probabilities[2] == pytest.approx(np.full(4, 0.25))


def test_rows_are_drawn_as_believed() -> None:
    rows = PRIOR.from_uniform(np.random.default_rng(0).random((5000, 3)))
    assert SPACE.snap(rows.copy()).tobytes() == rows.tobytes()
    for j, probability in enumerate(PRIOR.probabilities):
        counts = np.bincount(GRID.options(rows)[:, j], minlength=len(probability))
        assert chisquare(counts, 5000 * probability).pvalue > 0.001
    within = (rows[:, 1] * 4) % 1
    assert chisquare(np.histogram(within, 10, (0, 1))[0]).pvalue > 0.001


def test_the_policy_starts_as_believed_and_the_belief_halves() -> None:
    policy = FactorizedPolicy(GRID.n_options, 2)
    policy.add_logits(PRIOR.logits(0))
    started = policy.log_probabilities().exp().detach().numpy()
    for j, probability in enumerate(PRIOR.probabilities):
        for round_ in started:
            assert round_[j, : len(probability)] == pytest.approx(probability, rel=1e-5)
    assert PRIOR.logits(int(HALF_LIFE)) == pytest.approx(PRIOR.logits(0) / 2)
