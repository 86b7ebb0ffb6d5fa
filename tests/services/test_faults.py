"""Servers that stop and workers that are killed: nothing is lost, and the study goes on."""

import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
import sqlalchemy
import torch
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, GrpcStorageProxy, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.study import Study
from optuna.trial import Trial, TrialState, create_trial

from optuna_predictor_rl.study.attributes import RULE
from tests.services import workers
from tests.services.postgres import PostgresServer, free_port
from tests.services.workers import exit_code, objective, start

Opened = Callable[[str | BaseStorage], BaseStorage]
STORAGE_ERRORS = (StorageInternalError, sqlalchemy.exc.OperationalError)


def create(where: str, opened: Opened, *, heartbeat: bool = False) -> Study:
    return optuna.create_study(
        study_name="s",
        storage=opened(workers.connect(where, heartbeat=heartbeat)),
        sampler=workers.tiny_sampler(),
        pruner=workers.pruner(),
    )


def suggest(trial: Trial) -> int:
    return trial.suggest_int("x", 0, 19) + trial.suggest_int("y", 0, 19)


@pytest.fixture(params=["postgres", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/study.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.url


@pytest.mark.parametrize("die", [workers.die_in_the_middle, workers.die_in_sample_relative])
def test_the_trial_of_a_killed_worker_is_retried(
    url: str, opened: Opened, tmp_path: Path, die: Callable[[str], None]
) -> None:
    study = create(url, opened, heartbeat=True)
    study.optimize(objective, n_trials=5)
    assert exit_code(start(die, url)) == -signal.SIGKILL
    killed = study.trials[-1]
    assert killed.state == TrialState.RUNNING
    time.sleep(workers.GRACE + 1)
    assert exit_code(start(workers.work, url, 8, tmp_path)) == 0
    trials = study.get_trials()
    assert trials[killed.number].state == TrialState.FAIL
    retried = [t for t in trials if t.system_attrs.get("failed_trial") == killed.number]
    assert [t.state for t in retried] in ([TrialState.COMPLETE], [TrialState.PRUNED])
    assert killed.params.items() <= retried[0].params.items()
    assert sum(t.state in workers.FINISHED for t in trials) == 8


def test_a_server_that_restarts_between_ask_and_tell_is_not_noticed(
    postgres: PostgresServer, opened: Opened
) -> None:
    study = create(postgres.url, opened)
    study.optimize(objective, n_trials=5)
    trial = study.ask()
    value = suggest(trial)
    postgres.stop()
    postgres.start()
    study.tell(trial, float(value))
    assert study.trials[-1].value == value
    study.optimize(objective, n_trials=1)
    assert len(study.trials) == 7


def test_while_the_server_is_away_its_error_is_raised_and_then_the_study_goes_on(
    postgres: PostgresServer, opened: Opened
) -> None:
    study = create(postgres.url, opened)
    study.optimize(objective, n_trials=5)
    n_threads = torch.get_num_threads()
    trial = study.ask()
    postgres.stop()
    with pytest.raises(STORAGE_ERRORS):
        suggest(trial)  # in the sampler
    with pytest.raises(STORAGE_ERRORS):
        study.ask()
    with pytest.raises(STORAGE_ERRORS):
        study.tell(trial, 1.0)
    postgres.start()
    assert torch.get_num_threads() == n_threads
    value = suggest(trial)
    study.tell(trial, float(value))
    study.optimize(objective, n_trials=2)
    assert [t.state in workers.FINISHED for t in study.trials] == [True] * 8


def test_two_processes_that_decide_the_cutoff_at_once_decide_it_once(
    url: str, opened: Opened
) -> None:
    study = create(url, opened)
    steps = range(1, workers.N_STEPS + 1)
    for i in range(workers.N_PILOTS):
        curve = {step: i / 10 + 1.0 / step for step in steps}
        study.add_trial(create_trial(value=curve[workers.N_STEPS], intermediate_values=curve))
    barrier, results = workers.CONTEXT.Barrier(2), workers.CONTEXT.Queue()
    deciding = [start(workers.decide, url, barrier, results) for _ in range(2)]
    rules = [results.get(timeout=120) for _ in deciding]
    assert [exit_code(process) for process in deciding] == [0, 0]
    key = f"{RULE}{workers.N_PILOTS}"
    assert [k for k in study.user_attrs if k.startswith(RULE)] == [key]
    assert rules[0] == rules[1] == study.user_attrs[key]


def test_a_full_disk_is_the_storages_error_and_the_study_goes_on_once_there_is_room(
    tmp_path: Path, opened: Opened
) -> None:
    """SQLite is given no page beyond those that the database has."""
    path = tmp_path / "study.db"
    study = create(f"sqlite:///{path}", opened)
    study.optimize(objective, n_trials=5)
    with sqlite3.connect(path) as database:
        n_pages = database.execute("PRAGMA page_count").fetchone()[0]
    database.close()
    full = RDBStorage(f"sqlite:///{path}")
    opened(full)
    limit = f"PRAGMA max_page_count = {n_pages}"
    sqlalchemy.event.listen(full.engine, "connect", lambda c, _: c.execute(limit))
    full.engine.dispose()
    beside = optuna.load_study(study_name="s", storage=full, sampler=workers.tiny_sampler())
    with pytest.raises(STORAGE_ERRORS) as raised:
        beside.optimize(objective, n_trials=500)
    assert "database or disk is full" in f"{raised.value} {raised.value.__cause__}"
    n_before = len(study.get_trials(states=workers.FINISHED))
    assert n_before >= 5
    study.optimize(objective, n_trials=2)
    assert len(study.get_trials(states=workers.FINISHED)) == n_before + 2


def test_a_proxy_that_restarts_between_ask_and_tell_is_not_noticed(
    postgres: PostgresServer, opened: Opened
) -> None:
    create(postgres.url, opened)
    port = free_port()
    proxy = start(workers.serve, postgres.url, port)
    storage = GrpcStorageProxy(port=port)
    storage.wait_server_ready(timeout=120)
    study = optuna.load_study(study_name="s", storage=storage, sampler=workers.tiny_sampler())
    study.optimize(objective, n_trials=6)
    trial = study.ask()
    value = suggest(trial)
    proxy.kill()
    proxy.join()
    proxy = start(workers.serve, postgres.url, port)
    storage.wait_server_ready(timeout=120)
    study.tell(trial, float(value))
    assert [t.state in workers.FINISHED for t in study.trials] == [True] * 7
    assert study.trials[-1].value == value
    storage.close()
    proxy.kill()
    proxy.join()


def test_the_lock_of_a_worker_that_was_killed_while_it_wrote_is_taken_over(
    tmp_path: Path,
) -> None:
    path = f"{tmp_path}/study.log"
    lock = JournalFileOpenLock(path, grace_period=3)
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(path, lock)), sampler=workers.tiny_sampler()
    )
    study.optimize(objective, n_trials=5)
    JournalFileOpenLock(path).acquire()  # and never released
    study.optimize(objective, n_trials=1)
    assert len(study.get_trials(states=workers.FINISHED)) == 6
