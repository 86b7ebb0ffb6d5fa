"""The configurations that deserve a full training."""

import math

import optuna
import pytest
from optuna.trial import TrialState

from optuna_predictor_rl import finalists
from optuna_predictor_rl.fidelity.labels import is_full
from optuna_predictor_rl.study.attributes import LABEL
from tests.optuna_predictor_rl.trials import trial

MIXED = [
    trial(0.1, value=3.0),
    trial(0.2, state=TrialState.PRUNED, **{LABEL: 1.0}),
    trial(0.3, value=2.0, **{LABEL: 2.0}),
    trial(0.4, state=TrialState.FAIL),
    trial(0.5, state=TrialState.RUNNING),
    trial(0.6, state=TrialState.PRUNED, **{LABEL: math.nan}),
    trial(0.7, value=math.inf),
]


@pytest.mark.parametrize(
    ("direction", "order"), [("minimize", [1, 2, 0]), ("maximize", [0, 2, 1])]
)
def test_the_best_by_value_or_label_come_first(direction, order):
    study = optuna.create_study(direction=direction)
    study.add_trials(MIXED)
    assert [t.number for t in finalists(study, 9)] == order
    assert [t.number for t in finalists(study, 2)] == order[:2]


def test_a_full_value_replaces_the_labels_of_its_configuration():
    study = optuna.create_study()
    study.add_trials(
        [
            trial(0.1, state=TrialState.PRUNED, **{LABEL: 1.0}),
            trial(0.1, value=5.0),
            trial(0.2, state=TrialState.PRUNED, **{LABEL: 2.0}),
            trial(0.2, state=TrialState.PRUNED, **{LABEL: 3.0}),
        ]
    )
    chosen = finalists(study)
    assert [t.number for t in chosen] == [2, 1]
    assert [is_full(t) for t in chosen] == [False, True]


def test_a_study_without_a_value_has_no_finalists():
    assert finalists(optuna.create_study()) == []


def test_a_bad_number_is_refused():
    with pytest.raises(ValueError, match=r"k must be at least 1, but got 0\."):
        finalists(optuna.create_study(), 0)
