"""Several threads, processes and storages; workers that are killed."""

import multiprocessing
import os
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Any

import optuna
import psutil
import pytest
from optuna.storages import BaseStorage, GrpcStorageProxy, InMemoryStorage, RDBStorage
from optuna.trial import TrialState

from optuna_predictor_rl import compare_searchers
from optuna_predictor_rl.comparison.marks import counts
from optuna_predictor_rl.comparison.workers import may_be_alive, working
from optuna_predictor_rl.study.attributes import COMPARISON_SETTINGS, WORKER
from tests.optuna_predictor_rl.comparison.searches import complete, of, parabola

SPAWN = multiprocessing.get_context("spawn")
ARMS = ["random", "tpe"]


def slow_parabola(trial: optuna.Trial) -> float:
    time.sleep(0.02)
    return parabola(trial)


def blocks_at(number: int, reached: Any) -> Any:
    def objective(trial: optuna.Trial) -> float:
        value = parabola(trial)
        if trial.number == number:
            reached.set()
            time.sleep(600)
        return value

    return objective


def start_and_block(url: str, number: int, reached: Any) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.load_study(study_name="s", storage=url)
    compare_searchers(study, blocks_at(number, reached), ARMS, n_shared=3, n_each=4, seed=0)


def join_in(url: str, barrier: Any) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.load_study(study_name="s", storage=url)
    barrier.wait()
    report = compare_searchers(study, slow_parabola, ARMS, n_shared=5, n_each=6, seed=0)
    assert [result.n_trials.item() for result in report.searchers] == [6, 6]


def killed_at(number: int, url: str) -> None:
    """Start a comparison in another process and kill it while it runs a trial."""
    reached = SPAWN.Event()
    worker = SPAWN.Process(target=start_and_block, args=(url, number, reached))
    worker.start()
    assert reached.wait(timeout=300)
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()


@pytest.mark.parametrize("number", [1, 6])
def test_a_killed_comparison_goes_on_without_loss_or_double_counting(
    number: int, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    study = optuna.create_study(study_name="s", storage=url)
    study.enqueue_trial({"x": 0.125})
    study.enqueue_trial({"x": -0.125})
    killed_at(number, url)
    assert [t.number for t in study.trials if t.state == TrialState.RUNNING] == [number]
    before = {t.number: t.params for t in study.trials if t.state == TrialState.COMPLETE}

    report = compare_searchers(study, parabola, ARMS, n_shared=3, n_each=4, seed=0)
    assert complete(study) == {"shared": 3, "random": 4, "tpe": 4}
    assert len(study.trials) == 12
    assert study.trials[number].state == TrialState.FAIL
    assert {k: study.trials[k].params for k in before} == before
    assert len({t.params["x"] for t in study.trials if t.state == TrialState.COMPLETE}) == 11
    shared = [t.params["x"] for t in of(study, "shared") if t.state == TrialState.COMPLETE]
    assert {0.125, -0.125} < set(shared)
    assert [result.n_failed.item() for result in report.searchers] == [0, 0]
    assert study.user_attrs[COMPARISON_SETTINGS]["n_each"] == 4


def test_two_threads_run_as_many_trials_as_one(storage: BaseStorage) -> None:
    study = optuna.create_study(storage=storage)
    report = compare_searchers(
        study, slow_parabola, ["random", "tpe", "nsga2"], n_shared=5, n_each=5, n_jobs=2
    )
    assert complete(study) == {"shared": 5, "random": 5, "tpe": 5, "nsga2": 5}
    assert len(study.trials) == 20
    assert report.shared.n_trials == 5
    shared_end = max(t.datetime_complete for t in of(study, "shared"))
    assert all(t.datetime_start >= shared_end for t in of(study, "tpe"))


def test_an_error_in_one_of_two_threads_ends_the_comparison() -> None:
    def broken(trial: optuna.Trial) -> float:
        if trial.number == 3:
            raise ArithmeticError("broken")
        return slow_parabola(trial)

    study = optuna.create_study()
    with pytest.raises(ArithmeticError, match="broken"):
        compare_searchers(study, broken, ARMS, n_shared=2, n_each=20, n_jobs=2)
    assert len(study.trials) < 10
    assert not [t for t in study.trials if t.state == TrialState.RUNNING]


def test_two_processes_share_the_work_of_one_comparison(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    study = optuna.create_study(study_name="s", storage=url)
    barrier = SPAWN.Barrier(2)
    workers = [SPAWN.Process(target=join_in, args=(url, barrier)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert complete(study) == {"shared": 5, "random": 6, "tpe": 6}
    pids = {t.system_attrs[WORKER]["pid"] for t in study.trials if counts(t)}
    assert len(pids) == 2
    assert len({t.params["x"] for t in study.trials if counts(t)}) == 17


def test_a_worker_makes_up_for_one_that_is_killed_beside_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    study = optuna.create_study(study_name="s", storage=url)
    reached = SPAWN.Event()
    worker = SPAWN.Process(target=start_and_block, args=(url, 0, reached))
    worker.start()
    assert reached.wait(timeout=300)
    assert worker.pid is not None
    killer = threading.Timer(3.0, os.kill, (worker.pid, signal.SIGKILL))
    killer.start()
    compare_searchers(study, parabola, ARMS, n_shared=3, n_each=4, seed=0)
    worker.join()
    assert complete(study) == {"shared": 3, "random": 4, "tpe": 4}
    assert study.trials[0].state == TrialState.FAIL


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_with_a_heartbeat_a_lost_trial_is_retried_by_its_searcher(tmp_path: Path) -> None:
    retry = optuna.storages.RetryHeartbeatStaleTrialCallback()
    storage = RDBStorage(
        f"sqlite:///{tmp_path}/study.db",
        heartbeat_interval=1,
        grace_period=2,
        heartbeat_stale_trial_callback=retry,
    )
    study = optuna.create_study(study_name="s", storage=storage)
    compare_searchers(study, parabola, ARMS, n_shared=1, n_each=2)
    lost = optuna.create_trial(
        state=TrialState.RUNNING,
        params={"x": 0.25},
        distributions={"x": optuna.distributions.FloatDistribution(-1.0, 1.0)},
        user_attrs={"predictor_rl:searcher": "tpe"},
        system_attrs={"fixed_params": {"x": 0.25}, WORKER: {"host": "elsewhere"}},
    )
    trial_id = study._storage.create_new_trial(study._study_id, lost)
    study._storage.record_heartbeat(trial_id)
    compare_searchers(study, parabola, ARMS, n_shared=1, n_each=3)
    assert complete(study) == {"shared": 1, "random": 3, "tpe": 3}
    (retried,) = [t for t in study.trials if t.number > 5 and t.params["x"] == 0.25]
    assert retried.user_attrs["predictor_rl:searcher"] == "tpe"


def test_a_trial_left_by_another_host_is_waited_for_until_it_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    study = optuna.create_study()
    left = optuna.create_trial(
        state=TrialState.RUNNING,
        user_attrs={"predictor_rl:searcher": "tpe"},
        system_attrs={WORKER: {"host": "elsewhere", "pid": 1, "started": 0.0, "call": "x"}},
    )
    study._storage.create_new_trial(study._study_id, left)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    report = compare_searchers(study, parabola, ARMS, n_shared=1, n_each=2, timeout=2.0)
    assert [report[name].n_trials.item() for name in ARMS] == [2, 1]
    assert "0 (on elsewhere)" in caplog.text
    study.tell(0, state=TrialState.FAIL)
    compare_searchers(study, parabola, ARMS, n_shared=1, n_each=2)
    assert complete(study) == {"shared": 1, "random": 2, "tpe": 2}


def test_a_comparison_runs_over_the_grpc_proxy() -> None:
    pytest.importorskip("grpc")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serve = threading.Thread(
        target=optuna.storages.run_grpc_proxy_server,
        args=(InMemoryStorage(),),
        kwargs={"host": "127.0.0.1", "port": port},
        daemon=True,
    )
    serve.start()
    proxy = GrpcStorageProxy(host="127.0.0.1", port=port)
    proxy.wait_server_ready(timeout=60)
    study = optuna.create_study(storage=proxy)
    compare_searchers(study, parabola, ARMS, n_shared=2, n_each=2, n_jobs=2)
    assert complete(study) == {"shared": 2, "random": 2, "tpe": 2}
    proxy.close()


def test_a_worker_is_alive_during_its_call_only() -> None:
    with working() as worker:
        assert may_be_alive(worker)
    assert not may_be_alive(worker)


def test_nothing_is_known_of_a_worker_on_another_host() -> None:
    with working() as worker:
        pass
    assert may_be_alive({**worker, "host": "elsewhere"})


def test_a_process_that_has_got_the_number_of_another_is_not_it() -> None:
    other = {"host": socket.gethostname(), "pid": os.getppid(), "call": "other"}
    started = psutil.Process(os.getppid()).create_time()
    assert may_be_alive({**other, "started": started})
    assert not may_be_alive({**other, "started": started - 60.0})
