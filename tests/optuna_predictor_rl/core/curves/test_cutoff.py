import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import kendalltau

from optuna_predictor_rl.core.curves import LabelFit, rank_correlation_by_cutoff
from tests.optuna_predictor_rl.core.curves.cases import FALLING, crossing_curves, laws


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
