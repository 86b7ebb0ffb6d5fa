"""The probability of success follows the outcomes, and no more than they tell."""

import numpy as np
import pytest
import scipy
from numpy import ndarray

from optuna_predictor_rl.core.decisions import Categorical, Numeric
from optuna_predictor_rl.core.encoding import Encoding
from optuna_predictor_rl.core.predictor.success import SuccessModel, _held_out, fit_success
from optuna_predictor_rl.core.space import SearchSpace

PLANE = SearchSpace((Numeric(name="x", low=0.0, high=1.0), Numeric(name="y", low=0.0, high=1.0)))


def fitted(rows: ndarray, succeeded: ndarray) -> SuccessModel:
    return fit_success(Encoding(PLANE), rows, succeeded)


def probability(model: SuccessModel, *rows: list[float]) -> ndarray:
    return np.exp(model.log_probability(np.array(rows)))


def test_a_boundary_is_learned() -> None:
    rows = np.random.default_rng(0).random((40, 2))
    model = fitted(rows, rows.sum(1) < 1.0)
    inside, edge, outside = probability(model, [0.2, 0.2], [0.5, 0.5], [0.8, 0.8])
    assert inside > 0.9
    assert 0.1 < edge < 0.9
    assert outside < 0.1


def test_probabilities_are_calibrated_on_trials_that_the_model_has_not_seen() -> None:
    p, outcome = np.empty(0), np.empty(0, dtype=bool)
    for seed in range(12):  # each boundary that is learned errs to one side
        rng = np.random.default_rng(seed)
        rows, new = rng.random((40, 2)), rng.random((500, 2))
        model = fitted(rows, rows.sum(1) < 1.1)
        p = np.append(p, np.exp(model.log_probability(new)))
        outcome = np.append(outcome, new.sum(1) < 1.1)
    for low, high in [(0.0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.0)]:
        within = (p >= low) & (p <= high)
        assert within.sum() > 100
        assert abs(p[within].mean() - outcome[within].mean()) < 0.15
    assert -np.log(np.where(outcome, p, 1.0 - p)).mean() < 0.25  # .69 knows nothing


def test_one_failure_far_from_others_says_little_about_its_place() -> None:
    rows = np.random.default_rng(2).random((30, 2))
    succeeded = np.arange(30) != 7
    model = fitted(rows, succeeded)
    assert np.exp(model.log_probability(rows)).min() > 0.6


def test_failures_that_strike_anywhere_leave_the_probability_nearly_the_same_everywhere() -> None:
    rng = np.random.default_rng(3)
    rows = rng.random((80, 2))
    model = fitted(rows, rng.random(80) > 0.1)
    p = np.exp(model.log_probability(rng.random((500, 2))))
    assert p.std() < 0.1
    assert 0.8 < p.mean() < 1.0


def test_where_all_failed_no_place_is_expected_to_succeed() -> None:
    rows = np.random.default_rng(4).random((6, 2))
    p = np.exp(fitted(rows, np.zeros(6, dtype=bool)).log_probability(rows))
    assert p.max() < 0.5


def test_choices_that_fail_are_told_apart() -> None:
    space = SearchSpace((Categorical(name="kind", choices=("a", "b", "c")), *PLANE.decisions))
    rng = np.random.default_rng(5)
    rows = np.column_stack([rng.integers(3, size=40), rng.random((40, 2))]).astype(float)
    model = fit_success(Encoding(space), rows, rows[:, 0] != 1.0)
    a, b, c = probability(model, *([kind, 0.5, 0.5] for kind in (0.0, 1.0, 2.0)))
    assert min(a, c) > 0.9
    assert b < 0.1


def test_held_out_outcomes_are_those_of_a_process_without_the_trial() -> None:
    rows = np.random.default_rng(6).random((12, 2))
    process = fitted(rows, rows[:, 0] < 0.5).process
    y, mean, std = _held_out(process)
    scaled = process.x * process.inverse_lengthscale
    r = np.sqrt(5.0) * scipy.spatial.distance.cdist(scaled, scaled)
    kernel = process.scale * (1 + r + r**2 / 3) * np.exp(-r) + process.noise * np.eye(12)
    assert np.unique(y.round(9)).size == 2
    assert y.std() == pytest.approx(1.0)  # as the priors of the process expect
    for i in range(12):
        rest = np.arange(12) != i
        weights = np.linalg.solve(kernel[np.ix_(rest, rest)], kernel[rest, i])
        assert mean[i] == pytest.approx(process.mean + weights @ (y[rest] - process.mean))
        assert std[i] ** 2 == pytest.approx(kernel[i, i] - weights @ kernel[rest, i])


def test_the_probability_is_that_of_the_calibrated_regression() -> None:
    rows = np.random.default_rng(7).random((20, 2))
    model = fitted(rows, rows[:, 0] < 0.6)
    mean, std = model.process.predict(Encoding(PLANE)(rows))
    variance = std**2 + model.process.noise
    score = (model.slope * mean + model.offset) / np.sqrt(1 + model.slope**2 * variance)
    expected = scipy.stats.norm.cdf(score)
    assert np.exp(model.log_probability(rows)) == pytest.approx(expected)
