import itertools
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import kendalltau

from optuna_predictor_rl.core.curves import kendall_tau
from optuna_predictor_rl.core.curves.correlation import (
    TauByCutoff,
    TauEstimate,
    bootstrap_tau,
    tau_with_interval,
)
from tests.optuna_predictor_rl.core.curves.cases import laws


@laws
@given(
    pairs=st.lists(
        st.tuples(st.integers(0, 4), st.one_of(st.integers(0, 4), st.just(math.inf))),
        min_size=2,
        max_size=12,
    )
)
def test_tau_is_that_of_scipy_also_with_ties_and_infinite_values(pairs):
    x, y = np.array(pairs, dtype=float).T
    assert_allclose(kendall_tau(x, y), kendalltau(x, y).statistic, atol=1e-12)


def test_pairs_with_a_missing_value_are_left_out_of_tau():
    x = np.array([1.0, math.nan, 3.0, 2.0])
    y = np.array([1.0, 5.0, 2.0, 3.0])
    expected = kendalltau(x[[0, 2, 3]], y[[0, 2, 3]]).statistic
    assert_allclose(kendall_tau(x, y), expected)


def test_a_resample_counts_pairs_of_different_curves_only():
    x, y = np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])
    weights = np.array([[2.0, 1.0, 0.0], [1.0, 1.0, 1.0], [3.0, 0.0, 0.0]])
    signs = {pair: np.sign(np.subtract(*x[list(pair)]) * np.subtract(*y[list(pair)]))
             for pair in itertools.combinations(range(3), 2)}  # fmt: skip
    for row, tau in zip(weights, bootstrap_tau(x, y, weights), strict=True):
        shares = {(i, j): row[i] * row[j] for i, j in signs}
        total = sum(shares.values())
        expected = sum(signs[pair] * shares[pair] for pair in signs) / total if total else math.nan
        assert_allclose(tau, expected)


def test_one_good_cutoff_among_bad_ones_is_not_recommended():
    low = np.array([0.9, 0.3, 0.8, 0.9])
    estimate = TauEstimate(tau=low, low=low, high=low)
    table = TauByCutoff(
        cutoffs=np.array([2.0, 4.0, 6.0, 8.0]),
        n_curves=np.full(4, 9),
        n_total=9,
        raw=estimate,
        label=estimate,
    )
    assert table.recommend(0.8) == 6.0


def test_an_interval_leaves_as_many_resamples_out_at_either_end():
    rng = np.random.default_rng(0)
    y = rng.normal(size=15)
    x = y + rng.normal(size=15)
    found = tau_with_interval(
        x[None], y, confidence=0.6, n_resamples=199, generator=np.random.default_rng(1)
    )
    draws = np.random.default_rng(1).multinomial(15, np.full(15, 1 / 15), size=199)
    taus = bootstrap_tau(x, y, np.vstack([np.ones(15), draws]))
    assert_allclose([found.low[0], found.high[0]], np.quantile(taus, [0.2, 0.8]))
