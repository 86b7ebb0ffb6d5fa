import math
from typing import Any

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from optuna_predictor_rl.core.conditions import Condition
from optuna_predictor_rl.data.history import NextTrial, read_history
from optuna_predictor_rl.fidelity.labels import value_or_label
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.attributes import LABEL
from tests.optuna_predictor_rl.trials import SPACE, UNIT, study_of, trial


def labels_of(*trials: FrozenTrial, direction: str = "minimize", **options: Any) -> list[Any]:
    history = read_history(study_of(*trials, direction=direction), SPACE, **options)
    return history.labels.tolist()


def test_complete_trials_become_rows_and_labels() -> None:
    history = read_history(study_of(trial(0.1, 3.0), trial(0.7, -1.0)), SPACE)
    assert history.rows.tolist() == [[0.1], [0.7]]
    assert history.labels.tolist() == [[3.0], [-1.0]]


def test_lower_is_better_whatever_the_direction() -> None:
    trials = trial(0.1, 3.0), trial(0.7, -1.0)
    assert labels_of(*trials, direction="maximize") == [[-3.0], [1.0]]


@pytest.mark.parametrize(
    ("frozen", "expected"),
    [
        (trial(value=2.0), 2.0),
        (trial(value=2.0, **{LABEL: 9.0}), 2.0),
        (trial(value=2.0, state=TrialState.PRUNED), None),
        (trial(value=2.0, state=TrialState.PRUNED, **{LABEL: 1.5}), 1.5),
        (trial(state=TrialState.PRUNED, **{LABEL: 1.5}), 1.5),
        (trial(state=TrialState.PRUNED, **{LABEL: math.nan}), None),
        (trial(state=TrialState.PRUNED), None),
        (trial(state=TrialState.FAIL), None),
        (trial(state=TrialState.RUNNING), None),
        (trial(state=TrialState.WAITING), None),
    ],
)
def test_a_trial_teaches_its_value_or_its_low_fidelity_label(
    frozen: FrozenTrial, expected: float | None
) -> None:
    assert value_or_label(frozen) == expected


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_infinite_values_count_as_the_worst_or_the_best_finite_one(direction: str) -> None:
    values = [math.inf, 3.0, -math.inf, 1.0, 1e308]
    found = labels_of(*(trial(value=v) for v in values), direction=direction)
    sign = 1.0 if direction == "minimize" else -1.0
    assert found == [[sign * v] for v in (1e308, 3.0, 1.0, 1.0, 1e308)]


def test_infinite_values_alone_are_all_the_same() -> None:
    assert labels_of(trial(value=math.inf), trial(value=-math.inf)) == [[0.0], [0.0]]


def test_a_cost_is_a_user_attribute_or_a_function_of_the_trial() -> None:
    trials = trial(0.1, 3.0, flops=10), trial(0.2, 4.0, flops=20)
    expected = [[3.0, 10.0], [4.0, 20.0]]
    assert labels_of(*trials, cost="flops") == expected
    assert labels_of(*trials, cost=lambda t: t.params["x"] * 100) == expected


def test_a_cost_is_minimized_also_when_the_value_is_maximized() -> None:
    found = labels_of(trial(0.1, 3.0, flops=10), direction="maximize", cost="flops")
    assert found == [[-3.0, 10.0]]


def test_a_complete_trial_without_its_cost_is_named() -> None:
    trials = trial(0.1, 3.0, flops=10), trial(0.2, 4.0)
    with pytest.raises(ValueError, match=r"trial 1 has no 'flops'"):
        labels_of(*trials, cost="flops")


def test_a_pruned_trial_without_its_cost_teaches_its_value_alone() -> None:
    stopped = trial(0.1, state=TrialState.PRUNED, **{LABEL: 3.0})
    found = labels_of(stopped, cost="flops")
    assert found[0][0] == 3.0
    assert math.isnan(found[0][1])


def test_pending_and_unreported_trials_are_seen_and_a_trial_that_failed_once_is_not() -> None:
    study = study_of(
        trial(0.1, 3.0),
        trial(0.2, state=TrialState.FAIL),
        trial(0.25, state=TrialState.PRUNED),
        trial(0.3, state=TrialState.RUNNING),
    )
    running = study.ask()
    running.suggest_float("x", 0.4, 0.4)
    next_trial = study.ask()
    history = read_history(study, SPACE, next_trial=NextTrial(next_trial.number))
    assert history.rows.tolist() == [[0.1]]
    assert history.failed.tolist() == [[0.2], [0.25]]
    assert history.closed.tolist() == [False, True]
    assert sorted(history.pending.ravel()) == pytest.approx([0.3, 0.4])
    assert sorted(history.seen.ravel()) == pytest.approx([0.1, 0.25, 0.3, 0.4])


def test_a_configuration_that_failed_twice_is_seen_and_a_repeat_that_succeeds_opens_it() -> None:
    failed = trial(0.2, state=TrialState.FAIL)
    study = study_of(trial(0.1, 3.0), failed, failed)
    history = read_history(study, SPACE)
    assert history.is_seen(np.array([[0.2], [0.1], [0.3]])).tolist() == [True, True, False]
    study.add_trial(trial(0.2, 4.0))
    history = read_history(study, SPACE)
    assert len(history.failed) == 0
    assert history.rows.ravel().tolist() == [0.1, 0.2]


def test_what_succeeded_stands_in_the_order_of_the_trials() -> None:
    failed, done = trial(0.2, state=TrialState.FAIL), trial(0.1, 3.0)
    running, pruned = (trial(0.3, state=s) for s in (TrialState.RUNNING, TrialState.PRUNED))
    history = read_history(study_of(done, failed, running, pruned), SPACE)
    assert history.succeeded.tolist() == [True, False, False]


def test_a_trial_that_has_not_asked_for_its_parameters_yet_is_pending_with_all_of_them() -> None:
    study = study_of(trial(0.1, 3.0))
    running = study.ask()
    frozen = study.get_trials(states=(TrialState.RUNNING,))[0]
    storage.set_planned(study, frozen, {"x": 0.7, "y": 0.2})
    space = {"x": UNIT, "y": UNIT}
    assert read_history(study, space).pending == pytest.approx(np.array([[0.7, 0.2]]))
    running.suggest_float("x", 0.6, 0.6)
    assert read_history(study, space).pending == pytest.approx(np.array([[0.6, 0.2]]))


def test_the_next_trial_is_not_pending() -> None:
    study = study_of(trial(0.1, 3.0), trial(0.3, state=TrialState.RUNNING))
    assert read_history(study, SPACE, next_trial=NextTrial(1)).pending.shape == (0, 1)


def test_a_moved_range_keeps_the_trial() -> None:
    study = study_of(trial(0.1, 3.0), trial(0.9, 1.0), trial(0.4, 2.0))
    history = read_history(study, {"x": FloatDistribution(0.0, 0.5)})
    assert history.labels.tolist() == [[3.0], [1.0], [2.0]]
    assert history.rows.ravel().tolist() == [0.1, 0.9, 0.4]  # in the union, from 0 to 1
    assert history.scope.to_model(np.array([[0.0], [1.0]])).ravel().tolist() == [0.0, 0.5]


def test_trials_without_parameters_or_without_a_label_are_no_rows() -> None:
    study = study_of(trial(None, 3.0), trial(0.4, state=TrialState.PRUNED))
    history = read_history(study, SPACE)
    assert len(history.rows) == 0


def test_the_space_has_the_conditions_that_the_trials_show() -> None:
    kind = CategoricalDistribution(("plain", "noisy"))
    noisy = {"params": {"kind": "noisy", "x": 0.5}, "distributions": {"kind": kind, "x": UNIT}}
    plain = {"params": {"kind": "plain"}, "distributions": {"kind": kind}}
    study = study_of(create_trial(value=0.0, **noisy), create_trial(value=1.0, **plain))
    history = read_history(study, {"kind": kind, "x": UNIT})
    assert history.space.conditions == (Condition(1, 0, frozenset({1})),)
    assert np.array_equal(history.rows, [[1.0, 0.5], [0.0, np.nan]], equal_nan=True)


def test_reading_changes_nothing_in_the_study() -> None:
    study = study_of(trial(0.1, 3.0, flops=1.0), trial(0.2, state=TrialState.FAIL))
    before = [repr(t) for t in study.trials]
    read_history(study, SPACE, cost="flops")
    assert [repr(t) for t in study.trials] == before
