import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from optuna_predictor_rl.core.predictor.acquisition import (
    log_expected_improvement,
    log_feasibility,
)


def log_ei(mean: float, std: float, best: float) -> float:
    return float(log_expected_improvement(np.array([mean]), np.array([std]), best)[0])


@pytest.mark.parametrize("std", [0.01, 1.0, 30.0])
@pytest.mark.parametrize("z", [-8.0, -3.0, -1.0001, -1.0, -0.9999, 0.0, 0.7, 5.0])
def test_it_is_the_integral_of_the_improvement_over_the_density(z: float, std: float) -> None:
    mean, best = 0.4, 0.4 + z * std
    # E[max(0, best - Y)] by parts is the integral of the distribution function up to best
    improvement, _ = quad(lambda y: std * norm.cdf(y), z - 12.0, z, epsabs=0.0, epsrel=1e-11)
    assert log_ei(mean, std, best) == pytest.approx(np.log(improvement), rel=1e-8)


@pytest.mark.parametrize("z", [-1e2, -999.0, -1001.0, -1e5, -1e8])
def test_far_below_the_best_it_follows_its_asymptotic_series(z: float) -> None:
    # phi(z) (1 + z Phi(z) / phi(z)) with Mills' ratio: phi(z) / z^2 (1 - 3 / z^2 + 15 / z^4 - ...)
    series = norm.logpdf(z) - 2 * np.log(-z) + np.log1p(-3 / z**2 + 15 / z**4)
    assert log_ei(0.0, 1.0, z) == pytest.approx(series, rel=1e-6)


def test_it_falls_with_the_mean_and_never_jumps() -> None:
    mean = np.linspace(-5.0, 2000.0, 200_001)
    value = log_expected_improvement(mean, np.ones_like(mean), 0.0)
    assert np.isfinite(value).all()
    slope = np.diff(value) / np.diff(mean)
    assert (slope < 0).all()
    assert (np.diff(slope) < 1e-4).all()  # log EI is concave in the mean


def test_more_uncertainty_is_more_improvement() -> None:
    std = np.geomspace(1e-3, 1e3, 200)
    for best in (-1.0, 0.0):
        value = log_expected_improvement(np.zeros_like(std), std, best)
        assert (np.diff(value) > 0).all()


def test_feasibility_is_the_product_of_the_constraints_probabilities() -> None:
    rng = np.random.default_rng(0)
    mean, std, threshold = rng.normal(size=(5, 3)), rng.random((5, 3)) + 0.1, rng.normal(size=3)
    expected = norm.cdf(threshold, mean, std).prod(1)
    assert np.exp(log_feasibility(mean, std, threshold)) == pytest.approx(expected)
