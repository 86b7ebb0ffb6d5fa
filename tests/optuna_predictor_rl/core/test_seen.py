"""Which rows are configurations that trials have had."""

import math

import numpy as np

from optuna_predictor_rl.core.seen import Seen


def test_a_row_is_seen_if_a_trial_agrees_in_all_its_active_decisions() -> None:
    nan = math.nan
    rows = np.array([[0.1, nan, 0.3], [0.2, nan, 0.3], [0.5, 0.5, 0.5]])
    tried = np.array([[0.1, 0.7, 0.3], [0.1, nan, 0.3], [0.2, 0.7, 0.3], [0.2, nan, 0.3]])
    seen = Seen(rows, np.array([True, False, True]))
    assert seen(tried).tolist() == [True, True, False, True]
    assert Seen(rows[:0], np.zeros(0, dtype=bool))(tried).tolist() == [False] * 4
