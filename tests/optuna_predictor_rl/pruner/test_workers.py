import multiprocessing
import pickle

import optuna
from optuna.samplers import RandomSampler
from optuna.storages import RDBStorage
from optuna.trial import TrialState, create_trial

from optuna_predictor_rl.pruner import LowFidelityPruner
from optuna_predictor_rl.study.attributes import FIDELITY, RULE
from tests.optuna_predictor_rl.pruner.studies import (
    add_full_trials,
    followed_rule,
    make_study,
    objective,
    parallel_curves,
    rule_of,
)


def test_a_restarted_study_keeps_its_cutoff(make_storage):
    study = make_study(LowFidelityPruner(n_pilot_trials=5, promising=1.0), make_storage())
    study.optimize(objective, n_trials=4)
    study.add_trial(create_trial(state=TrialState.FAIL, intermediate_values={1: 9.0}))
    study.ask()
    study.optimize(objective, n_trials=3)
    before = [dict(study.user_attrs), study.trials[-1].user_attrs[FIDELITY]]
    resumed = make_study(LowFidelityPruner(n_pilot_trials=5, promising=1.0), make_storage())
    resumed.optimize(objective, n_trials=2)
    assert [dict(resumed.user_attrs), resumed.trials[-1].user_attrs[FIDELITY]] == before


def test_a_stored_rule_is_followed_rather_than_decided_again():
    pruner = LowFidelityPruner(n_pilot_trials=3, promising=1.0)
    study = make_study(pruner)
    add_full_trials(study, parallel_curves(3))
    study.set_user_attr(f"{RULE}3", rule_of(study).to_json() | {"cutoff": 11.0})
    assert rule_of(study).cutoff == 11.0


def test_two_threads_agree_on_the_cutoff(make_storage):
    study = make_study(LowFidelityPruner(n_pilot_trials=4, promising=1.0), make_storage())
    study.optimize(objective, n_trials=16, n_jobs=2)
    assert {t.state for t in study.trials} == {TrialState.COMPLETE, TrialState.PRUNED}
    rule = study.user_attrs[f"{RULE}4"]
    late = [t for t in study.trials[8:] if t.state == TrialState.PRUNED]
    assert {t.user_attrs[FIDELITY] for t in late} == {rule["cutoff"]}


def _decide_in_a_process(url: str, barrier, results) -> None:
    pruner = LowFidelityPruner(n_pilot_trials=5, promising=1.0)
    study = optuna.load_study(study_name="s", storage=url, pruner=pruner)
    barrier.wait()
    rule = followed_rule(study)
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


def _search_in_a_process(url: str, barrier, seed: int) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.load_study(
        study_name="s",
        storage=url,
        pruner=LowFidelityPruner(n_pilot_trials=4, promising=1.0),
        sampler=RandomSampler(seed=seed),
    )
    barrier.wait()
    study.optimize(objective, n_trials=10)


def test_two_processes_that_search_one_study_stop_at_one_cutoff(tmp_path):
    url = f"sqlite:///{tmp_path}/study.db"
    study = make_study(LowFidelityPruner(), RDBStorage(url))
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    workers = [
        context.Process(target=_search_in_a_process, args=(url, barrier, seed))
        for seed in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert {t.state for t in study.trials} == {TrialState.COMPLETE, TrialState.PRUNED}
    assert [key for key in study.user_attrs if key.startswith(RULE)] == [f"{RULE}4"]
    cutoff = study.user_attrs[f"{RULE}4"]["cutoff"]
    pruned = [t for t in study.trials if t.state == TrialState.PRUNED]
    began_before = min(t.datetime_start for t in pruned)  # was running when the rule was made
    late = [t for t in pruned if t.datetime_start > began_before]
    assert {t.user_attrs[FIDELITY] for t in late} == {cutoff}


def test_the_pruner_survives_pickling():
    pruner = pickle.loads(pickle.dumps(LowFidelityPruner(cutoff=3)))
    study = make_study(pruner)
    study.optimize(objective, n_trials=1)
    assert study.trials[0].state == TrialState.PRUNED
