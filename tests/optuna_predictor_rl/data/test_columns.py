"""Columns without infinite numbers."""

from math import inf, nan

import numpy as np
from optuna.trial import create_trial

from optuna_predictor_rl.data.columns import constraint_columns, finite, finite_constraints
from tests.optuna_predictor_rl.trials import SPACE


def test_infinite_numbers_become_the_finite_ends_of_their_column() -> None:
    columns = np.array([[inf, nan, inf], [1.0, -inf, nan], [3.0, 2.0, -inf]])
    expected = [[3.0, nan, 0.0], [1.0, 2.0, nan], [3.0, 2.0, 0.0]]
    assert np.array_equal(finite(columns), expected, equal_nan=True)


def test_nothing_is_nothing() -> None:
    assert finite(np.empty((4, 0))).shape == (4, 0)


def test_an_infinite_constraint_keeps_its_sign() -> None:
    columns = np.array([[inf, inf, -inf, nan], [-3.0, nan, 2.0, -inf], [1.0, nan, nan, nan]])
    expected = [[3.0, 1.0, -2.0, nan], [-3.0, nan, 2.0, -1.0], [1.0, nan, nan, nan]]
    assert np.array_equal(finite_constraints(columns), expected, equal_nan=True)
    assert finite_constraints(np.empty((4, 0))).shape == (4, 0)
    assert finite_constraints(np.empty((0, 2))).shape == (0, 2)


def test_a_constraint_that_is_nan_is_broken_and_one_that_is_missing_is_not() -> None:
    trials = [
        create_trial(value=1.0, params={"x": 0.1}, distributions=SPACE, system_attrs=stored)
        for stored in ({"constraints": (nan, -1.0)}, {"constraints:1": 2.0}, {})
    ]
    expected = [[inf, -1.0], [nan, 2.0], [nan, nan]]
    assert np.array_equal(constraint_columns(trials), expected, equal_nan=True)
