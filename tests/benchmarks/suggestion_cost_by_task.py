"""What a suggestion costs beside GPSampler's, on the tasks of search_quality.py.

    OMP_NUM_THREADS=1 python tests/benchmarks/suggestion_cost_by_task.py --tasks all

On each task both samplers get the same study of random trials and suggest in turns, in one process
on one thread; a row has the medians of CPU time at 50 and 100 completed trials and their ratio.
"""

import argparse
import warnings
from pathlib import Path
from statistics import median

import optuna
import torch
from optuna.samplers import GPSampler, RandomSampler
from suggestion_cost import seconds
from tasks import DEFAULT_FOLDER, Task, make_task, select

from optuna_predictor_rl import PredictorRLSampler

SIZES = (50, 100)


def study_of(task: Task, n_trials: int) -> optuna.Study:
    """A study of random trials."""
    study = optuna.create_study(sampler=RandomSampler(seed=0))
    for _ in range(n_trials):
        trial = study.ask()
        study.tell(trial, task.loss(task.suggest(trial)))
    return study


def compare(task: Task, n_trials: int, repeats: int) -> tuple[float, float, float]:
    """Medians of both times, and the median of their ratio; a first pair warms up."""
    study = study_of(task, n_trials)
    pairs = [
        (
            seconds(study, PredictorRLSampler(seed=i), task.suggest),
            seconds(study, GPSampler(seed=i), task.suggest),
        )
        for i in range(repeats + 1)
    ][1:]
    ours, peers = zip(*pairs, strict=True)
    return median(ours), median(peers), median(a / b for a, b in pairs)


def main() -> None:
    """Measure and print a Markdown table and the medians of its ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", nargs="+", default=["all"])
    parser.add_argument("--hpo", type=Path, default=DEFAULT_FOLDER)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")

    ratios: dict[int, list[float]] = {n: [] for n in SIZES}
    print("| task | completed trials | predictor_rl, s | GPSampler, s | ratio |")
    print("|---|---:|---:|---:|---:|")
    for name in select(arguments.tasks, arguments.hpo):
        task = make_task(name, arguments.hpo)
        for n_trials in SIZES:
            ours, peer, ratio = compare(task, n_trials, arguments.repeats)
            ratios[n_trials].append(ratio)
            print(f"| {name} | {n_trials} | {ours:.3f} | {peer:.3f} | {ratio:.2f} |", flush=True)
    for n_trials, found in ratios.items():
        print(f"\nmedian ratio at {n_trials} trials over {len(found)} tasks: {median(found):.2f}")


if __name__ == "__main__":
    main()
