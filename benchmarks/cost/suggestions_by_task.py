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

from benchmarks.cost.suggestions import in_turns
from benchmarks.cost.thread_variables import in_a_process
from benchmarks.quiet import be_quiet
from benchmarks.search.protocols import random_study
from benchmarks.search.tasks import DEFAULT_FOLDER, make_task, select

SIZES = (50, 100)


def compare(name: str, folder: Path, n_trials: int, repeats: int) -> tuple[float, float, float]:
    """Return what `in_turns` returns on a task."""
    be_quiet(one_thread=False)
    task = make_task(name, folder)
    return in_turns(random_study(task, n_trials, 0), repeats, task.suggest)


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
