import itertools

import numpy as np
import pytest
import scipy

from optuna_predictor_rl.fidelity.rung_model import RungModel
from optuna_predictor_rl.fidelity.rung_rule import (
    AGREEMENT_QUANTILE,
    MIN_AGREEMENT,
    PRIOR_COMPARISONS,
    Standing,
    is_open,
)
from optuna_predictor_rl.fidelity.rung_table import Rungs, RungTable


def opened_by_hand(here: np.ndarray, later: np.ndarray) -> bool:
    """Go through all pairs, each at the latest step to which both came."""
    agree = differ = 0
    came_on = [i for i in range(len(here)) if not np.isnan(later[i]).all()]
    for i, j in itertools.combinations(came_on, 2):
        both = [k for k in range(later.shape[1]) if not np.isnan(later[[i, j], k]).any()]
        if both:
            product = (here[i] - here[j]) * (later[i, both[-1]] - later[j, both[-1]])
            agree, differ = agree + (product > 0), differ + (product < 0)
    share = agree / (agree + differ)
    n = len(came_on) - 1
    a, b = PRIOR_COMPARISONS
    belief = scipy.stats.beta(a + n * share, b + n * (1 - share))
    return bool(belief.ppf(AGREEMENT_QUANTILE) >= MIN_AGREEMENT)


@pytest.mark.parametrize("seed", range(8))
def test_a_rung_is_open_if_pairs_agree_at_the_latest_step_of_both(seed):
    rng = np.random.default_rng(seed)
    here = rng.normal(size=12)
    later = (rng.uniform(-2, 1) * here)[:, None] + rng.normal(size=(12, 2))
    later[6:, 1] = np.nan
    later[10:, 0] = np.nan
    assert is_open(here, later) == opened_by_hand(here, later)


def test_three_that_agree_open_a_rung_and_crossing_curves_close_it():
    here = np.array([1.0, 2.0, 3.0])
    assert is_open(here, here[:, None])
    here = np.arange(10.0)
    assert not is_open(here, -here[:, None])
    assert not is_open(np.array([1.0]), np.array([[1.0]]))


def standing(values: np.ndarray, own: float) -> Standing:
    """A trial at the first of one rung and the end, beside others."""
    rungs = Rungs(steps=np.array([1.0]), grid=np.array([1.0]), end=4.0, start=0.0)
    table = RungTable(rungs, [], values, {})
    return Standing(table, RungModel(values, [0]), np.array([own, np.nan]), 0, None)


def parallel(n: int) -> np.ndarray:
    """Others that gain 1, the first eight of which trained to the end."""
    first = np.arange(float(n))
    return np.stack([first, np.where(first < 8, first - 1.0, np.nan)], axis=1)


@pytest.mark.parametrize(("own", "stops"), [(-9.0, False), (5.5, True), (19.0, True)])
def test_a_trial_stops_behind_a_quarter_of_the_others(own, stops):
    assert standing(parallel(20), own).stops() == stops


def test_the_first_of_those_behind_the_best_quarter_stops():
    values = parallel(20)
    assert not standing(values, 3.5)._is_behind()  # 4 of 20 are ahead
    assert standing(values, 4.5)._is_behind()


def test_a_repeat_of_the_best_stops_where_values_tell_the_end():
    first = np.random.default_rng(0).normal(size=300)
    values = np.stack([first, 0.9 * first], axis=1)
    best = float(first.min())
    assert not standing(values, best)._is_behind()
    assert standing(values, best).stops()
    assert not standing(values, best - 1.0).stops()
