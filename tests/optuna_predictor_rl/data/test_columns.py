"""Columns without infinite numbers."""

from math import inf, nan

import numpy as np

from optuna_predictor_rl.data.columns import finite


def test_infinite_numbers_become_the_finite_ends_of_their_column() -> None:
    columns = np.array([[inf, nan, inf], [1.0, -inf, nan], [3.0, 2.0, -inf]])
    expected = [[3.0, nan, 0.0], [1.0, 2.0, nan], [3.0, 2.0, 0.0]]
    assert np.array_equal(finite(columns), expected, equal_nan=True)


def test_nothing_is_nothing() -> None:
    assert finite(np.empty((4, 0))).shape == (4, 0)
