import math

import numpy as np
import pytest
from optuna.study import Study
from optuna.trial import TrialState

from optuna_predictor_rl.core.curves import Curve
from optuna_predictor_rl.core.curves.cutoff import RAW
from optuna_predictor_rl.fidelity.cutoff_rule import StoppingRule
from optuna_predictor_rl.fidelity.labels import is_full
from optuna_predictor_rl.pruner import LowFidelityPruner
from optuna_predictor_rl.study.attributes import FIDELITY, FULL_FIDELITY, LABEL, RULE
from tests.optuna_predictor_rl.pruner.studies import (
    N_STEPS,
    add_full_trials,
    attributes,
    curve_value,
    followed_rule,
    make_study,
    objective,
    parallel_curves,
    report,
    rule_of,
    train,
)


def test_pilots_run_to_the_end_and_later_trials_stop_at_one_cutoff(make_storage):
    pruner = LowFidelityPruner(n_pilot_trials=5, promising=1.0)
    study = make_study(pruner, make_storage())
    study.optimize(objective, n_trials=12)
    assert [t.state for t in study.trials[:5]] == [TrialState.COMPLETE] * 5
    assert [t.state for t in study.trials[5:]] == [TrialState.PRUNED] * 7
    assert all(max(t.intermediate_values) == N_STEPS for t in study.trials[:5])
    assert {t.user_attrs[FIDELITY] for t in study.trials[5:]} == {rule_of(study).cutoff}


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_both_directions_stop_at_the_same_step(direction):
    sign = 1.0 if direction == "minimize" else -1.0
    pruner = LowFidelityPruner(n_pilot_trials=6, promising=1.0)
    study = make_study(pruner, direction=direction)
    rng = np.random.default_rng(1)
    curves = [
        {s: sign * float(a + b / s + 0.02 * rng.normal()) for s in range(1, 30)}
        for a, b in rng.normal(size=(6, 2))
    ]
    add_full_trials(study, curves)
    rule = rule_of(study)
    assert rule.cutoff is not None
    mirrored = make_study(pruner, direction="minimize")
    add_full_trials(mirrored, [{s: sign * v for s, v in curve.items()} for curve in curves])
    expected = rule_of(mirrored)
    assert (rule.cutoff, rule.tau) == (expected.cutoff, expected.tau)


def test_a_trial_of_irregular_steps_stops_at_its_first_report_past_the_cutoff():
    study = make_study(LowFidelityPruner(cutoff=10))
    report(study, {step: 1.0 / step for step in (1, 4, 9, 13, 17)})
    assert attributes(study)[FIDELITY] == 13


def test_a_missing_value_at_the_cutoff_is_waited_out():
    study = make_study(LowFidelityPruner(cutoff=4))
    _, stops = report(study, dict(enumerate([1.0, 0.9, 0.8, math.nan, 0.7], start=1)))
    assert stops == [False, False, False, False, True]


def test_a_share_of_the_later_trials_runs_to_the_end():
    study = make_study(LowFidelityPruner(n_pilot_trials=4, promising=1.0, full_fraction=0.25))
    study.optimize(objective, n_trials=24)
    full = [t.number for t in study.trials if t.state == TrialState.COMPLETE]
    assert full == [0, 1, 2, 3, 7, 11, 15, 19, 23]


def test_further_full_trials_decide_anew_and_a_drift_is_said(caplog):
    pruner = LowFidelityPruner(n_pilot_trials=4, promising=1.0, min_rank_correlation=0.9)
    study = make_study(pruner)
    add_full_trials(study, parallel_curves(4))
    early = followed_rule(study)
    crossing = [
        {s: 2.0 + 0.1 * i + (s > 6) * (3.0 - 0.5 * i) for s in range(1, N_STEPS + 1)}
        for i in range(3)
    ]
    add_full_trials(study, crossing)
    late = followed_rule(study)
    assert early is not None
    assert late is not None
    assert (early.n_pilots, late.n_pilots) == (4, 7)
    assert early.cutoff is not None
    assert late.cutoff is not None
    assert late.cutoff > early.cutoff
    assert f"7 full trials show that step {early.cutoff:g} is too early" in caplog.text
    assert f"training now stops at step {late.cutoff:g}." in caplog.text


def test_a_trial_enqueued_at_full_fidelity_runs_to_the_end_and_gives_a_full_value(make_storage):
    study = make_study(LowFidelityPruner(n_pilot_trials=4, promising=1.0), make_storage())
    study.optimize(objective, n_trials=6)
    study.enqueue_trial(study.trials[5].params, user_attrs={FULL_FIDELITY: True})
    study.optimize(objective, n_trials=2)
    again, next_one = study.trials[6:]
    assert again.params == study.trials[5].params
    assert (again.state, next_one.state) == (TrialState.COMPLETE, TrialState.PRUNED)
    assert again.value == curve_value(again.params["level"], N_STEPS)
    assert is_full(again)


def study_with_spread(pruner: LowFidelityPruner, spread: float, sign: float) -> Study:
    """Training stops at step 4 of 12; the best full value is 5, labels have the given error."""
    rule = StoppingRule(cutoff=4.0, end=12.0, fit=RAW, n_pilots=3)
    study = make_study(pruner, direction="minimize" if sign > 0 else "maximize")
    study.set_user_attr(f"{RULE}3", rule.to_json())
    for error in (-spread / 1.4826, 0.0, spread / 1.4826):
        early = dict.fromkeys(range(1, 12), sign * (5.0 + error))
        add_full_trials(study, [early | {12: sign * 5.0}])
    return study


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(("margin", "trains_on"), [(0.0, True), (-0.26, False), (-0.25, True)])
def test_a_trial_trains_on_while_it_is_likely_enough_to_become_the_best(sign, margin, trains_on):
    pruner = LowFidelityPruner(n_pilot_trials=3, promising=0.4)  # normal quantile -0.2533
    study = study_with_spread(pruner, spread=1.0, sign=sign)
    _, stops = report(study, dict.fromkeys(range(1, 5), sign * (5.0 - margin)))
    assert stops == [False] * 3 + [not trains_on]
    assert (LABEL in attributes(study)) is not trains_on


def test_a_promising_trial_that_disappoints_later_stops_there_with_its_label():
    pruner = LowFidelityPruner(n_pilot_trials=3, promising=0.4)
    study = study_with_spread(pruner, spread=0.01, sign=1.0)
    _, stops = report(study, dict(enumerate([4.0] * 6 + [6.0], start=1)))
    assert stops == [False] * 6 + [True]
    assert attributes(study)[FIDELITY] == 7
    assert attributes(study)[LABEL] == 6.0


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(("fall", "trains_on"), [(0.51, True), (0.49, False)])
def test_a_trial_that_learns_late_trains_on_while_a_straight_line_leads_to_the_best(
    sign, fall, trains_on
):
    study = study_with_spread(LowFidelityPruner(n_pilot_trials=3), spread=0.01, sign=sign)
    # At 9 in step 4, 8 steps before the end: to 5 by 0.5 a step.
    _, stops = report(study, {step: sign * (9.0 + fall * (4 - step)) for step in range(1, 5)})
    assert stops == [False] * 3 + [not trains_on]


def run(study: Study, level: float) -> bool:
    """A trial with a flat curve; whether it ran to its end."""
    return train(study, dict.fromkeys(range(1, 13), level)) == 12


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_best_of_the_stopped_train_on_once_those_have_cost_a_full_training(sign):
    study = study_with_spread(LowFidelityPruner(n_pilot_trials=3), spread=0.01, sign=sign)
    # Each stopped trial costs 4 of 12 steps. The fourth is none of the best, the fifth is.
    assert [run(study, sign * level) for level in (7.0, 8.0, 9.0, 7.5, 6.9)] == [False] * 4 + [
        True
    ]
    assert not run(study, sign * 6.8)  # counted from the last full trial


@pytest.mark.parametrize("options", [{"patience": math.inf}, {"promising": 1.0}])
def test_none_trains_on_to_be_learned_from_where_that_is_not_wanted(options):
    pruner = LowFidelityPruner(n_pilot_trials=3, **options)
    study = study_with_spread(pruner, spread=0.01, sign=1.0)
    assert not any(run(study, level) for level in (9.0, 8.0, 7.0, 6.9, 6.8, 6.7))


def test_no_cutoff_is_chosen_before_the_share_that_is_asked_for():
    for share, expected in ((0.0, 1), (0.5, 6), (0.9, 11)):
        pruner = LowFidelityPruner(n_pilot_trials=5, min_cutoff=share)
        study = make_study(pruner)
        add_full_trials(study, parallel_curves(5))
        assert rule_of(study).cutoff == expected


def test_the_rule_alone_knows_no_level_of_final_values():
    rule = StoppingRule(cutoff=4.0, fit=RAW)
    label = rule.label(Curve.of({1: 3.0, 2: 2.0, 4: 1.0}))
    assert label is not None
    assert label.value == 1.0
