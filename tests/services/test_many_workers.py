"""Many workers that are killed at random: every finished trial is there once.

The size is set by the environment; figures are printed with `-s`::

    WORKERS=8 TRIALS=200 python -m pytest -s tests/services/test_many_workers.py
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import optuna
import pytest
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl.study.attributes import FIDELITY, RULE
from tests.services import workers
from tests.services.postgres import PostgresServer, free_port

N_WORKERS = int(os.environ.get("WORKERS", "4"))
N_TRIALS = int(os.environ.get("TRIALS", "60"))
PAUSE = 1.0
"""Seconds between two kills, on average."""
PATIENCE = 600.0
"""Seconds after which the workers count as stuck."""


def run_and_kill(where: str, folder: Path, n_kills: int) -> int:
    """Keep the workers alive until all have ended by themselves; returns how many were killed."""
    rng = random.Random(0)

    def restarted() -> BaseProcess:
        return workers.start(workers.work, where, N_TRIALS, folder, default_sampler=True)

    alive = [restarted() for _ in range(N_WORKERS)]
    killed, began = 0, time.monotonic()
    while alive:
        time.sleep(rng.uniform(0.0, 2.0 * PAUSE))
        assert time.monotonic() - began < PATIENCE, "a worker is stuck"
        if killed < n_kills:
            victim = alive.pop(rng.randrange(len(alive)))
            victim.kill()
            killed += 1
            alive.append(restarted())
        for process in [p for p in alive if p.exitcode is not None]:
            assert process.exitcode in (0, -9)
            alive.remove(process)
    return killed


def check(trials: list[FrozenTrial], folder: Path, n_killed: int) -> str:
    """Nothing lost, nothing twice; returns what happened in words."""
    assert [t.number for t in trials] == list(range(len(trials)))
    finished = {t.number: t for t in trials if t.state in workers.FINISHED}
    assert N_TRIALS <= len(finished) < N_TRIALS + N_WORKERS
    noted = workers.read_ledgers(folder)
    assert max(Counter(entry["number"] for entry in noted).values()) == 1
    for entry in noted:
        stored = finished[entry["number"]]
        assert (entry["value"], entry["params"]) == (stored.value, stored.params)
    # A worker can be killed after it has told the storage and before it has noted that itself.
    assert len(finished) - n_killed <= len(noted) <= len(finished)
    origins = Counter(t.system_attrs.get("failed_trial", t.number) for t in finished.values())
    assert max(origins.values()) == 1
    assert any(t.state == TrialState.PRUNED for t in trials)
    configurations = {repr(sorted(t.params.items())) for t in finished.values()}
    states = Counter(t.state.name for t in trials)
    n_retried = sum("failed_trial" in t.system_attrs for t in trials)
    return (
        f"{N_WORKERS} workers, {n_killed} killed: {len(finished)} finished trials, "
        f"{len(configurations)} configurations, {n_retried} retried, states {dict(states)}"
    )


def check_one_cutoff(study: optuna.Study) -> None:
    """All trials stop where the pilots decided; later full trials, if any, decide the same."""
    rules = {k: v for k, v in study.user_attrs.items() if k.startswith(RULE)}
    assert f"{RULE}{workers.N_PILOTS}" in rules
    cutoffs = {rule["cutoff"] for rule in rules.values()}
    assert len(cutoffs) == 1
    pruned = [t for t in study.trials if t.state == TrialState.PRUNED]
    assert len(pruned) > N_TRIALS / 3
    began_before = min(t.datetime_start for t in pruned if t.datetime_start)  # as it was decided
    late = [t for t in pruned if t.datetime_start and t.datetime_start > began_before]
    assert {t.user_attrs[FIDELITY] for t in late} == cutoffs


@pytest.mark.parametrize("storage", ["postgres", "grpc", "journal"])
def test_every_finished_trial_is_there_once(
    storage: str,
    request: pytest.FixtureRequest,
    opened: Callable[[str | BaseStorage], BaseStorage],
    tmp_path: Path,
) -> None:
    proxy = None
    if storage == "journal":
        server = where = f"{tmp_path}/study.log"
    else:
        postgres: PostgresServer = request.getfixturevalue("postgres")
        server = where = postgres.url
    study = optuna.create_study(study_name="s", storage=opened(workers.connect(server)))
    if storage == "grpc":
        port = free_port()
        proxy = workers.start(workers.serve, server, port)
        where = f"grpc://{port}"
    ledgers = tmp_path / "ledgers"
    ledgers.mkdir()
    began = time.monotonic()
    n_killed = run_and_kill(where, ledgers, n_kills=N_TRIALS // 10)
    if proxy is not None:
        proxy.kill()
    words = check(study.get_trials(), ledgers, n_killed)
    print(f"\n{storage}: {words}; {time.monotonic() - began:.0f} s")
    check_one_cutoff(study)
