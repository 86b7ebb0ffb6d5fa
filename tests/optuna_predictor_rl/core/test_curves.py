import itertools
import math
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_equal
from scipy.stats import kendalltau, linregress

from optuna_predictor_rl.core.curves import (
    AXES,
    Curve,
    LabelFit,
    choose_fit,
    extrapolate,
    kendall_tau,
    rank_correlation_by_cutoff,
)
from optuna_predictor_rl.core.curves.correlation import bootstrap_tau
from optuna_predictor_rl.core.curves.extrapolation import check_fit

axes = st.sampled_from(sorted(AXES))
levels = st.floats(-100, 100)
laws = settings(deadline=None, derandomize=True, max_examples=40)
FALLING = [{step: 1.0 + rate / step for step in range(1, 21)} for rate in range(1, 9)]


def crossing_curves(seed: int, n: int = 12, length: int = 20) -> list[dict[int, float]]:
    """Lines that start in one order and end in another."""
    rng = np.random.default_rng(seed)
    starts, slopes = rng.normal(size=n), rng.normal(size=n) / length
    return [
        {step: float(starts[i] + slopes[i] * step) for step in range(length)} for i in range(n)
    ]


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
    axis=st.sampled_from(["linear", "log"]),
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


@pytest.mark.parametrize("axis", ["linear", "log"])
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
    ("axis", "shape"),
    [("power", lambda u: u**-0.7), ("exponential", lambda u: np.exp(-2.0 * u))],
)
def test_a_curve_of_a_known_shape_is_extended_by_its_axis(axis, shape):
    steps = np.arange(1, 41)
    values = 0.4 + 0.3 * shape(steps / 20)
    result = extrapolate(steps[:20], values[:20], delta=20, axis=axis)
    assert_allclose(result.value, values[-1], atol=1e-3)
    assert_allclose(result.slope, np.gradient(values)[19], rtol=0.02)


def test_the_better_of_two_fits_is_chosen_and_the_first_on_a_tie():
    curves = [Curve.of(curve) for curve in crossing_curves(seed=5)]
    finals = np.array([curve.values[-1] for curve in curves])
    raw, line = LabelFit(extrapolate_by=0.0), LabelFit(extrapolate_by=20.0, axis="linear")
    options = {"cutoffs": np.array([4.0, 8.0]), "worst": math.inf}
    assert choose_fit(curves, finals, [raw, line], **options) == line
    assert choose_fit(curves, finals, [line, raw], **options) == line
    again = LabelFit(extrapolate_by=21.0, axis="linear")
    assert choose_fit(curves, finals, [line, again], **options) == line


def test_noisy_pilots_choose_a_smoother_fit_than_clean_ones():
    rng = np.random.default_rng(0)
    levels, falls = rng.normal(size=(2, 12))
    steps = np.arange(1, 41)
    clean = levels[:, None] + falls[:, None] / steps
    noisy = clean + 0.5 * rng.normal(size=clean.shape)
    chosen = [
        choose_fit(
            [Curve.from_arrays(steps.astype(float), values) for values in curves],
            clean[:, -1],
            LabelFit().alternatives(),
            cutoffs=np.array([10.0, 15.0, 20.0, 25.0, 30.0]),
            worst=math.inf,
        )
        for curves in (clean, noisy)
    ]
    assert not chosen[0].smooth
    assert chosen[1].smooth


@pytest.mark.parametrize(
    ("steps", "values", "options", "message"),
    [
        (
            [1, 2],
            [0.1, 0.2],
            {"delta": -1.0},
            r"delta must be finite and not negative, but got -1",
        ),
        (
            [1, 2],
            [0.1, 0.2],
            {"delta": 1.0, "n_fit_points": 1},
            r"n_fit_points must be at least 2",
        ),
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
    with pytest.raises(
        ValueError, match=r"axis must be one of \['exponential', .*\], but got 'cubic'"
    ):
        check_fit(n_fit_points=5, axis="cubic", shrink=0)


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


def test_tau_at_each_cutoff_is_that_of_the_values_there():
    curves = crossing_curves(seed=0)
    table = rank_correlation_by_cutoff(curves, fit=LabelFit(extrapolate_by=0.5, axis="linear"))
    finals = [curve[19] for curve in curves]
    for i in (3, 10, 19):
        raw = [curve[i] for curve in curves]
        label = [curve[i] + (curve[1] - curve[0]) * min(0.5 * i, 19 - i) for curve in curves]
        assert_allclose(table.raw.tau[i], kendalltau(raw, finals).statistic)
        assert_allclose(table.label.tau[i], kendalltau(label, finals).statistic)


def test_the_whole_training_ranks_like_itself():
    table = rank_correlation_by_cutoff(crossing_curves(seed=1))
    assert table.raw[-1] == table.label[-1] == (1.0, 1.0, 1.0)


def test_straight_curves_rank_right_as_soon_as_the_line_reaches_their_end():
    table = rank_correlation_by_cutoff(
        crossing_curves(seed=2), fit=LabelFit(extrapolate_by=20.0, axis="linear")
    )
    assert_allclose(table.label.tau[1:], 1.0)
    assert table.raw.tau[1] < 1
    assert table.recommend(0.9) == 1


@laws
@given(seed=st.integers(0, 999))
def test_tau_lies_in_its_interval_and_more_confidence_widens_it(seed):
    narrow, wide = (
        rank_correlation_by_cutoff(
            crossing_curves(seed, n=8), cutoffs=[5], confidence=confidence, n_resamples=200
        ).raw
        for confidence in (0.5, 0.99)
    )
    assert wide.low[0] <= narrow.low[0] <= narrow.high[0] <= wide.high[0]
    assert wide.low[0] <= narrow.tau[0] <= wide.high[0]


@settings(laws, max_examples=15)
@given(seed=st.integers(0, 999), minimum=st.floats(0.05, 1))
def test_the_recommended_cutoff_is_the_earliest_that_keeps_the_wanted_tau_twice(seed, minimum):
    table = rank_correlation_by_cutoff(crossing_curves(seed), n_resamples=50)
    cutoff = table.recommend(minimum)
    keeps = list(table.label.low >= minimum)
    twice = [i for i in range(len(keeps) - 1) if keeps[i] and keeps[i + 1]]
    assert cutoff == (table.cutoffs[twice[0]] if twice else None)


def test_a_stricter_tau_never_stops_earlier():
    table = rank_correlation_by_cutoff(crossing_curves(seed=3))
    cutoffs = [table.recommend(minimum) for minimum in np.linspace(0.05, 1, 20)]
    found = [cutoff for cutoff in cutoffs if cutoff is not None]
    assert found == sorted(found)
    assert cutoffs[: len(found)] == found


def test_equal_curves_give_an_equal_table():
    one, other = (rank_correlation_by_cutoff(crossing_curves(seed=4)) for _ in range(2))
    assert (one.label.low == other.label.low).all()
    assert (one.label.high == other.label.high).all()


def test_no_cutoff_is_recommended_among_curves_with_one_final_value():
    table = rank_correlation_by_cutoff([{1: float(i), 2: 0.5, 3: 0.5} for i in range(5)])
    assert np.isnan(table.label.tau).all()
    assert table.recommend(0.1) is None


def test_curves_of_different_grids_are_compared_at_what_each_has_reported_by_then():
    curves = [{2: 3.0, 4: 3.0}, {1: 2.0, 5: 2.0}, {3: 1.0, 6: 1.0}, {1: 0.0, 2: 0.0}]
    table = rank_correlation_by_cutoff(curves)
    assert list(table.cutoffs) == [1, 2, 3, 4, 5, 6]
    assert list(table.n_curves) == [2, 3, 4, 4, 4, 4]
    assert_allclose(table.raw.tau, 1.0)
    assert table.recommend(0.9) == 3  # not before every curve has a value


@pytest.mark.parametrize(("direction", "expected"), [("minimize", 1.0), ("maximize", -1.0)])
def test_a_curve_that_ends_in_nan_ranks_worst(direction, expected):
    diverged = {1: 0.5} | dict.fromkeys(range(2, 6), math.nan)
    curves = [dict.fromkeys(range(1, 6), 0.1), dict.fromkeys(range(1, 6), 0.2), diverged]
    table = rank_correlation_by_cutoff(curves, finals=[1.0, 2.0, 3.0], direction=direction)
    assert table.raw.tau[0] == 1.0  # before it diverged, 0.5 was seen
    worst_last = kendalltau([1, 2, 3 * expected], [1, 2, 3]).statistic
    assert_allclose(table.raw.tau[-1], worst_last)


def test_a_missing_step_is_bridged():
    curves = [dict(curve) for curve in FALLING]
    curves[2][10] = math.nan
    table = rank_correlation_by_cutoff(curves)
    assert_allclose(table.raw.tau, 1.0)


@pytest.mark.parametrize(
    ("curves", "options", "message"),
    [
        (FALLING[:2], {}, r"curves must hold at least 3 curves, but got 2"),
        (FALLING, {"cutoffs": []}, r"cutoffs must hold at least one step, but got none"),
        (FALLING, {"confidence": 1.0}, r"confidence must be between 0 and 1, but got 1.0"),
        (FALLING, {"finals": [1.0]}, r"finals must have one value a curve \(8\), but got 1"),
    ],
)
def test_bad_arguments_of_the_table_are_refused(curves, options, message):
    with pytest.raises(ValueError, match=message):
        rank_correlation_by_cutoff(curves, **options)


def test_a_curve_has_diverged_only_when_it_ends_in_three_missing_values():
    assert not Curve.of({1: 1.0, 2: math.nan, 3: math.nan}).diverged
    assert Curve.of({1: 1.0, 2: math.nan, 3: math.inf, 4: math.nan}).diverged
    assert Curve.of({1: math.nan}).diverged
    assert not Curve.of({1: math.nan, 2: math.nan, 3: math.nan, 4: 1.0}).diverged
