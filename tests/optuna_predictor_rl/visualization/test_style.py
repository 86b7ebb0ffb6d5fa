import numpy as np
import pytest

from optuna_predictor_rl.visualization.style import log_ticks, thinned, visible_range


def test_thinning_keeps_both_ends_and_spreads_the_rest() -> None:
    assert thinned(5, 10).tolist() == [0, 1, 2, 3, 4]
    assert thinned(9, 3).tolist() == [0, 4, 8]


def test_one_bad_value_does_not_flatten_the_others_in_either_direction() -> None:
    values = np.array([*np.linspace(0.0, 1.0, 99), 1e6])
    low, high = visible_range(values, 1.0)
    assert -0.2 < low < 0.0
    assert 0.8 < high < 1.2
    assert visible_range(-values, -1.0) == [-high, -low]


def test_what_must_be_seen_is_seen() -> None:
    low, high = visible_range(np.linspace(0.0, 1.0, 10), 1.0, must=[np.array([-5.0, 7.0])])
    assert low < -5.0
    assert high > 7.0


def test_equal_values_have_an_axis_around_them() -> None:
    assert visible_range(np.full(3, 2.0), 1.0) == [1.0, 3.0]


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (5e4, 2e6, [5e4, 1e5, 2e5, 5e5, 1e6, 2e6]),
        (3.0, 40.0, [2.0, 5.0, 10.0, 20.0, 50.0]),
        (1.0, 1000.0, [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]),
        (1e-9, 1e9, [1e-9, 1e-6, 1e-3, 1.0, 1e3, 1e6, 1e9]),
        (2e-3, 30.0, [1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0]),
    ],
)
def test_ticks_of_a_logarithmic_axis_are_round_and_few(
    low: float, high: float, ticks: list[float]
) -> None:
    assert log_ticks(low, high) == pytest.approx(ticks)
