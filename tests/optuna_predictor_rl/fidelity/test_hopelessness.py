"""The distribution of a final value by the errors of the pilots' labels."""

import numpy as np
import optuna
import pytest
import scipy
from optuna.trial import create_trial

from optuna_predictor_rl.core.curves import Curve
from optuna_predictor_rl.core.curves.cutoff import RAW
from optuna_predictor_rl.fidelity.cutoff_rule import StoppingRule
from optuna_predictor_rl.fidelity.hopelessness import PilotErrors

ERRORS = (0.1, -0.2, 0.4, 0.0)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_trial_is_hopeless_if_the_t_interval_of_its_final_value_is_worse_than_the_median(sign):
    study = optuna.create_study(direction="minimize" if sign > 0 else "maximize")
    finals = [sign * level for level in (1.0, 2.0, 3.0, 4.0)]
    for final, error in zip(finals, ERRORS, strict=True):
        curve = dict.fromkeys(range(1, 9), final - sign * error) | {9: final}
        study.add_trial(create_trial(value=final, intermediate_values=curve))
    rule = StoppingRule(cutoff=6.0, end=9.0, fit=RAW, n_pilots=4)
    errors = PilotErrors(study, rule, study.trials)
    low, _ = scipy.stats.t.interval(
        0.9, df=3, loc=np.mean(ERRORS), scale=np.std(ERRORS, ddof=1) * np.sqrt(1 + 1 / 4)
    )  # so that 95 % of the final values lie above the lower end
    for beyond, hopeless in ((0.01, True), (-0.01, False)):
        level = sign * (2.5 - low + beyond)
        curve = Curve.of(dict.fromkeys(range(1, 4), level))
        assert errors.is_hopeless(study, curve, 0.95) is hopeless


def test_a_curve_without_a_label_is_not_hopeless():
    study = optuna.create_study()
    rule = StoppingRule(cutoff=6.0, end=9.0, fit=RAW, n_pilots=0)
    assert not PilotErrors(study, rule, []).is_hopeless(study, Curve.of({}), 0.95)
