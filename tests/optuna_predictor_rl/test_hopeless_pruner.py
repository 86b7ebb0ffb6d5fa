import numpy as np
import optuna
import pytest
from optuna.study import Study
from optuna.trial import create_trial

from optuna_predictor_rl.hopeless_pruner import HopelessTrialPruner
from optuna_predictor_rl.pruner import LowFidelityPruner
from optuna_predictor_rl.study.attributes import FIDELITY, LABEL, LABEL_STD
from tests.optuna_predictor_rl.pruner.studies import report, train

N_STEPS = 30
PILOTS = np.random.default_rng(0).permutation(np.linspace(0.0, 1.0, 12))


def curve_of(level: float, sign: float = 1.0) -> dict[int, float]:
    """A curve that falls to its level, late or early, so that early labels err."""
    lateness = (7.3 * level) % 1
    return {
        step: float(sign * (level + 3.0 * np.exp(-step / (2 + 8 * lateness))))
        for step in range(1, N_STEPS + 1)
    }


def study_with_pilots(pruner: HopelessTrialPruner, sign: float = 1.0) -> Study:
    direction = "minimize" if sign > 0 else "maximize"
    study = optuna.create_study(pruner=pruner, direction=direction)
    for level in PILOTS:
        curve = curve_of(level, sign)
        study.add_trial(create_trial(value=curve[N_STEPS], intermediate_values=curve))
    return study


def stopped_at(study: Study, level: float, sign: float = 1.0) -> int:
    return train(study, curve_of(level, sign))


def make_pruner(**options) -> HopelessTrialPruner:
    inner = LowFidelityPruner(
        n_pilot_trials=12, promising=1.0, min_rank_correlation=0.97, **options
    )
    return HopelessTrialPruner(inner)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_hopeless_trial_stops_before_the_cutoff_and_a_good_one_at_it(sign):
    pruner = make_pruner()
    study = study_with_pilots(pruner, sign)
    rule = pruner.pruner.rule(study)
    assert rule is not None
    assert rule.cutoff is not None
    assert stopped_at(study, 0.1, sign) == rule.cutoff
    assert 5 <= stopped_at(study, 3.0, sign) < rule.cutoff


def test_a_dropped_trial_carries_a_label_near_its_final_value():
    study = study_with_pilots(make_pruner())
    step = stopped_at(study, 3.0)
    attributes = study.trials[-1].user_attrs
    assert attributes[FIDELITY] == step
    error = attributes[LABEL] - curve_of(3.0)[N_STEPS]
    assert abs(error) < 4 * attributes[LABEL_STD]


def test_nothing_is_dropped_while_the_pilots_run():
    pruner = HopelessTrialPruner(LowFidelityPruner(n_pilot_trials=20, promising=1.0))
    study = study_with_pilots(pruner)
    assert stopped_at(study, 9.0) == N_STEPS


def test_a_trial_that_has_to_run_to_the_end_is_not_dropped():
    study = study_with_pilots(make_pruner(full_fraction=1.0))
    assert stopped_at(study, 9.0) == N_STEPS


def test_a_fixed_cutoff_drops_nothing_earlier():
    study = study_with_pilots(HopelessTrialPruner(LowFidelityPruner(cutoff=20)))
    assert stopped_at(study, 9.0) == 20


def test_a_hopeless_trial_can_return_its_label():
    pruner = make_pruner()
    study = study_with_pilots(pruner)
    trial, stops = report(study, curve_of(3.0))
    assert len(stops) < N_STEPS
    assert pruner.label(trial) == study.trials[-1].user_attrs[LABEL]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"probability": 0.4}, r"probability must be between 0.5 and 1, but got 0.4\."),
        ({"n_warmup_reports": 0}, r"n_warmup_reports must be at least 1, but got 0\."),
    ],
)
def test_bad_settings_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        HopelessTrialPruner(LowFidelityPruner(), **options)
