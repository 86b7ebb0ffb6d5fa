"""One of many workers that search a study together; start as many as there are machines.

    python examples/workers/worker.py --storage postgresql+psycopg://optuna@dbhost/optuna
    python examples/workers/worker.py --storage journal:/shared/study.log
    python examples/workers/worker.py --storage grpc:proxyhost:13000

A worker ends when the study has its trials. One that is killed loses nothing but its running
trial, which another one repeats (in a database, by Optuna's heartbeat). To start it again::

    until python examples/workers/worker.py --storage URL; do sleep 5; done
"""

import argparse
import random
import time
import warnings

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.storages import (
    BaseStorage,
    GrpcStorageProxy,
    JournalStorage,
    RDBStorage,
    RetryHeartbeatStaleTrialCallback,
    get_storage,
)
from optuna.storages.journal import JournalFileBackend
from optuna.study import MaxTrialsCallback
from optuna.trial import TrialState
from sqlalchemy.exc import DBAPIError
from training import objective

from optuna_predictor_rl import LowFidelityPruner, PredictorRLSampler

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


def open_storage(where: str, heartbeat: int = 60) -> BaseStorage:
    """Open a database by its URL, `journal:` with a path, or `grpc:` with a host and a port."""
    if where.startswith("journal:"):
        return JournalStorage(JournalFileBackend(where.removeprefix("journal:")))
    if where.startswith("grpc:"):
        _, host, port = where.split(":")
        proxy = GrpcStorageProxy(host=host, port=int(port))
        proxy.wait_server_ready(timeout=120)
        return proxy
    return get_storage(open_database(where, heartbeat))


def open_database(url: str, heartbeat: int, patience: int = 10) -> RDBStorage:
    """Open a database. Of workers that find it empty at once, all but one fail to make tables."""
    for attempts_left in reversed(range(patience)):
        try:
            return RDBStorage(
                url,
                # Connections that the server closed between two calls are opened anew. If it
                # restarts within a call, the worker ends, and the loop above starts it again.
                engine_kwargs={"pool_pre_ping": True},
                heartbeat_interval=heartbeat,
                heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(max_retry=3),
            )
        except DBAPIError:  # the tables were there after all
            if not attempts_left:
                raise
            time.sleep(0.5 + random.random())
    raise AssertionError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--storage", required=True)
    parser.add_argument("--study", default="many workers")
    parser.add_argument("--trials", type=int, default=100, help="of the study, by all workers")
    parser.add_argument("--seed", type=int, default=0, help="may be the same for all workers")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ExperimentalWarning)
    study = optuna.create_study(
        study_name=arguments.study,
        storage=open_storage(arguments.storage),
        sampler=PredictorRLSampler(seed=arguments.seed),
        pruner=LowFidelityPruner(),
        load_if_exists=True,
    )
    if len(study.get_trials(deepcopy=False, states=FINISHED)) < arguments.trials:
        until = MaxTrialsCallback(arguments.trials, states=FINISHED)
        study.optimize(objective, callbacks=[until])
    n_finished = len(study.get_trials(deepcopy=False, states=FINISHED))
    print(f"{n_finished} finished trials; the best is {study.best_value:.4f}.")


if __name__ == "__main__":
    main()
