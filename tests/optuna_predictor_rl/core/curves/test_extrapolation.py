import math
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_equal
from scipy.stats import linregress

from optuna_predictor_rl.core.curves import AXES, Curve, extrapolate
from optuna_predictor_rl.core.curves.extrapolation import check_fit
from tests.optuna_predictor_rl.core.curves.cases import laws, levels

axes = st.sampled_from(sorted(AXES))


@laws
@given(
    start=levels,
    slope=st.floats(-10, 10),
    gaps=st.lists(st.integers(1, 9), min_size=2, max_size=15),
    n_fit_points=st.integers(2, 8),
    delta=st.floats(0, 50),
)
def test_a_straight_curve_is_extended_exactly(start, slope, gaps, n_fit_points, delta):
    steps = np.cumsum(gaps)
    result = extrapolate(
        steps, start + slope * steps, delta=delta, n_fit_points=n_fit_points, axis="linear"
    )
    assert_allclose(result.value, start + slope * (steps[-1] + delta), rtol=1e-7, atol=1e-7)
    assert_allclose(result.slope, slope, rtol=1e-4, atol=1e-6)


@laws
@given(start=levels, slope=st.floats(-10, 10), length=st.integers(3, 15), delta=st.floats(0, 50))
def test_a_curve_straight_in_log_steps_is_extended_exactly_by_the_log_fit(
    start, slope, length, delta
):
    steps = np.arange(1, length + 1)
    result = extrapolate(steps, start + slope * np.log(steps), delta=delta, axis="log")
    assert_allclose(result.value, start + slope * np.log(length + delta), rtol=1e-7, atol=1e-7)
    assert_allclose(result.slope, slope / length, rtol=1e-4, atol=1e-6)


@laws
@given(level=levels, length=st.integers(1, 12), delta=st.floats(0, 50), axis=axes)
def test_a_constant_curve_keeps_its_value(level, length, delta, axis):
    result = extrapolate(range(length), [level] * length, delta=delta, axis=axis)
    assert_allclose(result.value, level, atol=1e-9)


@laws
@given(level=levels, delta=st.floats(0, 50), axis=axes)
def test_a_curve_of_one_point_keeps_its_value_and_knows_no_error(level, delta, axis):
    result = extrapolate([7], [level], delta=delta, axis=axis)
    assert result.value == level
    assert math.isnan(result.std)


@laws
@given(
    values=st.lists(levels, min_size=1, max_size=7),
    gaps=st.sets(st.integers(0, 30)),
    delta=st.floats(0, 9),
    axis=axes,
)
def test_values_that_are_not_finite_are_left_out(values, gaps, delta, axis):
    steps = [step for step in range(60) if step not in gaps][: len(values)]
    with_gaps = dict.fromkeys(sorted(gaps), math.nan) | dict(zip(steps, values, strict=True))
    ordered = sorted(with_gaps)
    whole = extrapolate(ordered, [with_gaps[step] for step in ordered], delta=delta, axis=axis)
    assert_equal(astuple(whole), astuple(extrapolate(steps, values, delta=delta, axis=axis)))


@laws
@given(
    values=st.lists(levels, min_size=3, max_size=12),
    axis=axes,
    scale=st.floats(0.1, 9),
)
def test_the_label_of_a_noisy_curve_follows_the_unit_of_its_values(values, axis, scale):
    steps = range(len(values))
    one = extrapolate(steps, values, delta=2, axis=axis)
    other = extrapolate(steps, [5 - scale * value for value in values], delta=2, axis=axis)
    assert_allclose(other.value, 5 - scale * one.value, rtol=1e-6, atol=1e-6)
    assert_allclose(other.std, scale * one.std, rtol=1e-6, atol=1e-6)


def test_the_slope_is_that_of_scipy_on_the_last_points():
    values = np.random.default_rng(0).normal(size=9)
    line = linregress(np.arange(4, 9), values[4:])
    result = extrapolate(range(9), values, delta=3, n_fit_points=5, axis="linear")
    assert_allclose(result.slope, line.slope, rtol=1e-6)
    assert_allclose(result.value, values[-1] + 3 * line.slope)


@pytest.mark.parametrize("axis", sorted(AXES))
@pytest.mark.parametrize("smooth", [False, True])
def test_the_standard_error_is_the_spread_over_repeated_noise(axis, smooth):
    rng, steps = np.random.default_rng(0), np.arange(1, 11)
    noisy = rng.normal(scale=0.3, size=(2000, 10))
    results = [
        extrapolate(steps, values, delta=4, n_fit_points=8, axis=axis, smooth=smooth)
        for values in noisy
    ]
    spread = np.std([result.value for result in results])
    assert_allclose(np.sqrt(np.mean([result.std**2 for result in results])), spread, rtol=0.05)


@laws
@given(values=st.lists(levels, min_size=3, max_size=9), shrink=st.floats(0, 100))
def test_a_slope_is_shrunk_by_its_distance_from_zero_in_standard_errors(values, shrink):
    n = len(values)
    line = linregress(np.arange(n), values)
    result = extrapolate(range(n), values, delta=4, n_fit_points=n, shrink=shrink)
    kept = 1.0
    if shrink > 0 and line.slope != 0:
        kept = max(0.0, 1.0 - shrink * line.stderr**2 / line.slope**2)
    assert_allclose(result.slope, kept * line.slope, atol=1e-5)
    assert_allclose(result.value, values[-1] + 4 * kept * line.slope, atol=1e-4)


@pytest.mark.parametrize("axis", sorted(AXES))
def test_a_smooth_label_at_the_end_is_the_line_there(axis):
    values = np.random.default_rng(0).normal(size=12)
    result = extrapolate(range(12), values, delta=0, n_fit_points=7, axis=axis, smooth=True)
    u = AXES[axis](Curve.of(dict(enumerate(values)))).of(np.arange(5.0, 12.0))
    assert_allclose(result.value, np.polyval(np.polyfit(u, values[5:], 1), u[-1]))


@pytest.mark.parametrize(
    ("steps", "values", "options", "message"),
    [
        ([1, 2], [0.1, 0.2], {"delta": -1.0}, r"delta must be finite and not neg.*, but got -1"),
        ([1, 2], [0.1, 0.2], {"delta": 1.0, "n_fit_points": 1}, r"points must be at least 2"),
        ([1, 2], [0.1, 0.2], {"delta": 1.0, "shrink": -1}, r"shrink must be finite and not neg"),
        ([1, 2], [math.nan] * 2, {"delta": 1.0}, r"values must hold at least one finite value"),
        ([2, 1], [0.1, 0.2], {"delta": 1.0}, r"steps must grow strictly"),
        ([1, math.inf], [0.1, 0.2], {"delta": 1.0}, r"steps must be finite"),
        ([1, 2, 3], [0.1, 0.2], {"delta": 1.0}, r"of one length, but got the shapes"),
    ],
)
def test_a_bad_curve_is_refused(steps, values, options, message):
    with pytest.raises(ValueError, match=message):
        extrapolate(steps, values, **options)


def test_an_unknown_axis_is_refused():
    with pytest.raises(ValueError, match=r"axis must be one of \['linear', 'log'\], but got 'cu"):
        check_fit(n_fit_points=5, axis="cubic", shrink=0)
