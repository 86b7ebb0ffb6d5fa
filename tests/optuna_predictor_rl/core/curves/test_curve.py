import math

from optuna_predictor_rl.core.curves import Curve


def test_a_curve_has_diverged_only_when_it_ends_in_three_missing_values():
    assert not Curve.of({1: 1.0, 2: math.nan, 3: math.nan}).diverged
    assert Curve.of({1: 1.0, 2: math.nan, 3: math.inf, 4: math.nan}).diverged
    assert Curve.of({1: math.nan}).diverged
    assert not Curve.of({1: math.nan, 2: math.nan, 3: math.nan, 4: 1.0}).diverged
