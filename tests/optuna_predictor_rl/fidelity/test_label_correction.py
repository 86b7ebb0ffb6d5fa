"""What labels miss: the reports stay flat, and final values differ from them by a known amount."""

import math
from typing import Any

import numpy as np
import optuna
import pytest
from numpy.testing import assert_allclose
from optuna.trial import FrozenTrial, TrialState, create_trial

from optuna_predictor_rl.core.curves import Curve, Extrapolation
from optuna_predictor_rl.core.curves.cutoff import RAW
from optuna_predictor_rl.data.history import read_history
from optuna_predictor_rl.fidelity import label_correction
from optuna_predictor_rl.fidelity.cutoff_rule import StoppingRule
from optuna_predictor_rl.fidelity.label_correction import MIN_FULL, LabelCorrection, correction_of
from optuna_predictor_rl.study.attributes import FIDELITY, LABEL, RULE
from tests.optuna_predictor_rl.trials import SPACE, UNIT

CUTOFF, END = 4, 12
RULE_OF_LAST_VALUES = StoppingRule(cutoff=4.0, end=12.0, fit=RAW, n_pilots=9)
FLAT = 5.0
FLAT_CURVE = dict.fromkeys(range(1, CUTOFF + 1), FLAT)


def trial_of(curve: dict[int, float], x: float) -> FrozenTrial:
    return create_trial(
        value=curve[END], params={"x": x}, distributions={"x": UNIT}, intermediate_values=curve
    )


def full(x: float, gap: float) -> FrozenTrial:
    """Flat up to the cutoff and beyond, but for the last report."""
    return trial_of(dict.fromkeys(range(1, END), FLAT) | {END: FLAT + gap}, x)


def stopped(x: float) -> FrozenTrial:
    return create_trial(
        state=TrialState.PRUNED,
        value=FLAT,
        params={"x": x},
        distributions={"x": UNIT},
        intermediate_values=FLAT_CURVE,
        user_attrs={LABEL: FLAT, FIDELITY: CUTOFF},
    )


def label_of(
    known: list[FrozenTrial], curve: dict[int, float], params: dict[str, Any]
) -> Extrapolation:
    label = LabelCorrection(RULE_OF_LAST_VALUES, known).label(Curve.of(curve), params)
    assert label is not None
    return label


def expected(known: list[FrozenTrial], x: float) -> Extrapolation:
    return label_of(known, FLAT_CURVE, {"x": x})


def spread_out(n: int) -> list[float]:
    return np.linspace(0.0, 1.0, n).tolist()


@pytest.mark.parametrize("x", [0.15, 0.45, 0.85])
def test_a_difference_that_depends_on_the_parameters_is_learned_from_full_trials(x):
    label = expected([full(other, gap=2.0 * other) for other in spread_out(11)], x)
    assert label.value == pytest.approx(FLAT + 2.0 * x, abs=0.1)
    assert 0 < label.std < 0.2


def test_a_difference_that_is_the_same_everywhere_is_added_as_it_is():
    label = expected([full(x, gap=0.5) for x in spread_out(MIN_FULL)], 0.3)
    assert (label.value, label.std) == (FLAT + 0.5, 0.0)


def test_of_few_full_trials_the_median_difference_and_its_spread_are_taken():
    label = expected([full(x, gap=g) for x, g in ((0.0, 1.0), (0.5, 3.0), (1.0, 2.0))], 0.0)
    assert label.value == FLAT + 2.0
    assert label.std == pytest.approx(1.4826)


def test_the_difference_is_that_at_the_step_at_which_the_training_stands():
    def gains_late(x: float, until: int) -> dict[int, float]:  # by 2 x / 12 a step
        return {step: FLAT + 2.0 * x * step / END for step in range(1, until + 1)}

    known = [trial_of(gains_late(x, END), x) for x in spread_out(11)]
    for step in (3, 4, 6, 9, 12):
        label = label_of(known, gains_late(0.5, step), {"x": 0.5})
        assert label.value == pytest.approx(FLAT + 1.0, abs=0.05)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.5])
def test_the_share_of_its_slope_that_a_curve_keeps_is_learned_from_full_trials(share):
    rng = np.random.default_rng(0)

    def curve(slope: float, until: int) -> dict[int, float]:  # straight in log(step) up to 4
        later = {s: slope * (math.log(4) + share * math.log(s / 4)) for s in range(5, until + 1)}
        return {s: slope * math.log(s) for s in range(1, 5)} | later

    slopes, places = rng.uniform(-1.0, 1.0, 60).tolist(), rng.uniform(size=60).tolist()
    known = [trial_of(curve(b, END), x) for b, x in zip(slopes, places, strict=True)]
    for slope in (-0.8, 0.1, 0.8):
        label = label_of(known, curve(slope, 4), {"x": 0.3})
        assert label.value == pytest.approx(curve(slope, END)[END], abs=0.1)


def test_a_slope_steeper_than_any_before_promises_no_more_than_steep_ones_did():
    known = [
        trial_of({s: slope * math.log(s) for s in range(1, END + 1)}, x)
        for slope, x in zip(np.linspace(-1, 1, 21).tolist(), spread_out(21), strict=True)
    ]
    steepest, steep = ({s: b * math.log(s) for s in range(1, 5)} for b in (-9.0, -1.0))
    gains = [label_of(known, curve, {"x": 0.5}).value - curve[4] for curve in (steepest, steep)]
    assert gains[0] == pytest.approx(gains[1])


def test_parameters_out_of_the_ranges_of_the_full_trials_have_the_median_difference():
    known = [full(x, gap=2.0 * x) for x in spread_out(11)]
    for params in ({}, {"x": 7.0}, {"y": 0.5}):
        assert label_of(known, FLAT_CURVE, params).value == pytest.approx(FLAT + 1.0)


@pytest.mark.parametrize("x", [-0.5, 1.5])
def test_beyond_either_end_of_the_full_trials_the_median_difference_is_taken(x):
    known = [full(other, gap=2.0 * other**2) for other in spread_out(11)]
    assert expected(known, x).value == pytest.approx(FLAT + 2.0 * 0.5**2)


def test_the_latest_full_trials_are_learned_from(monkeypatch):
    monkeypatch.setattr(label_correction, "MAX_FULL", 3)
    gaps = (1.0, 2.0, 3.0, 10.0, 30.0, 20.0)
    known = [full(x, gap) for x, gap in zip(spread_out(6), gaps, strict=True)]
    assert expected(known, 0.5).value == FLAT + 20.0


def test_without_full_trials_the_label_is_that_of_the_rule():
    curve = Curve.of({1: 3.0, 2: 2.5, 3: 2.0, 4: 1.5})
    for known in ([], [create_trial(value=float("inf"), intermediate_values={1: 1.0, 2: 2.0})]):
        found = LabelCorrection(RULE_OF_LAST_VALUES, known).label(curve, {"x": 0.5})
        assert found == RULE_OF_LAST_VALUES.label(curve)


def test_a_curve_that_diverged_has_no_label():
    curve = Curve.of({1: 3.0} | dict.fromkeys(range(2, 8), math.nan))
    assert LabelCorrection(RULE_OF_LAST_VALUES, [full(0.5, gap=1.0)]).label(curve, {}) is None


def test_one_diverged_full_trial_changes_little():
    known = [full(x, gap=2.0 * x) for x in spread_out(21)]
    known[10] = full(0.5, gap=1e6)
    for x in (0.2, 0.8):
        assert expected(known, x).value == pytest.approx(FLAT + 2.0 * x, abs=0.4)


def test_a_correction_is_kept_until_there_is_another_full_trial():
    study = optuna.create_study()
    study.add_trials([full(x, gap=0.5) for x in spread_out(MIN_FULL)])
    first = correction_of(study, RULE_OF_LAST_VALUES, study.trials)  # copies each time
    assert correction_of(study, RULE_OF_LAST_VALUES, study.trials) is first
    study.add_trial(full(0.3, gap=0.5))
    assert correction_of(study, RULE_OF_LAST_VALUES, study.trials) is not first


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_the_history_corrects_labels_in_the_direction_of_the_study(direction):
    sign = 1.0 if direction == "minimize" else -1.0
    study = optuna.create_study(direction=direction)
    study.set_user_attr(f"{RULE}5", RULE_OF_LAST_VALUES.to_json())
    known = [full(x, gap=0.5) for x in spread_out(MIN_FULL)]
    study.add_trials([*known, stopped(0.3)])
    labels = read_history(study, SPACE).labels
    assert_allclose(labels[:, 0], sign * (FLAT + 0.5))


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_the_history_knows_the_error_of_labels_and_none_of_full_values(direction):
    study = optuna.create_study(direction=direction)
    study.set_user_attr(f"{RULE}5", RULE_OF_LAST_VALUES.to_json())
    study.add_trials([full(x, gap=2.0 * x) for x in spread_out(11)])
    assert read_history(study, SPACE).errors is None
    study.add_trials([stopped(0.35), stopped(0.85)])
    errors = read_history(study, SPACE).errors
    assert errors is not None
    assert errors.shape == (13, 1)
    assert not errors[:11].any()
    labels = [expected(study.trials[:11], x) for x in (0.35, 0.85)]
    best = FLAT if direction == "minimize" else FLAT + 2.0
    far = [abs(label.value - best) for label in labels]
    twice = [2.0 * label.std for label in labels]
    assert_allclose(errors[11:, 0], np.hypot(twice, 0.15 * np.array(far)))
