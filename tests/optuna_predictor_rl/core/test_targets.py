from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, zscore
from sklearn.preprocessing import QuantileTransformer

from optuna_predictor_rl.core.targets import (
    TARGETS,
    clipped_target,
    feasible_rank,
    log_target,
    rank_target,
    signed_target,
    standard_target,
    target_errors,
    transformed,
)
from tests.optuna_predictor_rl.core.strategies import FINITE, lawful

every_target = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
Target = Callable[[np.ndarray], np.ndarray]


@every_target
@lawful
@given(st.lists(FINITE, max_size=12))
def test_a_target_keeps_the_order_and_is_finite(target: Target, labels: list[float]) -> None:
    y = np.asarray(labels, dtype=np.float64)
    found = target(y)
    assert found.shape == y.shape
    assert np.isfinite(found).all()
    assert (np.diff(found[np.argsort(y, kind="stable")]) >= 0).all()


@every_target
@pytest.mark.parametrize("y", [[], [3.0], [2.0, 2.0, 2.0], [0.0] * 4, [1e308] * 3])
def test_constant_labels_become_zeros(target: Target, y: list[float]) -> None:
    assert target(np.asarray(y, dtype=np.float64)).tolist() == [0.0] * len(y)


@every_target
@pytest.mark.parametrize("huge", [1e308, 1.7e308])
def test_huge_labels_do_not_overflow(target: Target, huge: float) -> None:
    for y in ([huge, -huge], [huge, -huge, 0.0, 3.0], [huge, 1.0, 2.0, 3.0]):
        found = target(np.asarray(y))
        assert np.isfinite(found).all()
        assert found[0] == found.max() > found.min()


@every_target
def test_a_target_does_not_depend_on_the_unit(target: Target) -> None:
    y = np.random.default_rng(0).normal(size=30)
    assert target(1e-3 * y) == pytest.approx(target(y))


def test_the_standard_target_is_the_z_score() -> None:
    y = np.random.default_rng(0).gamma(1.0, size=50)
    assert standard_target(y) == pytest.approx(zscore(y))


def test_the_rank_target_has_the_normal_quantiles_of_the_ranks() -> None:
    y = np.array([30.0, 10.0, 20.0, 20.0])
    middle = norm.ppf([3.5 / 4, 0.5 / 4, 2.0 / 4, 2.0 / 4])
    assert rank_target(y) == pytest.approx(middle)


def test_the_rank_target_is_nearly_the_normal_quantile_transform() -> None:
    y = np.random.default_rng(0).exponential(size=400)
    transform = QuantileTransformer(n_quantiles=400, output_distribution="normal")
    inner = np.argsort(y)[20:-20]
    found = transform.fit_transform(y[:, None])[:, 0]
    assert rank_target(y)[inner] == pytest.approx(found[inner], abs=0.03)


def test_how_bad_the_worst_tenth_is_teaches_the_clipped_target_nothing() -> None:
    y = np.arange(21.0)
    awful = np.where(y > 18.0, 1e6 * y, y)
    assert clipped_target(awful) == pytest.approx(clipped_target(y))


@pytest.mark.parametrize("n", [10, 20, 21])
def test_labels_are_clipped_at_the_ninth_decile(n: int) -> None:
    y = np.random.default_rng(0).permutation(n) ** 2.0
    expected = np.minimum(y, np.quantile(y, 0.9, method="lower"))
    assert clipped_target(y) == pytest.approx(zscore(expected))


def test_the_log_target_is_the_logarithm_of_the_distance_to_the_best() -> None:
    y = np.array([1.0, 2.0, 5.0, 9.0, 101.0])
    assert log_target(y) == pytest.approx(zscore(np.log(0.1 + (y - 1.0) / 4.0)))


@lawful
@given(st.lists(FINITE, max_size=12))
def test_a_constraints_target_keeps_order_and_sign_and_is_finite(values: list[float]) -> None:
    y = np.asarray(values, dtype=np.float64)
    found = signed_target(y)
    assert np.isfinite(found).all()
    assert (np.diff(found[np.argsort(y, kind="stable")]) >= 0).all()
    assert (found[y <= 0] <= 0).all()
    assert (found[y >= 0] >= 0).all()


def test_an_outlier_does_not_flatten_the_values_around_zero() -> None:
    y = np.linspace(-1.0, 1.0, 21)
    with_outlier = signed_target(np.append(y, 1e9))
    assert np.ptp(with_outlier[:-1]) > 0.3 * np.ptp(signed_target(y))


@pytest.mark.parametrize(
    ("values", "share"),
    [([-1, 0, 1, 2], 0.5), ([-1, 1, 2, 3], 0.25), ([1, 2], 0.5 / 3), ([-2, -1], 2.5 / 3)],
)
def test_zero_lies_at_the_quantile_of_the_feasible_share(
    values: list[float], share: float
) -> None:
    assert feasible_rank(np.asarray(values, dtype=np.float64)) == pytest.approx(norm.ppf(share))


def test_errors_of_a_straight_target_are_divided_as_the_labels_are() -> None:
    labels = np.arange(11.0)[:, None] * [1.0, 100.0]
    errors = np.full_like(labels, 0.5)
    found = target_errors(labels, transformed(labels, standard_target), errors)
    assert found[5] == pytest.approx(errors[5] / labels.std(0))


def test_errors_of_bent_targets_are_larger_where_the_target_is_steep() -> None:
    labels = np.linspace(0.0, 10.0, 21)[:, None]
    errors = np.full_like(labels, 0.5)
    found = target_errors(labels, transformed(labels, log_target), errors)[:, 0]
    assert found[1] > 3 * found[15] > 0


def test_missing_labels_and_exact_ones_have_no_error() -> None:
    labels = np.array([[1.0, 5.0], [np.nan, 6.0], [3.0, 7.0]])
    errors = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 0.0]])
    found = target_errors(labels, transformed(labels, standard_target), errors)
    assert found[[0, 1], 0].tolist() == [0.0, 0.0]
    assert found[2, 0] > 0
    assert not found[:, 1].any()


@every_target
@pytest.mark.parametrize(("offset", "scale"), [(1e9, 1.0), (-1e9, 1.0), (1e4, 1e-4), (2.0**40, 1)])
def test_a_large_offset_changes_no_target(target: Target, offset: float, scale: float) -> None:
    y = np.random.default_rng(0).exponential(size=20)
    y = ((offset + scale * y) - offset) / scale  # what the offset's floats can hold of it
    assert target(offset + scale * y) == pytest.approx(target(y), abs=1e-6)


@every_target
def test_labels_that_differ_by_rounding_errors_are_not_spread_out(target: Target) -> None:
    if target is not rank_target:
        assert target(np.array([0.3, 0.1 + 0.2, 0.3])).tolist() == [0.0, 0.0, 0.0]
