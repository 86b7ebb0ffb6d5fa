"""Who runs how many trials, and when."""

import time

import optuna
import pytest
from optuna.samplers import GridSampler
from optuna.storages import BaseStorage
from optuna.trial import TrialState

from optuna_predictor_rl import compare_searchers
from optuna_predictor_rl.study.attributes import EVALUATION_SECONDS, SUGGESTION_SECONDS
from tests.optuna_predictor_rl.comparison.searches import complete, of, order, parabola


def test_searchers_take_turns_after_the_shared_trials(storage: BaseStorage) -> None:
    study = optuna.create_study(storage=storage)
    compare_searchers(study, parabola, ["tpe", "random"], n_shared=3, n_each=2)
    assert order(study) == ["shared"] * 3 + ["tpe", "random"] * 2


def test_enqueued_trials_are_shared_and_run_first(storage: BaseStorage) -> None:
    study = optuna.create_study(storage=storage)
    study.enqueue_trial({"x": 0.125}, user_attrs={"known": True})
    study.enqueue_trial({"x": -0.125})
    compare_searchers(study, parabola, ["random", "tpe"], n_shared=3, n_each=1)
    assert order(study) == ["shared"] * 3 + ["random", "tpe"]
    assert [t.params["x"] for t in study.trials[:2]] == [0.125, -0.125]
    assert study.trials[0].user_attrs["known"]


def test_a_trial_enqueued_in_the_middle_is_a_further_shared_one(storage: BaseStorage) -> None:
    study = optuna.create_study(storage=storage)

    def objective(trial: optuna.Trial) -> float:
        if trial.number == 3:
            study.enqueue_trial({"x": 0.125})
        return parabola(trial)

    compare_searchers(study, objective, ["random", "tpe"], n_shared=2, n_each=2)
    assert order(study) == ["shared"] * 2 + ["random", "tpe", "shared", "random", "tpe"]
    assert study.trials[4].params["x"] == 0.125


def test_a_trial_that_the_objective_enqueues_is_the_searchers_own(storage: BaseStorage) -> None:
    study = optuna.create_study(storage=storage)

    def objective(trial: optuna.Trial) -> float:
        if trial.number == 1:
            trial.study.enqueue_trial({"x": 0.125})
        return parabola(trial)

    compare_searchers(study, objective, ["random", "tpe"], n_shared=1, n_each=2)
    assert order(study) == ["shared", "random", "random", "tpe", "tpe"]
    assert study.trials[2].params["x"] == 0.125
    assert study.trials[2].datetime_start > study.trials[3].datetime_start  # in its turn


def test_pruned_trials_and_failures_to_be_caught_count(storage: BaseStorage) -> None:
    def objective(trial: optuna.Trial) -> float:
        x = parabola(trial)
        trial.report(x, step=1)
        if trial.number % 4 == 1:
            raise optuna.TrialPruned
        if trial.number % 4 == 2:
            raise ArithmeticError
        return float("nan") if trial.number % 4 == 3 else x

    study = optuna.create_study(storage=storage)
    report = compare_searchers(
        study, objective, ["random", "tpe"], n_shared=4, n_each=4, catch=ArithmeticError
    )
    assert len(study.trials) == 12
    assert [report.shared.n_trials, report.shared.n_pruned, report.shared.n_failed] == [4, 1, 2]
    assert report["tpe"].n_trials == report["random"].n_trials == 4
    assert report["tpe"].n_failed + report["random"].n_failed == 4


def test_an_error_ends_the_comparison_and_its_trial_is_made_up_for(storage: BaseStorage) -> None:
    study = optuna.create_study(storage=storage)

    def broken(trial: optuna.Trial) -> float:
        if trial.number == 3:
            raise ArithmeticError("broken")
        return parabola(trial)

    with pytest.raises(ArithmeticError, match="broken"):
        compare_searchers(study, broken, ["random", "tpe"], n_shared=2, n_each=2)
    assert len(study.trials) == 4
    report = compare_searchers(study, parabola, ["random", "tpe"], n_shared=2, n_each=2)
    assert complete(study) == {"shared": 2, "random": 2, "tpe": 2}
    assert len(study.trials) == 7
    assert report["tpe"].n_failed == 0


def test_an_interrupted_trial_out_of_the_queue_goes_back_to_it(storage: BaseStorage) -> None:
    study = optuna.create_study(storage=storage)
    study.enqueue_trial({"x": 0.125})

    def interrupted(_: optuna.Trial) -> float:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare_searchers(study, interrupted, ["random"], n_shared=2, n_each=1)
    compare_searchers(study, parabola, ["random"], n_shared=2, n_each=1)
    assert [t.state for t in study.trials] == [TrialState.FAIL] + [TrialState.COMPLETE] * 3
    assert study.trials[1].params["x"] == 0.125
    assert complete(study) == {"shared": 2, "random": 1}


def test_a_comparison_goes_on_to_higher_totals_and_other_searchers(storage: BaseStorage) -> None:
    study = optuna.create_study(storage=storage)
    compare_searchers(study, parabola, ["random", "tpe"], n_shared=2, n_each=1)
    compare_searchers(study, parabola, ["random", "tpe"], n_shared=2, n_each=1)
    assert len(study.trials) == 4
    compare_searchers(study, parabola, ["random", "tpe", "nsga2"], n_shared=2, n_each=2)
    assert complete(study) == {"shared": 2, "random": 2, "tpe": 2, "nsga2": 2}
    assert order(study)[4] == "nsga2"  # it is behind


def test_a_searcher_that_has_no_more_to_suggest_leaves_the_others_their_turns() -> None:
    def objective(trial: optuna.Trial) -> float:
        return float(trial.suggest_int("n", 0, 3))

    study = optuna.create_study()
    grid = GridSampler({"n": [0, 1, 2, 3]}, seed=0)
    compare_searchers(study, objective, {"grid": grid, "random": "random"}, n_shared=0, n_each=6)
    assert {t.params["n"] for t in of(study, "grid")} == {0, 1, 2, 3}
    assert len(of(study, "random")) == 6
    assert len(of(study, "grid")) < 6


def test_no_trial_starts_after_the_timeout() -> None:
    study = optuna.create_study()

    def objective(trial: optuna.Trial) -> float:
        if trial.number == 3:
            time.sleep(1.6)
        return parabola(trial)

    report = compare_searchers(study, objective, ["random"], n_shared=2, n_each=9, timeout=1.5)
    assert len(study.trials) <= 4
    assert report["random"].n_trials <= 2


def test_times_are_recorded_and_add_up() -> None:
    class Slow(optuna.samplers.RandomSampler):
        def sample_independent(self, *arguments: object) -> object:
            time.sleep(0.05)
            return super().sample_independent(*arguments)

    def objective(trial: optuna.Trial) -> float:
        time.sleep(0.1)
        return trial.suggest_float("x", 0.0, 1.0) + trial.suggest_float("y", 0.0, 1.0)

    study = optuna.create_study()
    compare_searchers(study, objective, {"slow": Slow()}, n_shared=0, n_each=1)
    (trial,) = study.trials
    suggestion, evaluation = (
        trial.user_attrs[k] for k in (SUGGESTION_SECONDS, EVALUATION_SECONDS)
    )
    assert suggestion >= 0.1
    assert evaluation >= 0.1
    assert suggestion + evaluation <= trial.duration.total_seconds() + 1e-3


def test_the_progress_bar_counts_what_has_ended(capsys: pytest.CaptureFixture[str]) -> None:
    study = optuna.create_study()
    compare_searchers(study, parabola, ["random"], n_shared=2, n_each=1)
    options = {"n_shared": 2, "n_each": 3, "show_progress_bar": True}
    compare_searchers(study, parabola, ["random"], **options)
    shown = capsys.readouterr().err
    assert "3/5" in shown
    assert "5/5" in shown
    assert f"best {study.best_value:.6g}" in shown


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_shared": -1}, "n_shared must be at least 0, but got -1."),
        ({"n_each": 0}, "n_each must be at least 1, but got 0."),
        ({"n_jobs": 0}, "n_jobs must be at least 1, or -1, but got 0."),
        ({"timeout": -1.0}, "timeout must be positive, but got -1.0."),
        ({"searchers": {}}, "searchers must have at least one entry, but got none."),
        ({"searchers": ["tpe", "tpe"]}, "searchers must have different names"),
        ({"searchers": {"shared": "tpe"}}, "searchers must not be named 'shared'"),
        ({"searchers": {"a:b": "tpe"}}, "searchers must have names without a colon"),
        ({"searchers": ["bogus"]}, "searcher 'bogus' must be one of .*'tpe'.* got 'bogus'"),
        ({"searchers": {"a": optuna.samplers.TPESampler}}, "searcher 'a' must be a sampler"),
        ({"shared_searcher": "bogus"}, "searcher 'shared' must be one of"),
    ],
)
def test_bad_arguments_are_told_before_any_trial(options: dict, message: str) -> None:
    study = optuna.create_study()
    arguments = {"searchers": ["random"], "n_shared": 1, "n_each": 1} | options
    with pytest.raises(ValueError, match=message):
        compare_searchers(study, parabola, **arguments)
    assert not study.trials


def test_one_name_is_no_list_of_names() -> None:
    with pytest.raises(TypeError, match=r"searchers must be .*, but got 'tpe'"):
        compare_searchers(optuna.create_study(), parabola, "tpe")


def test_a_study_with_several_objectives_is_refused() -> None:
    study = optuna.create_study(directions=["minimize", "maximize"])
    with pytest.raises(ValueError, match="study must have one objective, but got one with 2"):
        compare_searchers(study, parabola, ["random"])


def test_the_protocol_cannot_change_in_the_middle() -> None:
    study = optuna.create_study()
    compare_searchers(study, parabola, ["random"], n_shared=1, n_each=1, protocol="batch")
    with pytest.raises(ValueError, match="protocol must be 'batch', as the study was begun"):
        compare_searchers(study, parabola, ["random"], n_shared=1, n_each=2)
