"""Workers as processes of their own, and what they do in tests."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import (
    BaseStorage,
    GrpcStorageProxy,
    JournalStorage,
    RDBStorage,
    RetryHeartbeatStaleTrialCallback,
    get_storage,
)
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.study import MaxTrialsCallback, Study
from optuna.trial import FrozenTrial, Trial, TrialState

from optuna_predictor_rl import (
    LowFidelityPruner,
    PolicyConfig,
    PredictorConfig,
    PredictorRLSampler,
)
from tests.optuna_predictor_rl.pruner.studies import followed_rule

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
HEARTBEAT = 1
GRACE = 4
N_STEPS = 8
N_PILOTS = 10

# One process has imported everything and forks the workers: a restart costs next to nothing.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["optuna_predictor_rl", "optuna.storages", "sqlalchemy", "psycopg"])


def connect(where: str, *, heartbeat: bool = True) -> BaseStorage:
    """A storage by URL; `grpc://port` is the proxy's, and what has no scheme a journal file."""
    if where.startswith("grpc://"):
        proxy = GrpcStorageProxy(host="localhost", port=int(where.removeprefix("grpc://")))
        proxy.wait_server_ready(timeout=120)
        return proxy
    if "://" not in where:
        return JournalStorage(JournalFileBackend(where, JournalFileOpenLock(where, 3)))
    patient = {"pool_pre_ping": True}
    if not heartbeat:
        return get_storage(RDBStorage(where, engine_kwargs=patient))
    return get_storage(
        RDBStorage(
            where,
            engine_kwargs=patient,
            heartbeat_interval=HEARTBEAT,
            grace_period=GRACE,
            heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(),
        )
    )


def tiny_sampler() -> PredictorRLSampler:
    return PredictorRLSampler(
        predictor=PredictorConfig(n_members=2, n_epochs=5),
        policy=PolicyConfig(n_steps=3),
        n_startup_trials=4,
        seed=0,
    )


def pruner() -> LowFidelityPruner:
    return LowFidelityPruner(n_pilot_trials=N_PILOTS, promising=1.0)


def load(where: str, sampler: PredictorRLSampler | None = None) -> Study:
    storage = connect(where)
    sampler = tiny_sampler() if sampler is None else sampler
    return optuna.load_study(study_name="s", storage=storage, sampler=sampler, pruner=pruner())


def objective(trial: Trial) -> float:
    """A training whose curve falls to a level that a grid of 1,200 configurations decides."""
    x = trial.suggest_int("x", 0, 19)
    y = trial.suggest_int("y", 0, 19)
    kind = trial.suggest_categorical("kind", ["a", "b", None])
    level = (x - 7) ** 2 / 49 + abs(y - 12) / 12 + (kind == "b")
    for step in range(1, N_STEPS + 1):
        time.sleep(0.01)
        trial.report(level + 1.0 / step, step)
        if trial.should_prune():
            raise optuna.TrialPruned
    return level + 1.0 / N_STEPS


class Ledger:
    """A callback that notes what this worker has finished, in a file of its own."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{os.getpid()}.jsonl"

    def __call__(self, study: Study, trial: FrozenTrial) -> None:  # noqa: ARG002 # Optuna's
        entry = {"number": trial.number, "value": trial.value, "params": trial.params}
        with self._path.open("a") as file:
            file.write(json.dumps(entry) + "\n")


def read_ledgers(folder: Path) -> list[dict[str, Any]]:
    """All whole lines: a worker may have been killed in the middle of one."""
    text = "".join(path.read_text() for path in sorted(folder.glob("*.jsonl")))
    lines = [line for line in text.split("\n") if line.endswith("}")]
    return [json.loads(line) for line in lines]


def work(where: str, n_trials: int, folder: Path, *, default_sampler: bool = False) -> None:
    """Search until the study has so many finished trials."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = load(where, PredictorRLSampler(seed=0) if default_sampler else None)
    until = MaxTrialsCallback(n_trials, states=FINISHED)
    if len(study.get_trials(deepcopy=False, states=FINISHED)) < n_trials:
        study.optimize(objective, callbacks=[Ledger(folder), until])


class KilledSampler(PredictorRLSampler):
    """Is killed while it picks, after its first heartbeat: before, nothing tells of it."""

    def sample_relative(self, *_: Any) -> dict[str, Any]:
        time.sleep(1.5 * HEARTBEAT)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


def die_in_sample_relative(where: str) -> None:
    load(where, KilledSampler(seed=0, n_startup_trials=0)).optimize(objective, n_trials=1)


def die_in_the_middle(where: str) -> None:
    def killed(trial: Trial) -> float:
        trial.suggest_int("x", 0, 19)
        trial.report(0.5, 1)
        time.sleep(1.5 * HEARTBEAT)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    load(where).optimize(killed, n_trials=1)


def decide(where: str, barrier: Any, results: Any) -> None:
    """Decide the cutoff at the same time as others."""
    study = load(where)
    barrier.wait()
    rule = followed_rule(study)
    assert rule is not None
    results.put(rule.to_json())


def serve(where: str, port: int) -> None:
    """A gRPC proxy in front of a storage."""
    optuna.storages.run_grpc_proxy_server(connect(where), host="localhost", port=port)


def start(target: Any, *arguments: Any, **options: Any) -> BaseProcess:
    process = CONTEXT.Process(target=target, args=arguments, kwargs=options, daemon=True)
    process.start()
    return process


def exit_code(process: BaseProcess, timeout: float = 300) -> int | None:
    """How a process ended; it must end within so many seconds."""
    process.join(timeout)
    assert process.exitcode is not None, "a worker is stuck"
    return process.exitcode
