"""Why a trial trains past the cutoff, which are chosen to train in full, which are hopeless."""

import math

import numpy as np
import optuna
import pytest
import scipy
from optuna.trial import TrialState, create_trial

from optuna_predictor_rl import LowFidelityPruner
from optuna_predictor_rl.core.curves import Curve, Extrapolation
from optuna_predictor_rl.core.curves.cutoff import RAW
from optuna_predictor_rl.fidelity.continuation import (
    AtCutoff,
    PilotErrors,
    Reason,
    reason_to_continue,
    trains_in_full,
)
from optuna_predictor_rl.fidelity.cutoff_rule import StoppingRule
from optuna_predictor_rl.study.attributes import FIDELITY, FULL_FIDELITY, LABEL

RULE = StoppingRule(cutoff=4.0, end=12.0, fit=RAW, n_pilots=1)


def at_cutoff(label: float, fall: float = 0.0, stopped: tuple[float, ...] = ()) -> AtCutoff:
    """One full trial ends at 5; the others were stopped at step 6 of 12 with the given labels."""
    study = optuna.create_study()
    study.add_trial(create_trial(value=5.0, intermediate_values={1: 5.0, 12: 5.0}))
    for other in stopped:
        marks = {LABEL: other, FIDELITY: 6}
        study.add_trial(create_trial(state=TrialState.PRUNED, value=9.0, user_attrs=marks))
    curve = Curve.of({step: 9.0 + fall * (4 - step) for step in range(1, 5)})
    expected = Extrapolation(value=label, std=1.0, slope=0.0, step=12.0)
    return AtCutoff(study, RULE, study.trials[:1], curve, expected)


@pytest.mark.parametrize(
    ("trial", "reason"),
    [
        (at_cutoff(6.6), Reason.PROMISING),  # 1.6 standard errors: 5.5 % to be below 5
        (at_cutoff(6.7), None),
        (at_cutoff(9.0, fall=0.51), Reason.STRAIGHT_LINE),  # 8 steps to fall from 9 to 5
        (at_cutoff(9.0, fall=0.49), None),
        (at_cutoff(7.0, stopped=(7.0, 8.0)), Reason.REFRESH),  # which cost a full training
        (at_cutoff(7.0, stopped=(7.0,)), None),
        (at_cutoff(7.5, stopped=(7.0, 8.0)), None),  # not of the best fifth
    ],
)
def test_the_decision_names_its_reason(trial: AtCutoff, reason: Reason | None) -> None:
    assert reason_to_continue(trial, LowFidelityPruner()._settings) is reason
    assert reason_to_continue(trial, LowFidelityPruner(promising=1.0)._settings) is None


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.3, 1.0])
def test_the_chosen_share_is_spread_evenly(fraction: float) -> None:
    trials = [create_trial(value=0.0) for _ in range(100)]
    for number, trial in enumerate(trials):
        trial.number = number
    chosen = [trains_in_full(trial, fraction) for trial in trials]
    for n in range(101):
        assert sum(chosen[:n]) == math.floor(n * fraction)
    assert trains_in_full(create_trial(value=0.0, user_attrs={FULL_FIDELITY: True}), fraction)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_trial_is_hopeless_if_the_t_interval_of_its_final_value_is_worse_than_the_median(sign):
    study = optuna.create_study(direction="minimize" if sign > 0 else "maximize")
    gaps = (0.1, -0.2, 0.4, 0.0)
    finals = [sign * level for level in (1.0, 2.0, 3.0, 4.0)]
    for final, gap in zip(finals, gaps, strict=True):
        curve = dict.fromkeys(range(1, 9), final - sign * gap) | {9: final}
        study.add_trial(create_trial(value=final, intermediate_values=curve))
    rule = StoppingRule(cutoff=6.0, end=9.0, fit=RAW, n_pilots=4)
    errors = PilotErrors(study, rule, study.trials)
    low, _ = scipy.stats.t.interval(
        0.9, df=3, loc=np.mean(gaps), scale=np.std(gaps, ddof=1) * np.sqrt(1 + 1 / 4)
    )  # so that 95 % of the final values lie above the lower end
    for beyond, hopeless in ((0.01, True), (-0.01, False)):
        level = sign * (2.5 - low + beyond)
        curve = Curve.of(dict.fromkeys(range(1, 4), level))
        assert errors.is_hopeless(study, curve, 0.95) is hopeless


def test_a_curve_without_a_label_is_not_hopeless():
    study = optuna.create_study()
    rule = StoppingRule(cutoff=6.0, end=9.0, fit=RAW, n_pilots=0)
    assert not PilotErrors(study, rule, []).is_hopeless(study, Curve.of({}), 0.95)


def test_only_trials_that_were_stopped_after_the_last_full_one_refresh_labels():
    trial = at_cutoff(7.0, stopped=(7.0, 8.0))
    trial.study.add_trial(create_trial(value=5.0, intermediate_values={1: 5.0, 12: 5.0}))
    full = [trial.study.trials[0], trial.study.trials[-1]]
    after = AtCutoff(trial.study, RULE, full, trial.curve, trial.label)
    assert reason_to_continue(after, LowFidelityPruner()._settings) is None
