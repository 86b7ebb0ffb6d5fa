import itertools

import numpy as np
import pytest
import scipy

from optuna_predictor_rl.core.predictor.kernel import matern52, squared_distance
from optuna_predictor_rl.fidelity.nearby import LENGTHSCALES, SHARES, fit_nearby
from optuna_predictor_rl.fidelity.rung_model import (
    COEFFICIENT_STD,
    PRIOR_NOISE,
    PRIOR_TRIALS,
    RungModel,
    Transition,
)
from optuna_predictor_rl.fidelity.rung_scale import Scale


def chains(n: int, seed: int = 0, noise: float = 0.1) -> np.ndarray:
    """Values at two rungs and at the end, of trainings that all go on."""
    rng = np.random.default_rng(seed)
    first = rng.normal(size=n)
    second = 0.8 * first - 1.0 + noise * rng.normal(size=n)
    return np.stack([first, second, 0.9 * second - 0.5 + noise * rng.normal(size=n)], axis=1)


def test_a_scale_leads_back_and_counts_far_values_by_their_logarithm():
    scale = Scale.of(np.array([1.0, 2.0, 3.0, 1e9]), 1.0)
    values = np.array([-7.0, 1.0, 1.5, 1e9])
    assert scale.value(scale.z(values)) == pytest.approx(values)
    assert scale.unit == 0.75  # half the median distance from 1, of 0, 1, 2 and 1e9
    assert scale.z(np.array([1e9])) - scale.z(np.array([1e8])) == pytest.approx(np.log(10))


def test_a_regression_is_least_squares_with_the_prior_as_further_rows():
    values = chains(20)
    reference = values[values[:, 2].argmin()]
    found = Transition.fit(values, reference, None)
    before, at, after = (Scale.of(values[:, k], float(reference[k])) for k in range(3))
    z = at.z(values[:, 1])
    h = np.stack([np.ones(20), z, z - before.z(values[:, 0])], axis=1)
    y = after.z(values[:, 2]) - z
    prior = np.diag(1.0 / np.array(COEFFICIENT_STD))
    mean, *_ = np.linalg.lstsq(np.vstack([h, prior]), np.append(y, np.zeros(3)), rcond=None)
    assert found.mean == pytest.approx(mean)
    spread = PRIOR_NOISE * after.z(values[:, 2]).std()
    square = ((y - h @ mean) ** 2).sum() + ((prior @ mean) ** 2).sum()
    expected = (PRIOR_TRIALS * spread**2 + square) / (PRIOR_TRIALS + 20)
    assert found.noise == pytest.approx(np.sqrt(expected))


def test_what_trainings_came_to_is_found_again_with_honest_errors():
    inside = []
    for seed in range(20):
        values = chains(30, seed)
        known = values[:20].copy()
        known[8:, 2] = np.nan  # stopped at the second rung
        known[14:, 1] = np.nan
        draws = RungModel(known, [0, 1]).final(values[20:], 0)
        low, high = np.quantile(draws, [0.1, 0.9], axis=1)
        inside.append((low <= values[20:, 2]) & (values[20:, 2] <= high))
    assert 0.75 < np.mean(inside) < 0.95


def test_trainings_that_went_on_because_they_were_good_bias_nothing():
    rng = np.random.default_rng(0)
    errors = []
    for _ in range(20):
        quality = rng.normal(size=60)
        values = np.stack([quality + rng.normal(size=60), quality], axis=1)
        known = values.copy()
        kept = np.argsort(values[:, 0])[:20]
        known[np.setdiff1d(np.arange(60), kept), 1] = np.nan
        model = RungModel(known, [0])
        errors.append(model.expected(values[kept], 0) - values[kept, 1])
    assert abs(np.mean(errors)) < 0.15


def test_reports_in_another_unit_than_the_value_are_mapped():
    values = chains(30)
    other = values.copy()
    other[:, 2] = 100.0 * values[:, 2] + 7.0
    plain = RungModel(values[:20], [0, 1]).final(values[20:], 1)
    mapped = RungModel(other[:20], [0, 1]).final(other[20:], 1)
    assert mapped == pytest.approx(100.0 * plain + 7.0)


def test_a_training_that_diverged_moves_no_other():
    values = chains(20)
    plain = RungModel(values, [0, 1]).expected(values[:5], 0)
    wild = np.vstack([values, [1e30, 1e30, 1e30]])
    assert RungModel(wild, [0, 1]).expected(values[:5], 0) == pytest.approx(plain, abs=0.3)


def test_near_configurations_share_what_they_came_to():
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(40, 1))
    first = rng.normal(size=40)
    values = np.stack([first, first - 3.0 * (x[:, 0] > 0.5)], axis=1)
    model = RungModel(values, [0], x)
    start = np.zeros((2, 2))
    late, early = model.expected(start, 0, np.array([[0.9], [0.1]]))
    assert late == pytest.approx(-3.0, abs=0.5)
    assert early == pytest.approx(0.0, abs=0.5)


def test_a_process_predicts_as_the_full_matrices_do():
    rng = np.random.default_rng(1)
    x = rng.uniform(size=(15, 2))
    y = np.sin(6 * x[:, 0])
    found = fit_nearby(x, y)
    assert found is not None
    new = rng.uniform(size=(4, 2))
    s, ell = found.share, found.lengthscale
    k = s * matern52(squared_distance(x, x) / ell**2) + (1 - s) * np.eye(15)
    k_new = s * matern52(squared_distance(new, x) / ell**2)
    mean, variance = found.predict(new)
    assert mean == pytest.approx(k_new @ np.linalg.inv(k) @ y)
    expected = 1.0 - np.diag(k_new @ np.linalg.inv(k) @ k_new.T)
    assert variance == pytest.approx(np.maximum(expected, 1 - s))
    typical = np.sqrt(np.mean([((a - b) ** 2).sum() for a, b in itertools.permutations(x, 2)]))
    densities = {
        (share, part * typical): scipy.stats.multivariate_normal(
            cov=share * matern52(squared_distance(x, x) / (part * typical) ** 2)
            + (1 - share) * np.eye(15)
        ).logpdf(y)
        for share, part in itertools.product(SHARES, LENGTHSCALES)
    }
    assert (s, ell) == pytest.approx(max(densities, key=densities.__getitem__))


def test_noise_shows_no_pattern():
    rng = np.random.default_rng(2)
    assert fit_nearby(rng.uniform(size=(4, 1)), rng.normal(size=4)) is None
    assert fit_nearby(np.ones((20, 1)), rng.normal(size=20)) is None
