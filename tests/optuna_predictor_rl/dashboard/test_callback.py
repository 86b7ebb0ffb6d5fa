"""When the callback publishes, what, and that nothing it does fails a study."""

import logging
import pickle
import threading
from typing import Any

import optuna
import pytest
from optuna.study import Study
from optuna.trial import TrialState
from optuna_dashboard import get_note, save_note
from optuna_dashboard._custom_plot_data import get_plotly_graph_objects

from optuna_predictor_rl.dashboard import DashboardCallback, callback, publication, publish
from optuna_predictor_rl.dashboard.figures import FIGURES
from optuna_predictor_rl.sampler import PredictorRLSampler
from optuna_predictor_rl.study.attributes import PUBLISHED
from tests.optuna_predictor_rl.dashboard.studies import searched, tiny


def parabola(trial: optuna.Trial) -> float:
    return trial.suggest_float("x", -1, 1) ** 2


def figures(study: Study) -> dict[str, str]:
    return get_plotly_graph_objects(study._storage.get_study_system_attrs(study._study_id))


@pytest.fixture
def publications(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many trials a study had at each publication, none of which is made."""
    made: list[int] = []

    def count(study: Study, *_: Any) -> list[str]:
        made.append(len(study.trials))
        return []

    monkeypatch.setattr(callback, "publish_all", count)
    return made


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time of the callback in a list, to be changed."""
    now = [1000.0]
    monkeypatch.setattr(callback.time, "time", lambda: now[0])
    return now


def test_a_study_with_everything_publishes_every_figure_under_a_stable_name() -> None:
    study = searched(20, callbacks=[DashboardCallback(every=20)])
    first = figures(study)
    assert set(first) == set(FIGURES)
    assert publish(study) == [*FIGURES, "note"]
    assert set(figures(study)) == set(FIGURES)
    assert all(len(figure) < 60_000 for figure in first.values())


def test_trials_show_what_was_expected_of_them_once_the_callback_has_been_called() -> None:
    study = searched(20, callbacks=[DashboardCallback(every=10)])
    last = study.trials[-1].user_attrs
    assert {
        "predictor_rl:phase",
        "predictor_rl:predicted_value",
        "predictor_rl:predicted_value_std",
        "predictor_rl:predicted_cost",
    } <= set(last)
    assert {"predictor_rl:feasible", "predictor_rl:violation"} <= set(last)
    stopped = [t for t in study.trials if "predictor_rl:low_fidelity_label" in t.user_attrs]
    assert stopped
    assert all("predictor_rl:fidelity" in trial.user_attrs for trial in stopped)


def test_a_young_study_publishes_a_note_only() -> None:
    study = optuna.create_study(sampler=tiny())
    study.optimize(parabola, n_trials=2)
    assert publish(study) == ["note"]
    assert figures(study) == {}


def test_another_sampler_has_no_predictor_to_show() -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(parabola, n_trials=20)
    assert publish(study) == ["note"]
    shown = publish(study, sampler=tiny())
    assert "predictor-calibration" in shown
    assert "pareto-front" not in shown


def test_several_objectives_publish_the_predictors_figures_and_a_note() -> None:
    study = optuna.create_study(
        directions=["minimize", "maximize"], sampler=optuna.samplers.RandomSampler(seed=0)
    )
    study.optimize(lambda trial: (parabola(trial), 1.0), n_trials=20)
    assert publish(study) == ["note"]
    assert "Pareto front" in get_note(study)
    shown = ["predictor-calibration", "policy-probabilities", "decision-importance", "note"]
    assert set(shown) < set(publish(study, sampler=tiny()))


def test_it_publishes_after_every_few_trials(publications: list[int]) -> None:
    study = optuna.create_study(sampler=tiny())
    due = DashboardCallback(every=4, min_seconds=0.0)
    study.optimize(parabola, n_trials=10, callbacks=[due])
    assert publications == [4, 8]


def test_workers_share_the_pause_between_publications(
    publications: list[int], now: list[float]
) -> None:
    study = optuna.create_study(sampler=tiny())
    for seconds in (0.0, 5.0, 6.0):  # 1000, 1005, 1011: the second comes too early
        now[0] += seconds
        another_worker = pickle.loads(pickle.dumps(DashboardCallback(every=1)))
        study.optimize(parabola, n_trials=1, callbacks=[another_worker])
    assert publications == [1, 3]


def test_publishing_takes_a_tenth_of_the_time_at_most(
    publications: list[int], now: list[float]
) -> None:
    study = optuna.create_study(sampler=tiny())
    study.set_user_attr(PUBLISHED, {"time": 1000.0, "seconds": 7.0})
    for seconds in (60.0, 9.0, 2.0):
        now[0] += seconds
        study.optimize(parabola, n_trials=1, callbacks=[DashboardCallback(every=1)])
    assert publications == [3]


def test_a_clock_of_another_machine_that_is_far_ahead_stops_no_publication(
    publications: list[int], now: list[float]
) -> None:
    study = optuna.create_study(sampler=tiny())
    study.set_user_attr(PUBLISHED, {"time": now[0] + 1e6, "seconds": 1.0})
    study.optimize(parabola, n_trials=1, callbacks=[DashboardCallback(every=1)])
    assert publications == [1]


def test_a_figure_that_fails_is_left_out_with_one_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("no ink")

    monkeypatch.setitem(publication.FIGURES, "learning-curves", broken)
    with caplog.at_level(logging.WARNING):
        study = searched(20, callbacks=[DashboardCallback(every=10, min_seconds=0.0)])
    assert set(figures(study)) == set(FIGURES) - {"learning-curves"}
    warnings = [r for r in caplog.records if "dashboard" in r.getMessage()]
    assert len({id(record) for record in warnings}) == 1  # two loggers hand it on
    assert warnings[0].getMessage() == (
        "learning-curves was not published to optuna-dashboard, and the study goes on: "
        "RuntimeError: no ink"
    )


def test_a_storage_that_refuses_fails_no_trial(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(callback, "set_study_attribute", refuse)
    with caplog.at_level(logging.WARNING):
        study = optuna.create_study(sampler=tiny())
        due = DashboardCallback(every=1, min_seconds=0.0)
        study.optimize(parabola, n_trials=3, callbacks=[due])
    assert [trial.state.name for trial in study.trials] == ["COMPLETE"] * 3
    assert len({id(r) for r in caplog.records if "disk full" in r.getMessage()}) == 1


def test_threads_publish_without_waiting_for_each_other() -> None:
    study = optuna.create_study(sampler=tiny())
    due = DashboardCallback(every=2, min_seconds=0.0)
    study.optimize(parabola, n_trials=24, n_jobs=4, callbacks=[due])
    assert "predictor-calibration" in figures(study)
    assert len(study.trials) == 24


def test_a_thread_passes_by_while_another_one_publishes(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    entered, may_end = threading.Event(), threading.Event()

    def blocked(*_: object) -> list[str]:
        begun.append(1)
        entered.set()
        may_end.wait(60 if len(begun) == 1 else 0)
        return []

    monkeypatch.setattr(callback, "publish_all", blocked)
    study = optuna.create_study(sampler=tiny())
    study.optimize(parabola, n_trials=1)
    due = DashboardCallback(every=1, min_seconds=0.0)
    first = threading.Thread(target=due, args=(study, study.trials[0]))
    first.start()
    assert entered.wait(60)
    due(study, study.trials[0])
    may_end.set()
    first.join(60)
    assert len(begun) == 1
    due(study, study.trials[0])
    assert len(begun) == 2


def test_what_users_write_above_and_below_the_note_stays() -> None:
    study = searched(3)
    save_note(study, "# My study\n\nof shoes")
    publish(study, figures=())
    first = get_note(study)
    save_note(study, first + "\n- a remark\n\n    code")
    study.add_trial(optuna.create_trial(state=TrialState.FAIL))
    publish(study, figures=())
    note = get_note(study)
    assert note.startswith("# My study\n\nof shoes\n\n")
    assert note.endswith("\n\n- a remark\n\n    code\n")
    assert note.count("# State of the search") == 1
    assert "**Trials.** 3:" in first
    assert "**Trials.** 4:" in note
    publish(study, figures=())
    assert get_note(study) == note


def test_a_remark_written_while_the_note_is_made_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    study = searched(3)

    def slow(_: object) -> str:
        save_note(study, "a remark")
        return "state"

    monkeypatch.setattr(publication, "state_of_the_search", slow)
    publish(study, figures=())
    assert get_note(study).startswith("a remark\n")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 0}, "every must be at least 1, but got 0."),
        ({"min_seconds": -1.0}, "min_seconds must not be negative, but got -1.0."),
        ({"figures": ["art"]}, r"figures must be among .*, but got \['art'\]."),
    ],
)
def test_wrong_arguments_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DashboardCallback(**options)


def test_a_callback_given_a_sampler_turns_its_predictions_on() -> None:
    sampler = PredictorRLSampler(seed=0)
    study = optuna.create_study(sampler=sampler)
    study.optimize(parabola, n_trials=1, callbacks=[DashboardCallback()])
    assert sampler.store_predictions
