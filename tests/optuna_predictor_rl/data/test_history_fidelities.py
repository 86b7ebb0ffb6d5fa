"""What trials of different fidelities teach, and how surely."""

import math
from typing import Any

import optuna
import pytest
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.pruners import BasePruner, NopPruner
from optuna.study import Study
from optuna.trial import TrialState, create_trial

from optuna_predictor_rl import HopelessTrialPruner, LowFidelityPruner
from optuna_predictor_rl.data.history import read_history
from optuna_predictor_rl.study.attributes import LABEL, LABEL_STD
from tests.optuna_predictor_rl.trials import SPACE, study_of, trial

PRUNED = TrialState.PRUNED
WIDE: dict[str, BaseDistribution] = {"x": FloatDistribution(0.0, 2.0)}


def marks(label: float, std: float | None = None) -> dict[str, float]:
    return {LABEL: label} if std is None else {LABEL: label, LABEL_STD: std}


def test_a_full_value_replaces_the_label_of_the_same_configuration():
    study = study_of(
        trial(0.1, 9.0, PRUNED, **marks(1.0, 0.1)),
        trial(0.2, 9.0, PRUNED, **marks(2.0, 0.1)),
        trial(0.1, 3.0),
        trial(0.1, 3.5),
    )
    history = read_history(study, SPACE)
    assert history.rows.tolist() == [[0.2], [0.1], [0.1]]
    assert history.labels.tolist() == [[2.0], [3.0], [3.5]]


def running_study(pruner: Any) -> tuple[Study, list[dict[int, float]]]:
    """Three pilots, and one trial that runs, whose curve is the returned one."""
    curves = [{step: level + 1 / step for step in range(1, 13)} for level in (0.0, 0.5, 1.0, 0.25)]
    study = optuna.create_study(pruner=pruner)
    for curve in curves[:3]:
        study.add_trial(
            create_trial(
                value=curve[12],
                params={"x": curve[12]},
                distributions=WIDE,
                intermediate_values=curve,
            )
        )
    return study, curves


@pytest.mark.parametrize("wrap", [lambda pruner: pruner, HopelessTrialPruner])
def test_a_running_trial_teaches_its_label_once_it_has_come_to_the_cutoff(wrap):
    pruner = wrap(LowFidelityPruner(n_pilot_trials=3, full_fraction=1.0))
    study, curves = running_study(pruner)
    low_fidelity = pruner if isinstance(pruner, LowFidelityPruner) else pruner.pruner
    running = study.ask(WIDE)
    rule = low_fidelity.rule(study)
    assert rule is not None
    assert rule.cutoff is not None
    for step in range(1, 12):
        running.report(curves[3][step], step)
        assert not running.should_prune()
        history = read_history(study, WIDE, learn_from_running=True)
        enough = step >= rule.cutoff
        assert (len(history.rows), len(history.pending)) == ((4, 0) if enough else (3, 1))
    # The level of the final values is reached as the training comes to its end.
    assert history.labels[3, 0] == pytest.approx(curves[3][12], abs=0.02)
    assert len(read_history(study, WIDE).pending) == 1  # only when wanted
    study.tell(running, curves[3][12])
    assert read_history(study, WIDE).labels[3, 0] == curves[3][12]


def test_no_running_trial_has_a_label_before_three_have_trained_to_the_end():
    pruners: tuple[BasePruner, ...] = (LowFidelityPruner(n_pilot_trials=9), NopPruner())
    for pruner in pruners:
        before, curves = running_study(pruner)
        for n_full in (2, 3):
            study = optuna.create_study(pruner=pruner)
            study.add_trials(before.trials[:n_full])
            running = study.ask(WIDE)
            running.report(curves[3][1], 11)
            running.should_prune()
            history = read_history(study, WIDE, learn_from_running=True)
            assert (len(history.rows), len(history.pending)) == ((2, 1) if n_full == 2 else (4, 0))


def test_a_running_trial_that_diverged_or_reported_nothing_stays_pending():
    study, _ = running_study(LowFidelityPruner(n_pilot_trials=3, full_fraction=1.0))
    study.ask(WIDE)
    diverged = study.ask(WIDE)
    for step in range(1, 12):
        diverged.report(math.nan, step)
        diverged.should_prune()
    history = read_history(study, WIDE, learn_from_running=True)
    assert (len(history.rows), len(history.pending)) == (3, 2)
