"""A search with Ray tasks around ask and tell: the driver suggests, the tasks train.

    python examples/workers/ray_tasks.py --workers 4 --trials 40
    RAY_ADDRESS=auto python examples/workers/ray_tasks.py --workers 64

The storage may be any; here it is a file, so that the search can be interrupted and resumed.
"""

import argparse

import optuna
import ray
from optuna.trial import Trial, TrialState
from training import suggest, train

from optuna_predictor_rl import PredictorRLSampler


def search(study: optuna.Study, n_workers: int, n_trials: int) -> None:
    """Keep so many tasks running until so many trials have been asked for."""
    task = ray.remote(train)
    running: dict[ray.ObjectRef, Trial] = {}
    left = n_trials
    while left or running:
        while left and len(running) < n_workers:
            trial = study.ask()
            running[task.remote(**suggest(trial))] = trial
            left -= 1
        (done, *_), _ = ray.wait(list(running), num_returns=1)
        trial = running.pop(done)
        try:
            study.tell(trial, ray.get(done))
        except ray.exceptions.RayError as error:  # the task raised, or its machine is gone
            study.tell(trial, state=TrialState.FAIL)
            print(f"trial {trial.number} failed: {type(error).__name__}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--storage", default="sqlite:///ray_tasks.db")
    arguments = parser.parse_args()
    ray.init(num_cpus=arguments.workers, include_dashboard=False, log_to_driver=False)
    study = optuna.create_study(
        study_name="ray tasks",
        storage=arguments.storage,
        sampler=PredictorRLSampler(seed=0),
        load_if_exists=True,
    )
    search(study, arguments.workers, arguments.trials)
    complete = study.get_trials(states=(TrialState.COMPLETE,))
    print(f"{len(complete)} complete trials; the best is {study.best_value:.4f}.")
    ray.shutdown()


if __name__ == "__main__":
    main()
