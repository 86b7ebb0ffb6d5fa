"""What a suggestion costs beside GPSampler's, on the tasks of the search-quality benchmark.

    python -m benchmarks cost suggestions_by_task --tasks all

On each task both samplers get the same study of random trials and suggest in turns, in one
process; a row has the medians of CPU time at 50 and 100 completed trials and their ratio, on one
thread, and ours without thread variables, as users have them.

Takes about an hour.
"""

import argparse
from pathlib import Path
from statistics import median

import optuna
from optuna.samplers import GPSampler, RandomSampler

from benchmarks.cost.suggestions import seconds
from benchmarks.cost.thread_variables import in_a_process
from benchmarks.quiet import be_quiet
from benchmarks.search.tasks import DEFAULT_FOLDER, Task, make_task, select
from optuna_predictor_rl import PredictorRLSampler

SIZES = (50, 100)


def study_of(task: Task, n_trials: int) -> optuna.Study:
    """Return a study of random trials."""
    study = optuna.create_study(sampler=RandomSampler(seed=0))
    for _ in range(n_trials):
        trial = study.ask()
        study.tell(trial, task.loss(task.suggest(trial)))
    return study


def compare(name: str, folder: Path, n_trials: int, repeats: int) -> tuple[float, float, float]:
    """Return the medians of both times, and the median of their ratio; a first pair warms up."""
    be_quiet(one_thread=False)
    task = make_task(name, folder)
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

    ratios: dict[int, list[float]] = {n: [] for n in SIZES}
    print("| task | completed trials | predictor_rl, s | GPSampler, s | ratio | unset, s |")
    print("|---|---:|---:|---:|---:|---:|")
    for name in select(arguments.tasks, arguments.hpo):
        for n_trials in SIZES:
            settings = name, arguments.hpo, n_trials, arguments.repeats
            ours, peer, ratio = in_a_process(True, compare, *settings)
            unset, _, _ = in_a_process(False, compare, *settings)
            ratios[n_trials].append(ratio)
            figures = f"{ours:.3f} | {peer:.3f} | {ratio:.2f} | {unset:.3f}"
            print(f"| {name} | {n_trials} | {figures} |", flush=True)
    for n_trials, found in ratios.items():
        print(f"\nmedian ratio at {n_trials} trials over {len(found)} tasks: {median(found):.2f}")
