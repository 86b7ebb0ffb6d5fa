import numpy as np

from optuna_predictor_rl.visualization.style import thinned, visible_range


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
