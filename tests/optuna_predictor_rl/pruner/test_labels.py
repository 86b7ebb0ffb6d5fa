import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FixedTrial, TrialState, create_trial
from scipy.stats import median_abs_deviation

from optuna_predictor_rl.core.curves import Curve, extrapolate
from optuna_predictor_rl.fidelity.labels import full_trials, is_full
from optuna_predictor_rl.hopeless_pruner import HopelessTrialPruner
from optuna_predictor_rl.pruner import LowFidelityPruner
from optuna_predictor_rl.study.attributes import FIDELITY, LABEL, LABEL_STD, RULE
from tests.optuna_predictor_rl.pruner.studies import (
    N_STEPS,
    add_full_trials,
    attributes,
    curve_value,
    followed_rule,
    labelled_objective,
    make_study,
    objective,
    parallel_curves,
    report,
    rule_of,
)


def test_a_pruned_trial_carries_the_extrapolated_value(make_storage):
    study = make_study(LowFidelityPruner(cutoff=8, extrapolate_by=0.5), make_storage())
    study.optimize(objective, n_trials=1)
    trial = study.trials[0]
    expected = extrapolate(
        list(trial.intermediate_values), list(trial.intermediate_values.values()),
        delta=0.5 * (8 - 1), axis="log", shrink=25,
    )  # fmt: skip
    assert trial.user_attrs[LABEL] == expected.value
    assert trial.user_attrs[LABEL_STD] == expected.std
    assert trial.user_attrs[FIDELITY] == 8
    assert type(trial.user_attrs[FIDELITY]) is int


def test_the_label_never_reaches_past_the_end_of_the_pilots():
    pruner = LowFidelityPruner(
        n_pilot_trials=3, promising=1.0, extrapolate_by=100.0, axis="linear"
    )
    study = make_study(pruner)
    add_full_trials(study, [{s: a * s for s in range(6)} for a in (1.0, 2.0, 3.0)])
    report(study, {step: 0.5 * step for step in range(4)})
    assert attributes(study)[LABEL] == pytest.approx(0.5 * 5)


def test_labels_compare_with_final_values_also_when_all_curves_fall_far():
    pruner = LowFidelityPruner(n_pilot_trials=5, promising=1.0, min_cutoff=0.0)
    study = make_study(pruner)
    add_full_trials(study, parallel_curves(5))
    study.optimize(objective, n_trials=4)
    assert rule_of(study).cutoff == 1
    for trial in study.trials[5:]:
        final = curve_value(trial.params["level"], N_STEPS)
        assert trial.user_attrs[LABEL] == pytest.approx(final)


def test_the_way_of_labelling_is_chosen_from_the_pilots_and_kept_in_the_study():
    rng = np.random.default_rng(0)
    fits = []
    for noise in (0.0, 0.4):
        study = make_study(
            LowFidelityPruner(n_pilot_trials=10, promising=1.0, min_rank_correlation=0.1)
        )
        curves = [
            {s: float(a + b / s + noise * rng.normal()) for s in range(1, 41)}
            for a, b in rng.normal(size=(10, 2))
        ]
        add_full_trials(study, curves)
        assert followed_rule(study) == rule_of(study)
        fits.append(rule_of(study).fit)
        assert study.user_attrs[f"{RULE}10"]["fit"] == dataclasses.asdict(fits[-1])
    assert [fit.smooth for fit in fits] == [False, True]


@pytest.mark.parametrize("make_sampler", [RandomSampler, TPESampler, GPSampler])
def test_every_sampler_can_learn_from_returned_labels(make_sampler: Callable[..., BaseSampler]):
    pruner = LowFidelityPruner(n_pilot_trials=4, promising=1.0)
    study = make_study(pruner, sampler=make_sampler(seed=0))
    _check_labels_are_learned(study, pruner)


@pytest.mark.filterwarnings("ignore")  # BoTorch's own
def test_botorch_can_learn_from_returned_labels():
    from optuna_integration import BoTorchSampler

    pruner = LowFidelityPruner(n_pilot_trials=4, promising=1.0)
    study = make_study(pruner, sampler=BoTorchSampler(seed=0, n_startup_trials=10))
    _check_labels_are_learned(study, pruner)


def _check_labels_are_learned(study: Study, pruner: LowFidelityPruner) -> None:
    study.optimize(labelled_objective(pruner), n_trials=12)
    assert {t.state for t in study.trials} == {TrialState.COMPLETE}
    assert [is_full(t) for t in study.trials] == [True] * 4 + [False] * 8
    assert all(t.value == t.user_attrs[LABEL] for t in study.trials[4:])
    assert all(t.value == curve_value(t.params["level"], N_STEPS) for t in study.trials[:4])


def test_labelled_trials_are_never_taken_for_pilots(make_storage):
    pruner = LowFidelityPruner(n_pilot_trials=4, promising=1.0)
    study = make_study(pruner, make_storage())
    study.optimize(labelled_objective(pruner), n_trials=15)
    assert [t.number for t in full_trials(study.trials)] == [0, 1, 2, 3]
    assert [key for key in study.user_attrs if key.startswith(RULE)] == [f"{RULE}4"]


def test_a_full_value_replaces_the_label_of_a_trial_that_went_on():
    pruner = LowFidelityPruner(cutoff=5)
    study = make_study(pruner)
    curve = {step: curve_value(0.3, step) for step in range(1, N_STEPS + 1)}
    trial, _ = report(study, curve, heeds=False)
    study.tell(trial, curve_value(0.3, N_STEPS))
    assert is_full(study.trials[0])
    assert [t.number for t in full_trials(study.trials)] == [0]


def test_label_extrapolates_and_marks_a_trial_that_stops_by_itself():
    pruner = LowFidelityPruner(cutoff=5)
    study = make_study(pruner)
    trial = study.ask()
    for step in range(1, 8):
        trial.report(curve_value(0.3, step), step)
    study.tell(trial, pruner.label(trial))
    frozen = study.trials[0]
    assert frozen.user_attrs[FIDELITY] == 7
    assert not is_full(frozen)
    assert pruner.label(frozen) == frozen.value


def test_label_of_a_frozen_trial_without_a_label_is_its_value_or_an_extrapolation():
    pruner = LowFidelityPruner(extrapolate_by=0.5, axis="linear")
    curve = {0: 4.0, 1: 3.0, 2: 2.0}
    full = create_trial(value=2.0, intermediate_values=curve)
    pruned = create_trial(state=TrialState.PRUNED, intermediate_values=curve)
    assert pruner.label(full) == 2.0
    assert pruner.label(pruned) == pytest.approx(1.0)


def test_label_of_a_trial_that_reported_nothing_says_so():
    pruner = LowFidelityPruner()
    study = make_study(pruner)
    with pytest.raises(ValueError, match=r"trial 0 has reported none"):
        pruner.label(study.ask())


@pytest.mark.parametrize("pruner", [LowFidelityPruner(), HopelessTrialPruner(LowFidelityPruner())])
def test_label_of_a_wrapped_or_fixed_trial_says_what_to_pass(pruner):
    from optuna_integration import TorchDistributedTrial

    wrapped = TorchDistributedTrial.__new__(TorchDistributedTrial)  # without a process group
    for trial in (FixedTrial({"x": 1.0}), wrapped):
        with pytest.raises(TypeError, match=rf"but got a {type(trial).__name__}\. Of a wrapper"):
            pruner.label(trial)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_trial_that_diverged_stops_without_a_label(bad):
    pruner = LowFidelityPruner(cutoff=4)
    study = make_study(pruner)
    curve = {step: 1.0 if step < 3 else bad for step in range(1, 9)}
    trial, stops = report(study, curve, heeds=False)
    assert stops == [False] * 4 + [True] * 4  # the third missing value is at step 5
    assert LABEL not in attributes(study)
    assert math.isnan(pruner.label(trial))


def test_a_trial_with_one_report_or_a_constant_curve_is_labelled_with_its_value():
    study = make_study(LowFidelityPruner(cutoff=3))
    for reports in ({5: 0.25}, {1: 0.25, 2: 0.25, 3: 0.25}):
        trial = study.ask()
        for step, value in reports.items():
            trial.report(value, step)
        assert trial.should_prune()
        assert attributes(study)[LABEL] == 0.25


def test_a_label_adds_what_full_trials_of_a_like_slope_still_gained():
    rng = np.random.default_rng(0)
    pruner = LowFidelityPruner(n_pilot_trials=8, promising=1.0, min_rank_correlation=0.3)
    study = make_study(pruner)
    curves = [
        {s: float(a + b / s) for s in range(1, 31)} for a, b in rng.normal(size=(8, 2)) * (1, 3)
    ]
    add_full_trials(study, curves)
    rule = rule_of(study)
    assert rule.cutoff is not None
    at = [rule.fit.label(Curve.of(curve).until(rule.cutoff), end=30.0) for curve in curves]
    missed = [curve[30] - label.value for curve, label in zip(curves, at, strict=True) if label]
    _, stops = report(study, curves[0])
    assert len(stops) == rule.cutoff
    assert at[0] is not None
    by_the_median = at[0].value + np.median(missed)
    error = abs(attributes(study)[LABEL] - curves[0][30])
    assert error < 0.5 * abs(by_the_median - curves[0][30])
    assert 0 < attributes(study)[LABEL_STD] < median_abs_deviation(missed, scale="normal")


def test_the_pilots_choose_among_several_axes():
    rng = np.random.default_rng(0)
    lines = rng.uniform(size=(12, 2))
    pruner = LowFidelityPruner(axis=["log", "linear"], shrink=0.0)
    study = make_study(pruner)
    add_full_trials(study, [{s: a - b * s / 20 for s in range(1, 31)} for a, b in lines])
    assert rule_of(study).fit.axis == "linear"
