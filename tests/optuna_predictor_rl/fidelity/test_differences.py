"""What trials come to gain, from numbers worked out by hand."""

import numpy as np
import pytest

from optuna_predictor_rl.core.predictor.gaussian_process import fit_gaussian_process
from optuna_predictor_rl.fidelity.differences import StepDifferences, fit_trend

AHEAD = np.arange(11.0)


def test_the_trend_is_shrunk_as_by_two_more_trials_and_never_negative() -> None:
    assert fit_trend(0.5 * AHEAD, AHEAD) == pytest.approx(0.5 * 11 / 13)
    assert fit_trend(-0.5 * AHEAD, AHEAD) == 0.0


def test_what_lies_ahead_counts_within_the_range_of_full_trials_without_a_tenth() -> None:
    found = StepDifferences.of(0.5 * AHEAD, AHEAD, None)
    trend = 0.5 * 11 / 13
    median = (0.5 - trend) * 5.0
    for ahead, within in ((-100.0, 1.0), (4.0, 4.0), (100.0, 9.0)):
        assert found.expected(ahead, None)[0] == pytest.approx(trend * within + median)


def test_far_from_full_trials_a_difference_has_the_prior_s_deviation_and_the_noise() -> None:
    x = np.random.default_rng(0).random((12, 1))
    process = fit_gaussian_process(x, np.sin(9.0 * x[:, 0]), np.array([0]))
    found = StepDifferences(
        trend=0.0, reach=(0.0, 0.0), median=0.0, spread=0.0, mean=1.0, scale=3.0, process=process
    )
    mean, std = found.expected(0.0, np.full((1, 1), 1e6))
    assert mean == pytest.approx(1.0 + 3.0 * process.mean)
    assert std == pytest.approx(3.0 * np.sqrt(process.scale + process.noise))
