from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import multivariate_normal, norm
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

from optuna_predictor_rl.core.predictor import gaussian_process, hyperparameters
from optuna_predictor_rl.core.predictor.gaussian_process import (
    BLOCK,
    GaussianProcess,
    _condition,
    fit_gaussian_process,
)
from optuna_predictor_rl.core.predictor.hyperparameters import (
    KernelPrior,
    NegativeLogPosterior,
    representative_rows,
)

INVERSE_LENGTHSCALE = np.array([2.0, 0.5, 0.5])
SCALE, NOISE = 1.7, 0.03
FEATURE = np.array([0, 1, 1])
ERROR = np.linspace(0.0, 0.8, 12)


def data(n: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.random((n, 3))
    return x, np.sin(4 * x[:, 0]) + x[:, 1] - x[:, 2] + 0.1 * rng.normal(size=n)


def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Scikit-learn's Matern-5/2 kernel."""
    return SCALE * Matern(length_scale=1 / INVERSE_LENGTHSCALE, nu=2.5)(a, b)


def conditioned(x: np.ndarray, y: np.ndarray) -> GaussianProcess:
    return _condition(x, y, INVERSE_LENGTHSCALE, SCALE, NOISE)


def solved(
    x: np.ndarray, y: np.ndarray, new: np.ndarray, mean: float
) -> tuple[np.ndarray, np.ndarray]:
    """Posterior mean and standard deviation by a dense solve."""
    noisy = kernel(x, x) + NOISE * np.eye(len(x))
    cross = kernel(new, x)
    variance = kernel(new, new) - cross @ np.linalg.solve(noisy, cross.T)
    return mean + cross @ np.linalg.solve(noisy, y - mean), np.sqrt(np.diag(variance))


def test_the_posterior_is_that_of_scikit_learn() -> None:
    x, y = data()
    new, _ = data(5, seed=1)
    matern = SCALE * Matern(length_scale=1 / INVERSE_LENGTHSCALE, nu=2.5)
    reference = GaussianProcessRegressor(matern, alpha=NOISE, optimizer=None)
    expected, expected_std = reference.fit(x, y - y.mean()).predict(new, return_std=True)
    mean, std = conditioned(x, y).predict(new)
    assert mean - y.mean() == pytest.approx(expected)
    assert std == pytest.approx(expected_std)


@pytest.mark.parametrize("n", [0, 1, BLOCK, BLOCK + 1, 2 * BLOCK + 5])
def test_rows_are_predicted_in_blocks_as_one_by_one(n: int) -> None:
    process = conditioned(*data())
    new = np.random.default_rng(1).random((n, 3))
    mean, std = process.predict(new)
    assert mean.shape == std.shape == (n,)
    for i in {0, BLOCK - 1, BLOCK, n - 1} & set(range(n)):
        alone = process.predict(new[i : i + 1])
        np.testing.assert_allclose([mean[i], std[i]], np.ravel(alone), rtol=1e-9)


@pytest.mark.parametrize("error", [np.zeros(12), ERROR])
def test_the_objective_is_the_marginal_likelihood_times_the_prior(error: np.ndarray) -> None:
    x, y = data()
    objective = NegativeLogPosterior(x, y, FEATURE, KernelPrior(), error**2)
    theta = np.log([1 / INVERSE_LENGTHSCALE[0], 1 / INVERSE_LENGTHSCALE[1], SCALE, NOISE - 1e-6])
    covariance = kernel(x, x) + np.diag(NOISE + error**2)
    likelihood = multivariate_normal(cov=covariance).logpdf(y - y.mean())
    prior = norm(objective.start, objective.spread).logpdf(theta).sum()
    constant = norm(0, objective.spread).logpdf(0).sum() - 0.5 * len(y) * np.log(2 * np.pi)
    assert -objective(theta)[0] == pytest.approx(likelihood + prior - constant)


@pytest.mark.parametrize("error", [np.zeros(12), ERROR])
@pytest.mark.parametrize("seed", range(5))
def test_the_gradient_is_that_of_finite_differences(seed: int, error: np.ndarray) -> None:
    x, y = data()
    objective = NegativeLogPosterior(x, y, FEATURE, KernelPrior(), error**2)
    theta = objective.start + np.random.default_rng(seed).normal(size=4)
    expected = approx_fprime(theta, lambda t: objective(t)[0], 1e-6)
    assert objective(theta)[1] == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_a_fit_is_at_a_maximum_of_the_posterior() -> None:
    x, y = data(40)
    process = fit_gaussian_process(x, y, FEATURE)
    objective = NegativeLogPosterior(x, y, FEATURE, KernelPrior(), np.zeros(40))
    inverse = process.inverse_lengthscale
    assert inverse[1] == inverse[2]  # columns of a feature share a lengthscale
    theta = np.log([1 / inverse[0], 1 / inverse[1], process.scale, process.noise - 1e-6])
    value, gradient = objective(theta)
    assert value < objective(objective.start)[0]
    assert np.abs(gradient).max() < 0.05


def test_a_fit_recovers_a_smooth_function() -> None:
    x, y = data(60)
    new, truth = data(200, seed=1)
    mean, std = fit_gaussian_process(x, y, FEATURE).predict(new)
    assert np.corrcoef(mean, truth)[0, 1] > 0.95
    assert (std > 0).all()


def test_a_label_with_an_error_is_believed_less() -> None:
    x, y = data()
    new, _ = data(5, seed=1)
    process = _condition(x, y, INVERSE_LENGTHSCALE, SCALE, NOISE, ERROR**2)
    matern = SCALE * Matern(length_scale=1 / INVERSE_LENGTHSCALE, nu=2.5)
    reference = GaussianProcessRegressor(matern, alpha=NOISE + ERROR**2, optimizer=None)
    expected = reference.fit(x, y - y.mean()).predict(new)
    mean, std = process.predict(new)
    assert mean - y.mean() == pytest.approx(expected)
    without_errors = conditioned(x, y)
    assert std == pytest.approx(without_errors.predict(new)[1])
    fitted = fit_gaussian_process(x, y, FEATURE, error=100.0 * (np.arange(12) == 3))
    assert abs(fitted.alpha[3]) < 1e-3 < np.abs(fitted.alpha).max()


def test_other_labels_at_the_same_inputs_are_those_of_a_new_posterior() -> None:
    x, y = data()
    new, _ = data(5, seed=1)
    other = np.cos(y)
    expected = conditioned(x, other).predict(new)
    np.testing.assert_allclose(conditioned(x, y).relabelled(other).predict(new), expected)


def test_conditioning_on_pending_rows_equals_observing_their_predictions() -> None:
    x, y = data()
    pending, _ = data(3, seed=1)
    new, _ = data(5, seed=2)
    process = conditioned(x, y)
    value = process.predict(pending)[0]
    after = process.condition_on_pending(pending).predict(new)
    observed = solved(
        np.concatenate([x, pending]), np.concatenate([y, value]), new, float(y.mean())
    )
    assert after[0] == pytest.approx(process.predict(new)[0])
    assert after[0] == pytest.approx(observed[0])
    assert after[1] == pytest.approx(observed[1], rel=1e-3)


def test_conditioning_twice_equals_conditioning_on_both() -> None:
    process = conditioned(*data())
    pending, _ = data(4, seed=1)
    twice = process.condition_on_pending(pending[:2]).condition_on_pending(pending[2:])
    both = process.condition_on_pending(pending)
    assert twice.factor == pytest.approx(both.factor)


@pytest.mark.parametrize("y", [np.zeros(1), np.zeros(6), np.ones(6), np.array([0.0, 1.0] * 3)])
def test_repeated_inputs_and_constant_labels_are_no_trouble(y: np.ndarray) -> None:
    x = np.full((len(y), 2), 0.5)
    process = fit_gaussian_process(x, y, np.array([0, 1]))
    mean, std = process.predict(x)
    assert mean == pytest.approx(np.full(len(y), y.mean()), abs=1e-6)
    assert np.isfinite(std).all()


def test_the_order_of_the_rows_does_not_matter() -> None:
    x, y = data(20)
    new, _ = data(5, seed=1)
    a = fit_gaussian_process(x, y, FEATURE).predict(new)[0]
    b = fit_gaussian_process(x[::-1], y[::-1], FEATURE).predict(new)[0]
    assert a == pytest.approx(b, abs=1e-2)


def test_representative_rows_hold_the_best_half_and_both_ends_of_the_rest() -> None:
    y = np.random.default_rng(0).permutation(100).astype(np.float64)
    kept = np.sort(y[representative_rows(y, 20)])
    assert kept[:10].tolist() == list(range(10))
    assert len(set(kept)) == 20
    assert kept[10] == 10
    assert kept[-1] == 99
    assert representative_rows(y, 100).tolist() == list(range(100))


@pytest.mark.parametrize(("max_rows", "n_rows"), [(1000, 30), (20, 20)])
def test_at_most_so_many_rows_enter_the_posterior_also_when_fewer_are_fitted(
    max_rows: int, n_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hyperparameters, "MAX_FITTED", 10)
    monkeypatch.setattr(gaussian_process, "MAX_ROWS", max_rows)
    x, y = data(30)
    assert len(fit_gaussian_process(x, y, FEATURE).alpha) == n_rows


@pytest.mark.parametrize("name", vars(KernelPrior()))
def test_a_prior_that_is_not_positive_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be positive, but got 0.0"):
        replace(KernelPrior(), **{name: 0.0})


@pytest.mark.parametrize(("n_features", "median"), [(1, 0.8), (4, 1.6), (9, 2.4)])
def test_the_median_lengthscale_grows_with_the_root_of_the_features(
    n_features: int, median: float
) -> None:
    x, y, feature = np.eye(9)[:, :n_features], np.zeros(9), np.arange(n_features)
    start = NegativeLogPosterior(x, y, feature, KernelPrior(), np.zeros(9)).start
    assert np.exp(start) == pytest.approx([*[median] * n_features, 1.0, 0.05])
