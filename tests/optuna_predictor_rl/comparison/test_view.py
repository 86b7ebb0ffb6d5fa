"""A searcher sees the shared trials and its own, whichever way it looks."""

import optuna
import pytest
from optuna.storages import BaseStorage
from optuna.trial import TrialState

from optuna_predictor_rl import compare_searchers
from optuna_predictor_rl.comparison.marks import SHARED
from optuna_predictor_rl.comparison.view import ArmStorage
from tests.optuna_predictor_rl.comparison.searches import of, parabola
from tests.optuna_predictor_rl.comparison.spies import SpyPruner, SpySampler

NAMES = ("a", "b", "c")


def numbers(study: optuna.Study, searcher: str) -> set[int]:
    return {trial.number for trial in of(study, searcher)}


def reported_parabola(trial: optuna.Trial) -> float:
    trial.report(1.0, step=1)
    trial.should_prune()
    return parabola(trial)


@pytest.mark.parametrize("protocol", ["sequential", "batch"])
def test_a_searcher_sees_the_shared_trials_and_its_own_only(
    storage: BaseStorage, protocol: str
) -> None:
    SpyPruner.log.clear()
    study = optuna.create_study(storage=storage, pruner=SpyPruner())
    spies = {name: SpySampler(name) for name in NAMES}
    compare_searchers(
        study, reported_parabola, spies, n_shared=3, n_each=3, protocol=protocol, n_jobs=1
    )
    shared = numbers(study, "shared")
    assert len(study.trials) == 12
    for name, spy in spies.items():
        own = numbers(study, name)
        assert len(spy.seen) == len(own) == 3
        for number, seen in spy.seen.items():
            assert set(seen) == shared | {k for k in own if k <= number}
        assert spy.ids == {t._trial_id for t in study.trials if t.number in shared | own}
        assert spy.notes == {f"note:{name}"}
    for number, seen in SpyPruner.log.items():
        owner = study.trials[number].user_attrs["predictor_rl:searcher"]
        assert seen == {k for k in shared | numbers(study, owner) if k <= number}


def test_a_searcher_sees_the_results_of_its_own_trials(storage: BaseStorage) -> None:
    study = optuna.create_study(storage=storage)
    spy = SpySampler("a")
    compare_searchers(study, parabola, {"a": spy, "b": SpySampler("b")}, n_shared=2, n_each=3)
    first, second, last = of(study, "a")
    seen = spy.seen[last.number]
    assert [seen[t.number].value for t in (first, second)] == [first.value, second.value]
    assert spy.values == [first.value, second.value, last.value]


def test_a_study_that_a_searcher_writes_on_shows_the_notes_of_the_shared_part_to_all(
    storage: BaseStorage,
) -> None:
    study = optuna.create_study(storage=storage)
    study.set_user_attr("note:user", 1)
    shared, spy = SpySampler("shared"), SpySampler("a")
    compare_searchers(study, parabola, {"a": spy}, n_shared=2, n_each=2, shared_searcher=shared)
    assert spy.notes == {"note:user", "note:shared", "note:a"}
    assert shared.notes == {"note:user", "note:shared"}


def test_trials_that_were_there_before_are_shared(storage: BaseStorage) -> None:
    study = optuna.create_study(storage=storage)
    study.optimize(parabola, n_trials=3)
    spy = SpySampler("a")
    compare_searchers(study, parabola, {"a": spy}, n_shared=4, n_each=1)
    assert [t.user_attrs.get("predictor_rl:searcher") for t in study.trials] == [None] * 3 + [
        "shared",
        "a",
    ]
    assert set(spy.seen[4]) == {0, 1, 2, 3, 4}


def test_trials_of_other_studies_are_not_hidden(storage: BaseStorage) -> None:
    other = optuna.create_study(storage=storage)
    compare_searchers(other, parabola, ["random", "tpe"], n_shared=1, n_each=1)
    found = []

    class ReadsAnother(SpySampler):
        def before_trial(self, study: optuna.Study, _: optuna.trial.FrozenTrial) -> None:
            found.append(study._storage.get_n_trials(other._study_id))

    study = optuna.create_study(storage=storage)
    compare_searchers(study, parabola, {"a": ReadsAnother("a")}, n_shared=0, n_each=1)
    assert found == [3]


def test_a_waiting_trial_of_a_searcher_is_run_by_it(storage: BaseStorage) -> None:
    study = optuna.create_study(storage=storage)
    study.add_trial(
        optuna.create_trial(
            state=TrialState.WAITING,
            user_attrs={"predictor_rl:searcher": "b"},
            system_attrs={"fixed_params": {"x": 0.25}},
        )
    )
    compare_searchers(study, parabola, {"a": "random", "b": "random"},
                      n_shared=2, n_each=2)  # fmt: skip
    assert of(study, "b")[0].params["x"] == 0.25
    assert all(t.params["x"] != 0.25 for t in study.trials[1:])
    assert len(study.trials) == 6


def test_the_shared_queue_is_seen_by_the_shared_part_alone(storage: BaseStorage) -> None:
    study = optuna.create_study(storage=storage)
    study.enqueue_trial({"x": 0.25})
    seen = {}
    for searcher in (SHARED, "a"):
        view = ArmStorage(study, searcher, worker={})
        seen[searcher] = [trial.state for trial in view.get_all_trials(study._study_id)]
    assert seen == {SHARED: [TrialState.WAITING], "a": []}


def test_a_pruner_that_decides_in_memory_has_a_copy_for_each_searcher() -> None:
    class Counts(optuna.pruners.BasePruner):
        def __init__(self) -> None:
            self.asked = 0

        def prune(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> bool:
            self.asked += 1
            trials = study.get_trials(deepcopy=False)
            assert self.asked == sum(
                t.user_attrs["predictor_rl:searcher"] == trial.user_attrs["predictor_rl:searcher"]
                for t in trials
            )
            return False

    study = optuna.create_study(pruner=Counts())
    compare_searchers(study, reported_parabola, ["random", "tpe"], n_shared=2, n_each=3)
    assert len(study.trials) == 8
