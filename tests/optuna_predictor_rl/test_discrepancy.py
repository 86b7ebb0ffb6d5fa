"""What labels miss: the reports stay flat, and final values differ from them by a known amount."""

import numpy as np
import optuna
import pytest
from numpy.testing import assert_allclose
from optuna.trial import FrozenTrial, TrialState, create_trial

from optuna_predictor_rl.core.curves.cutoff import RAW
from optuna_predictor_rl.discrepancy import MIN_FULL, expected_discrepancy
from optuna_predictor_rl.distributions import to_space
from optuna_predictor_rl.history import read_history
from optuna_predictor_rl.labels import FIDELITY, LABEL
from optuna_predictor_rl.rules import RULE
from optuna_predictor_rl.stopping import StoppingRule
from tests.optuna_predictor_rl.trials import SPACE, UNIT

CUTOFF, END = 4, 12
RULE_OF_LAST_VALUES = StoppingRule(cutoff=4.0, end=12.0, fit=RAW, n_pilots=9)
FLAT = 5.0


def full(x: float, gap: float) -> FrozenTrial:
    """Flat up to the cutoff and beyond, but for the last report."""
    curve = dict.fromkeys(range(1, END), FLAT) | {END: FLAT + gap}
    return create_trial(
        value=FLAT + gap, params={"x": x}, distributions={"x": UNIT}, intermediate_values=curve
    )


def stopped(x: float, step: int = CUTOFF, state: TrialState = TrialState.PRUNED) -> FrozenTrial:
    marks = {} if state == TrialState.RUNNING else {LABEL: FLAT, FIDELITY: step}
    return create_trial(
        state=state,
        value=None if state == TrialState.RUNNING else FLAT,
        params={"x": x},
        distributions={"x": UNIT},
        intermediate_values=dict.fromkeys(range(1, step + 1), FLAT),
        user_attrs=marks,
    )


def expected(
    trials: list[FrozenTrial], rule: StoppingRule | None = RULE_OF_LAST_VALUES
) -> np.ndarray:
    space = to_space(SPACE)
    rows = space.rows([trial.params for trial in trials])
    return expected_discrepancy(rule, trials, space, rows)


def test_a_difference_that_depends_on_the_parameters_is_learned_from_full_trials():
    known = [full(x, gap=2.0 * x) for x in np.linspace(0.0, 1.0, 11).tolist()]
    asked = np.array([0.15, 0.45, 0.85])
    found = expected([*known, *(stopped(x) for x in asked)])
    assert (found[:11] == 0.0).all()  # a full value is the final value
    assert_allclose(found[11:], 2.0 * asked, atol=0.1)


def test_a_difference_that_is_the_same_everywhere_is_added_as_it_is():
    known = [full(x, gap=0.5) for x in np.linspace(0.0, 1.0, MIN_FULL).tolist()]
    assert_allclose(expected([*known, stopped(0.3)])[-1], 0.5)


@pytest.mark.parametrize(("step", "share"), [(4, 1.0), (6, 0.5), (8, 0.25)])
def test_past_the_cutoff_less_of_it_is_left(step, share):
    known = [full(x, gap=0.5) for x in np.linspace(0.0, 1.0, MIN_FULL).tolist()]
    assert_allclose(expected([*known, stopped(0.3, step)])[-1], 0.5 * share)


def test_a_running_trial_misses_what_a_stopped_one_does():
    known = [full(x, gap=2.0 * x) for x in np.linspace(0.0, 1.0, 11).tolist()]
    found = expected([*known, stopped(0.3), stopped(0.3, state=TrialState.RUNNING)])
    assert found[-1] == found[-2] != 0.0


def test_nothing_is_learned_without_a_rule_a_cutoff_or_enough_full_trials():
    known = [full(x, gap=0.5) for x in np.linspace(0.0, 1.0, MIN_FULL).tolist()]
    trials = [*known, stopped(0.3)]
    endless = StoppingRule(cutoff=None, end=12.0, fit=RAW)
    assert not expected(trials, None).any()
    assert not expected(trials, endless).any()
    assert not expected(trials[1:]).any()


def test_one_diverged_full_trial_changes_little():
    known = [full(x, gap=2.0 * x) for x in np.linspace(0.0, 1.0, 21).tolist()]
    known[10] = full(0.5, gap=1e6)
    found = expected([*known, stopped(0.2), stopped(0.8)])
    assert_allclose(found[-2:], [0.4, 1.6], atol=0.4)


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_the_history_corrects_labels_in_the_direction_of_the_study(direction):
    sign = 1.0 if direction == "minimize" else -1.0
    study = optuna.create_study(direction=direction)
    study.set_user_attr(f"{RULE}5", RULE_OF_LAST_VALUES.to_json())
    known = [full(x, gap=0.5) for x in np.linspace(0.0, 1.0, MIN_FULL).tolist()]
    study.add_trials([*known, stopped(0.3)])
    labels = read_history(study, SPACE).labels
    assert_allclose(labels[:, 0], sign * (FLAT + 0.5))
