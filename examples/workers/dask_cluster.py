"""A search on a Dask cluster: the workers suggest and train, the scheduler holds the study.

    python examples/workers/dask_cluster.py --workers 4 --trials 40
    python examples/workers/dask_cluster.py --scheduler tcp://host:8786 --workers 16

On a cluster of several machines `training.py` must be importable by the workers.
"""

import argparse
import warnings

import optuna
from dask.distributed import Client, LocalCluster, wait
from optuna.exceptions import ExperimentalWarning
from optuna.trial import TrialState
from optuna_integration import DaskStorage
from training import objective

from optuna_predictor_rl import LowFidelityPruner, PredictorRLSampler


def search(client: Client, n_workers: int, n_trials: int) -> optuna.Study:
    """Return a study of so many trials, run by so many workers."""
    study = optuna.create_study(
        storage=DaskStorage(client=client),
        sampler=PredictorRLSampler(seed=0),
        pruner=LowFidelityPruner(),
    )
    shares = [n_trials // n_workers + (i < n_trials % n_workers) for i in range(n_workers)]
    futures = [client.submit(study.optimize, objective, n, pure=False) for n in shares]
    wait(futures)
    for future in futures:
        future.result()  # raises what a worker has raised
    return study


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scheduler", help="address; without it, a cluster on this machine")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--trials", type=int, default=40)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ExperimentalWarning)
    local = None
    if arguments.scheduler is None:
        local = LocalCluster(
            n_workers=arguments.workers, threads_per_worker=1, dashboard_address=None
        )
    with Client(arguments.scheduler or local) as client:
        study = search(client, arguments.workers, arguments.trials)
        finished = study.get_trials(states=(TrialState.COMPLETE, TrialState.PRUNED))
        print(f"{len(finished)} finished trials; the best is {study.best_value:.4f}.")
    if local is not None:
        local.close()


if __name__ == "__main__":
    main()
