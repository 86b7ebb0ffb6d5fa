import math
from collections.abc import Callable

import numpy as np
import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.samplers import RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState, create_trial

from optuna_predictor_rl.fidelity.labels import is_full
from optuna_predictor_rl.fidelity.rung_pruning import LATE_SHARE
from optuna_predictor_rl.pruner import LowFidelityPruner
from optuna_predictor_rl.study.attributes import AGAINST_ORDER, FIDELITY, FULL_FIDELITY, LABEL
from tests.optuna_predictor_rl.pruner.studies import (
    N_STEPS,
    add_full_trials,
    attributes,
    curve_value,
    make_study,
    objective,
    parallel_curves,
    report,
    train,
)

RUNGS = [1, 3]
"""A 64th, a 16th and a quarter of 12 steps."""


def test_the_first_trials_train_to_the_end_and_later_ones_stop_at_rungs(make_storage):
    study = make_study(LowFidelityPruner(rule="rungs"), make_storage())
    study.optimize(objective, n_trials=12)
    assert [t.state for t in study.trials[:3]] == [TrialState.COMPLETE] * 3
    stopped = [t for t in study.trials if t.state == TrialState.PRUNED]
    assert len(stopped) >= 4
    assert {t.user_attrs[FIDELITY] for t in stopped} <= set(RUNGS)
    finals = [curve_value(t.params["level"], N_STEPS) for t in stopped]
    assert [t.user_attrs[LABEL] for t in stopped] == pytest.approx(finals, abs=0.05)
    best = min(study.trials, key=lambda t: t.params["level"])
    assert is_full(best)


def decisions(study: Study, sign: float) -> list[int]:
    """Numbers of reports of eight trials, after three full ones."""
    add_full_trials(study, [{s: sign * v for s, v in c.items()} for c in parallel_curves(3)])
    rng = np.random.default_rng(0)
    levels = rng.uniform(size=8)
    return [train(study, {s: sign * curve_value(a, s) for s in range(1, 13)}) for a in levels]


def test_both_directions_decide_alike():
    found = [
        decisions(make_study(LowFidelityPruner(rule="rungs"), direction=direction), sign)
        for direction, sign in (("minimize", 1.0), ("maximize", -1.0))
    ]
    assert found[0] == found[1]
    assert set(found[0]) <= {*RUNGS, N_STEPS}
    assert min(found[0]) == 1


def test_a_resumed_study_decides_as_one_that_went_on(make_storage):
    storage = make_storage()
    study = make_study(LowFidelityPruner(rule="rungs"), storage)
    study.optimize(objective, n_trials=5)
    resumed = make_study(
        LowFidelityPruner(rule="rungs"), make_storage(), sampler=RandomSampler(seed=1)
    )
    resumed.optimize(objective, n_trials=5)
    other = make_study(LowFidelityPruner(rule="rungs"), study_name="other")
    other.add_trials(resumed.trials[:5])
    other.sampler = RandomSampler(seed=1)
    other.optimize(objective, n_trials=5)
    assert [t.last_step for t in other.trials] == [t.last_step for t in resumed.trials]


def test_a_share_of_all_steps_goes_to_full_trainings_against_the_order():
    study = make_study(LowFidelityPruner(rule="rungs"), sampler=RandomSampler(seed=3))
    for level in np.linspace(0, 1, 20):
        study.add_trial(full_trial({"level": float(level)}, lambda s, a=level: curve_value(a, s)))
    study.optimize(objective, n_trials=25)
    against = [t for t in study.trials if t.user_attrs.get(AGAINST_ORDER)]
    steps = sum(t.last_step or 0 for t in study.trials)
    assert against
    assert [is_full(t) for t in against] == [True] * len(against)
    assert (len(against) - 0.5) * N_STEPS <= LATE_SHARE * steps


def full_trial(
    params: dict[str, float], value_at: Callable[[int], float], n_steps: int = N_STEPS
) -> FrozenTrial:
    return create_trial(
        value=value_at(n_steps),
        params=params,
        distributions={name: FloatDistribution(0.0, 1.0) for name in params},
        intermediate_values={s: value_at(s) for s in range(1, n_steps + 1)},
    )


def crossing_value(x: float, step: int) -> float:
    """Trials with x above a half start worst, and end best."""
    return 2.0 - 2.5 * (step > 20) + x if x > 0.5 else 1.0 + x


def crossing(trial: optuna.Trial) -> float:
    x = trial.suggest_float("x", 0.0, 1.0)
    for step in range(1, 33):
        trial.report(crossing_value(x, step), step)
        if trial.should_prune():
            raise optuna.TrialPruned
    return crossing_value(x, 32)


def test_late_learners_are_found_and_trained():
    study = make_study(LowFidelityPruner(rule="rungs"), sampler=RandomSampler(seed=0))
    for x in np.linspace(0.01, 0.4, 12):
        study.add_trial(full_trial({"x": float(x)}, lambda s, x=x: crossing_value(x, s), 32))
    study.optimize(crossing, n_trials=40)
    late = [t for t in study.trials if t.params["x"] > 0.5]
    assert sum(is_full(t) for t in late) >= 2
    assert study.best_trial.params["x"] > 0.5


def test_an_enqueued_full_training_and_one_past_the_end_are_not_stopped():
    study = make_study(LowFidelityPruner(rule="rungs"))
    add_full_trials(study, parallel_curves(8))
    study.enqueue_trial({}, user_attrs={FULL_FIDELITY: True})
    assert train(study, dict.fromkeys(range(1, 13), 9.0)) == 12
    _, stops = report(study, {12: 9.0, 13: 9.0})
    assert not any(stops)


def test_a_missing_value_at_a_rung_is_waited_out_and_a_diverged_curve_has_no_label():
    study = make_study(LowFidelityPruner(rule="rungs"))
    add_full_trials(study, parallel_curves(8))
    _, stops = report(study, {1: 1.0, 2: 0.5, 3: math.nan, 4: 9.0})
    assert stops == [False, False, False, True]
    _, stops = report(study, dict.fromkeys(range(1, 6), math.nan))
    assert stops[-1]
    assert LABEL not in attributes(study)


@pytest.mark.parametrize("n_steps", [0, -3])
def test_a_number_of_steps_that_is_not_positive_is_refused(n_steps):
    with pytest.raises(ValueError, match=r"n_steps must be"):
        LowFidelityPruner(rule="rungs", n_steps=n_steps)


def test_rungs_are_shares_of_the_number_of_steps_that_is_told():
    study = make_study(LowFidelityPruner(rule="rungs", n_steps=48))
    add_full_trials(study, parallel_curves(8))
    assert train(study, dict.fromkeys(range(1, 13), 9.0)) == 1
    assert attributes(study)[FIDELITY] == 1


def test_curves_of_one_report_stop_nothing():
    study = make_study(LowFidelityPruner(rule="rungs"))
    for level in (1.0, 2.0, 3.0, 4.0):
        study.add_trial(create_trial(value=level, intermediate_values={5: level}))
    assert train(study, {5: 9.0}) == 1
    assert study.trials[-1].state == TrialState.COMPLETE


def test_a_rung_of_crossing_curves_stops_nothing():
    study = make_study(LowFidelityPruner(rule="rungs"))
    add_full_trials(
        study, [{s: a if s < 10 else -a for s in range(1, 13)} for a in np.linspace(0, 1, 9)]
    )
    assert train(study, dict.fromkeys(range(1, 13), 0.9)) == 12


def test_a_label_is_returned_for_samplers_that_ignore_pruned_trials():
    pruner = LowFidelityPruner(rule="rungs")
    study = make_study(pruner)
    add_full_trials(study, parallel_curves(8))
    trial, stops = report(study, {s: curve_value(2.0, s) for s in range(1, 13)})
    assert stops == [True]
    study.tell(trial, pruner.label(trial))
    stored = study.trials[-1]
    assert stored.value == stored.user_attrs[LABEL] == pytest.approx(2.0 + 1 / 12, abs=0.2)
    assert not is_full(stored)
