import dataclasses
import math
import multiprocessing
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from optuna.storages import BaseStorage, InMemoryStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import Study
from optuna.trial import Trial, TrialState, create_trial

from optuna_predictor_rl.core.curves import extrapolate
from optuna_predictor_rl.labels import FIDELITY, LABEL, LABEL_STD, full_trials, is_full
from optuna_predictor_rl.pruner import RULE, LowFidelityPruner

N_STEPS = 12
MakeStorage = Callable[[], BaseStorage]


def curve_value(level: float, step: int) -> float:
    """A curve that falls to its level, as 1 / step."""
    return level + 1.0 / step


def objective(trial: Trial) -> float:
    level = trial.suggest_float("level", 0.0, 1.0)
    for step in range(1, N_STEPS + 1):
        trial.report(curve_value(level, step), step)
        if trial.should_prune():
            raise optuna.TrialPruned
    return curve_value(level, N_STEPS)


def labelled_objective(pruner: LowFidelityPruner) -> Callable[[Trial], float]:
    def run(trial: Trial) -> float:
        level = trial.suggest_float("level", 0.0, 1.0)
        for step in range(1, N_STEPS + 1):
            trial.report(curve_value(level, step), step)
            if trial.should_prune():
                break
        return pruner.label(trial)

    return run


@pytest.fixture(params=["memory", "sqlite", "journal"])
def make_storage(request: pytest.FixtureRequest, tmp_path) -> MakeStorage:
    """Opens one and the same storage at each call, as another process would."""
    memory = InMemoryStorage()
    return {
        "memory": lambda: memory,
        "sqlite": lambda: RDBStorage(f"sqlite:///{tmp_path}/study.db"),
        "journal": lambda: JournalStorage(JournalFileBackend(f"{tmp_path}/study.log")),
    }[request.param]


@pytest.fixture(autouse=True)
def quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def make_study(pruner: LowFidelityPruner, storage: BaseStorage | None = None, **options) -> Study:
    options = {"sampler": RandomSampler(seed=0), "study_name": "s"} | options
    return optuna.create_study(pruner=pruner, storage=storage, load_if_exists=True, **options)


def attributes(study: Study, number: int = -1) -> dict[str, Any]:
    """As stored: a live trial does not see what the pruner wrote."""
    return study.trials[number].user_attrs


def add_full_trials(study: Study, curves: list[dict[int, float]]) -> None:
    for curve in curves:
        value = next(v for _, v in sorted(curve.items(), reverse=True) if math.isfinite(v))
        study.add_trial(create_trial(value=value, intermediate_values=curve))


def parallel_curves(n: int, steps: range = range(1, N_STEPS + 1)) -> list[dict[int, float]]:
    return [{step: curve_value(level, step) for step in steps} for level in np.linspace(0, 1, n)]


def test_pilots_run_to_the_end_and_later_trials_stop_at_one_cutoff(make_storage):
    pruner = LowFidelityPruner(n_pilot_trials=5)
    study = make_study(pruner, make_storage())
    study.optimize(objective, n_trials=12)
    assert [t.state for t in study.trials[:5]] == [TrialState.COMPLETE] * 5
    assert [t.state for t in study.trials[5:]] == [TrialState.PRUNED] * 7
    assert all(max(t.intermediate_values) == N_STEPS for t in study.trials[:5])
    rule = pruner.rule(study)
    assert rule is not None
    assert {t.user_attrs[FIDELITY] for t in study.trials[5:]} == {rule.cutoff}


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
    pruner = LowFidelityPruner(n_pilot_trials=3, extrapolate_by=100.0, axis="linear")
    study = make_study(pruner)
    add_full_trials(study, [{s: a * s for s in range(6)} for a in (1.0, 2.0, 3.0)])
    trial = study.ask()
    for step in range(4):
        trial.report(0.5 * step, step)
        if trial.should_prune():
            break
    assert attributes(study)[LABEL] == pytest.approx(0.5 * 5)


def test_labels_compare_with_final_values_also_when_all_curves_fall_far():
    pruner = LowFidelityPruner(n_pilot_trials=5)
    study = make_study(pruner)
    add_full_trials(study, parallel_curves(5))
    study.optimize(objective, n_trials=4)
    rule = pruner.rule(study)
    assert rule is not None
    assert rule.cutoff == 1
    for trial in study.trials[5:]:
        final = curve_value(trial.params["level"], N_STEPS)
        assert trial.user_attrs[LABEL] == pytest.approx(final)


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_both_directions_stop_at_the_same_step(direction):
    sign = 1.0 if direction == "minimize" else -1.0
    pruner = LowFidelityPruner(n_pilot_trials=6)
    study = make_study(pruner, direction=direction)
    rng = np.random.default_rng(1)
    curves = [
        {s: sign * float(a + b / s + 0.02 * rng.normal()) for s in range(1, 30)}
        for a, b in rng.normal(size=(6, 2))
    ]
    add_full_trials(study, curves)
    rule = pruner.rule(study)
    assert rule is not None
    assert rule.cutoff is not None
    mirrored = make_study(pruner, direction="minimize")
    add_full_trials(mirrored, [{s: sign * v for s, v in curve.items()} for curve in curves])
    expected = pruner.rule(mirrored)
    assert expected is not None
    assert rule.cutoff == expected.cutoff
    assert rule.tau == expected.tau


def test_a_trial_of_irregular_steps_stops_at_its_first_report_past_the_cutoff():
    study = make_study(LowFidelityPruner(cutoff=10))
    trial = study.ask()
    for step in (1, 4, 9, 13, 17):
        trial.report(1.0 / step, step)
        if trial.should_prune():
            break
    assert attributes(study)[FIDELITY] == 13


def test_the_way_of_labelling_is_chosen_from_the_pilots_and_kept_in_the_study():
    rng = np.random.default_rng(0)
    rules = []
    for noise in (0.0, 0.4):
        study = make_study(LowFidelityPruner(n_pilot_trials=10, min_rank_correlation=0.1))
        curves = [
            {s: float(a + b / s + noise * rng.normal()) for s in range(1, 41)}
            for a, b in rng.normal(size=(10, 2))
        ]
        add_full_trials(study, curves)
        assert isinstance(study.pruner, LowFidelityPruner)
        rules.append(study.pruner.rule(study))
        assert rules[-1] is not None
        assert study.user_attrs[f"{RULE}10"]["fit"] == dataclasses.asdict(rules[-1].fit)
    clean, noisy = rules
    assert clean is not None
    assert noisy is not None
    assert not clean.fit.smooth
    assert noisy.fit.smooth


@pytest.mark.parametrize("make_sampler", [RandomSampler, TPESampler, GPSampler])
def test_every_sampler_can_learn_from_returned_labels(make_sampler: Callable[..., BaseSampler]):
    pruner = LowFidelityPruner(n_pilot_trials=4)
    study = make_study(pruner, sampler=make_sampler(seed=0))
    study.optimize(labelled_objective(pruner), n_trials=12)
    assert {t.state for t in study.trials} == {TrialState.COMPLETE}
    assert [is_full(t) for t in study.trials] == [True] * 4 + [False] * 8
    assert all(t.value == t.user_attrs[LABEL] for t in study.trials[4:])
    assert all(t.value == curve_value(t.params["level"], N_STEPS) for t in study.trials[:4])


def test_labelled_trials_are_never_taken_for_pilots(make_storage):
    pruner = LowFidelityPruner(n_pilot_trials=4)
    study = make_study(pruner, make_storage())
    study.optimize(labelled_objective(pruner), n_trials=15)
    assert [t.number for t in full_trials(study.trials)] == [0, 1, 2, 3]
    assert [key for key in study.user_attrs if key.startswith(RULE)] == [f"{RULE}4"]


def test_a_full_value_replaces_the_label_of_a_trial_that_went_on():
    pruner = LowFidelityPruner(cutoff=5)
    study = make_study(pruner)
    trial = study.ask()
    for step in range(1, N_STEPS + 1):
        trial.report(curve_value(0.3, step), step)
        trial.should_prune()  # and not heeded
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


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_trial_that_diverged_stops_without_a_label(bad):
    pruner = LowFidelityPruner(cutoff=4)
    study = make_study(pruner)
    trial = study.ask()
    stopped = []
    for step in range(1, 9):
        trial.report(1.0 if step < 3 else bad, step)
        stopped.append(trial.should_prune())
    assert stopped == [False] * 4 + [True] * 4  # the third missing value is at step 5
    assert LABEL not in attributes(study)
    assert math.isnan(pruner.label(trial))


def test_a_missing_value_at_the_cutoff_is_waited_out():
    study = make_study(LowFidelityPruner(cutoff=4))
    trial = study.ask()
    stopped = []
    for step, value in enumerate([1.0, 0.9, 0.8, math.nan, 0.7], start=1):
        trial.report(value, step)
        stopped.append(trial.should_prune())
    assert stopped == [False, False, False, False, True]


def test_a_trial_with_one_report_or_a_constant_curve_is_labelled_with_its_value():
    study = make_study(LowFidelityPruner(cutoff=3))
    for reports in ({5: 0.25}, {1: 0.25, 2: 0.25, 3: 0.25}):
        trial = study.ask()
        for step, value in reports.items():
            trial.report(value, step)
        assert trial.should_prune()
        assert attributes(study)[LABEL] == 0.25


def test_pilots_with_one_and_the_same_value_decide_nothing_and_lose_no_trial(caplog):
    study = make_study(LowFidelityPruner(n_pilot_trials=3))
    add_full_trials(study, [{s: 1.0 / s for s in range(1, 9)}] * 3)
    study.optimize(lambda trial: trial.report(1.0, 9) or float(trial.should_prune()), n_trials=9)
    assert [t.state for t in study.trials[3:]] == [TrialState.COMPLETE] * 9
    assert "No cutoff keeps a rank correlation of 0.75 over 3 full trials" in caplog.text
    assert caplog.text.count("No cutoff keeps") == 1


def test_failed_killed_and_reportless_trials_are_no_pilots():
    study = make_study(LowFidelityPruner(n_pilot_trials=3))
    curves = parallel_curves(3)
    add_full_trials(study, curves[:2])
    study.add_trial(create_trial(state=TrialState.FAIL, intermediate_values=curves[2]))
    study.add_trial(create_trial(state=TrialState.PRUNED, intermediate_values=curves[2]))
    study.add_trial(create_trial(value=1.0))
    study.add_trial(create_trial(value=1.0, intermediate_values={0: 1.0}))
    study.ask()  # a killed worker leaves its trial running
    pruner = study.pruner
    assert isinstance(pruner, LowFidelityPruner)
    assert pruner.rule(study) is None
    add_full_trials(study, curves[2:])
    assert pruner.rule(study) is not None


def test_a_restarted_study_keeps_its_cutoff(make_storage):
    study = make_study(LowFidelityPruner(n_pilot_trials=5), make_storage())
    study.optimize(objective, n_trials=4)
    study.add_trial(create_trial(state=TrialState.FAIL, intermediate_values={1: 9.0}))
    study.ask()
    study.optimize(objective, n_trials=3)
    before = [dict(study.user_attrs), study.trials[-1].user_attrs[FIDELITY]]
    resumed = make_study(LowFidelityPruner(n_pilot_trials=5), make_storage())
    resumed.optimize(objective, n_trials=2)
    assert [dict(resumed.user_attrs), resumed.trials[-1].user_attrs[FIDELITY]] == before


def test_a_stored_rule_is_followed_rather_than_decided_again():
    pruner = LowFidelityPruner(n_pilot_trials=3)
    study = make_study(pruner)
    add_full_trials(study, parallel_curves(3))
    first = pruner.rule(study)
    assert first is not None
    study.set_user_attr(f"{RULE}3", first.to_json() | {"cutoff": 11.0})
    second = pruner.rule(study)
    assert second is not None
    assert second.cutoff == 11.0


def test_two_threads_agree_on_the_cutoff(make_storage):
    study = make_study(LowFidelityPruner(n_pilot_trials=4), make_storage())
    study.optimize(objective, n_trials=16, n_jobs=2)
    assert {t.state for t in study.trials} == {TrialState.COMPLETE, TrialState.PRUNED}
    rule = study.user_attrs[f"{RULE}4"]
    late = [t for t in study.trials[8:] if t.state == TrialState.PRUNED]
    assert {t.user_attrs[FIDELITY] for t in late} == {rule["cutoff"]}


def _decide_in_a_process(url: str, barrier, results) -> None:
    study = optuna.load_study(study_name="s", storage=url)
    pruner = LowFidelityPruner(n_pilot_trials=5)
    barrier.wait()
    rule = pruner.rule(study)
    assert rule is not None
    results.put(rule.to_json())


def test_two_processes_that_decide_at_once_agree(tmp_path):
    url = f"sqlite:///{tmp_path}/study.db"
    study = make_study(LowFidelityPruner(), RDBStorage(url))
    add_full_trials(study, parallel_curves(5))
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(2), context.Queue()
    workers = [
        context.Process(target=_decide_in_a_process, args=(url, barrier, results))
        for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    rules = [results.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
    assert rules[0] == rules[1] == study.user_attrs[f"{RULE}5"]


def test_a_share_of_the_later_trials_runs_to_the_end():
    study = make_study(LowFidelityPruner(n_pilot_trials=4, full_fraction=0.25))
    study.optimize(objective, n_trials=24)
    full = [t.number for t in study.trials if t.state == TrialState.COMPLETE]
    assert full == [0, 1, 2, 3, 7, 11, 15, 19, 23]


def test_further_full_trials_decide_anew_and_a_drift_is_said(caplog):
    pruner = LowFidelityPruner(n_pilot_trials=4, min_rank_correlation=0.9)
    study = make_study(pruner)
    add_full_trials(study, parallel_curves(4))
    early = pruner.rule(study)
    crossing = [
        {s: 2.0 + 0.1 * i + (s > 6) * (3.0 - 0.5 * i) for s in range(1, N_STEPS + 1)}
        for i in range(3)
    ]
    add_full_trials(study, crossing)
    late = pruner.rule(study)
    assert early is not None
    assert late is not None
    assert (early.n_pilots, late.n_pilots) == (4, 7)
    assert early.cutoff is not None
    assert late.cutoff is not None
    assert late.cutoff > early.cutoff
    assert f"After 7 full trials, training stops at step {late.cutoff} instead" in caplog.text


def test_the_pruner_survives_pickling():
    pruner = pickle.loads(pickle.dumps(LowFidelityPruner(cutoff=3)))
    study = make_study(pruner)
    study.optimize(objective, n_trials=1)
    assert study.trials[0].state == TrialState.PRUNED


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_pilot_trials": 2}, r"n_pilot_trials must be at least 3, but got 2\."),
        ({"min_rank_correlation": 1.5}, r"min_rank_correlation must be in \(0, 1\], but got 1.5"),
        ({"min_rank_correlation": 0.0}, r"min_rank_correlation must be in \(0, 1\], but got 0.0"),
        ({"cutoff": 0}, r"cutoff must be at least 1, but got 0\."),
        ({"n_fit_points": 1}, r"n_fit_points must be at least 2, but got 1\."),
        ({"extrapolate_by": -1.0}, r"extrapolate_by must be finite and >= 0, but got -1.0\."),
        ({"shrink": -1.0}, r"shrink must be finite and not negative, but got -1.0\."),
        ({"confidence": 0.0}, r"confidence must be between 0 and 1, but got 0.0\."),
        ({"full_fraction": 2.0}, r"full_fraction must be in \[0, 1\], but got 2.0\."),
    ],
)
def test_bad_settings_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        LowFidelityPruner(**options)


def test_a_study_of_several_objectives_is_refused():
    study = optuna.create_study(directions=["minimize", "maximize"])
    study.add_trial(create_trial(values=[1.0, 2.0]))
    with pytest.raises(ValueError, match=r"one objective .* but got 2 directions"):
        LowFidelityPruner().prune(study, study.trials[0])


def test_reports_that_go_backwards_are_said_and_read_in_the_order_of_steps(caplog):
    study = make_study(LowFidelityPruner(cutoff=4, extrapolate_by=1.0))
    trial = study.ask()
    for step in (1, 3, 2):
        trial.report(1.0 / step, step)
        assert not trial.should_prune()
    trial.report(0.25, 4)
    assert trial.should_prune()
    assert "Trial 0 reported step 2 after step 3" in caplog.text
    in_order = extrapolate([1, 2, 3, 4], [1, 1 / 2, 1 / 3, 1 / 4], delta=3, axis="log", shrink=25)
    assert attributes(study)[LABEL] == in_order.value


def test_a_cutoff_past_the_last_step_is_said_once_and_stops_no_trial(caplog):
    study = make_study(LowFidelityPruner(cutoff=N_STEPS + 1))
    study.optimize(objective, n_trials=3)
    assert {t.state for t in study.trials} == {TrialState.COMPLETE}
    assert caplog.text.count("is not before the last step") == 1
