"""Batches on a cluster: ask for 32 trials at once, evaluate each in a job of an array.

On Slurm, with the study on a disk that all nodes see:

    python cluster_array.py ask --n 32
    sbatch --wait --array=0-31 --wrap "python cluster_array.py run"
    python cluster_array.py ask --n 32              # the next batch learns from the first
    sbatch --wait --array=0-31 --wrap "python cluster_array.py run"
    python cluster_array.py best

On Kubernetes, `run` is the command of a Job with `completionMode: Indexed` and 32 completions.
A job that died leaves its trial running; `ask --give-up` has such trials failed first. With a
PostgreSQL or MySQL server, give its URL to `optuna.load_study` instead of the journal file.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from optuna_predictor_rl import PredictorRLSampler

SPACE: dict[str, BaseDistribution] = {
    "lr": FloatDistribution(1e-4, 1e-1, log=True),
    "width": CategoricalDistribution([32, 64, 128, 256]),
    "dropout": FloatDistribution(0.0, 0.5),
}


def evaluate(params: dict[str, float]) -> float:
    """Return a loss in place of your training's; lower is better."""
    return (params["lr"] / 0.01 - 1.0) ** 2 + params["dropout"] + 8.0 / params["width"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=("ask", "run", "best"))
    parser.add_argument("--n", type=int, default=32, help="trials of the batch")
    parser.add_argument("--index", type=int, help="of the job; by default the scheduler's")
    parser.add_argument("--give-up", action="store_true", help="fail trials still running first")
    parser.add_argument("--folder", type=Path, default=Path("cluster_array"))
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name="array",
        storage=JournalStorage(JournalFileBackend(str(options.folder / "study.journal"))),
        sampler=PredictorRLSampler(seed=0),
        load_if_exists=True,
    )
    if options.command == "ask":
        ask(study, options.n, options.folder, give_up=options.give_up)
    elif options.command == "run":
        run(study, options.folder, array_index() if options.index is None else options.index)
    else:
        print(f"best value {study.best_value:.4f} with {study.best_params}")


def ask(study: optuna.Study, n: int, folder: Path, *, give_up: bool) -> None:
    """Write the parameters of n trials, distinct although none of them has ended."""
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    if running and not give_up:
        numbers = [trial.number for trial in running]
        sys.exit(f"trials {numbers} have not ended; wait for them, or give them up (--give-up).")
    for trial in running:
        study.tell(trial.number, state=TrialState.FAIL)
    batch = [study.ask(SPACE) for _ in range(n)]
    jobs = [{"number": trial.number, "params": trial.params} for trial in batch]
    (folder / "batch.json").write_text(json.dumps(jobs, indent=1))
    print(f"{n} trials, {jobs[0]['number']} to {jobs[-1]['number']}, in {folder / 'batch.json'}")


def run(study: optuna.Study, folder: Path, index: int) -> None:
    """Evaluate one trial of the batch and tell its value."""
    job = json.loads((folder / "batch.json").read_text())[index]
    value = evaluate(job["params"])
    study.tell(job["number"], value)
    print(f"trial {job['number']}: {value:.4f}")


def array_index() -> int:
    """Return the index that the scheduler gave this job: Slurm's or Kubernetes'."""
    for name in ("SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"):
        if name in os.environ:
            return int(os.environ[name])
    sys.exit("--index must be given outside of a job array.")


if __name__ == "__main__":
    main()
