"""What many workers lose: searchers asked for trials before the last ones have come back.

    python -m benchmarks search workers --out workers.jsonl --jobs 1

An asynchronous search is simulated on published tables: each of so many workers asks for a trial,
trains it for a log-normal time, tells its value and asks for the next one. Which trial comes back
when depends on the seed only, so that all searchers and tasks meet the same order. Runs that
`--out` already holds are skipped.

Takes about 30 minutes.
"""

import argparse
import heapq
import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import optuna
from tqdm import tqdm

from benchmarks.json_lines import append_line, read_lines
from benchmarks.quiet import be_quiet
from benchmarks.search.peers import make_sampler
from benchmarks.search.protocols import MakeSampler, rounded, search_space
from benchmarks.search.quality import parse_seeds, versions
from benchmarks.search.report import markdown_table
from benchmarks.search.runs import Record, normalized
from benchmarks.search.tasks import DEFAULT_FOLDER, Task, make_task, select

SPREAD = 0.7
"""Standard deviation of the logarithm of a trial's duration: one in twenty takes three times as
long as the median."""

TASKS = (
    "hpolib:protein_structure",
    "hpobench_mlp:vehicle",
    "nb201:cifar100",
    "nb201:imagenet",
    "nbgraph:arxiv",
    "anb:macs",
    "yahpo_lcbench:3945",
    "yahpo_lcbench:189906",
)
SAMPLERS = ("tpe", "gp", "predictor_rl")
N_WORKERS = (1, 4, 16)


@dataclass(frozen=True)
class Run:
    """One searcher on one task with one seed and so many workers."""

    task: str
    sampler: str
    seed: int
    n_workers: int
    n_trials: int

    @property
    def key(self) -> tuple[str, str, int, int]:
        return self.task, self.sampler, self.seed, self.n_workers


def key_of(record: Record) -> tuple[str, str, int, int]:
    return record["task"], record["sampler"], record["seed"], record["n_workers"]


def simulate(
    task: Task, make_sampler: MakeSampler, *, seed: int, n_workers: int, n_trials: int
) -> Record:
    """Search with workers that do not wait for each other.

    Args:
        task: What to minimize.
        make_sampler: Makes the searcher from a seed and a search space.
        seed: Of the searcher and of the durations.
        n_workers: How many trials run at a time.
        n_trials: After so many trials nothing more is asked for; all of them come back.

    Returns:
        The losses in the order in which they came back, the processor time of each suggestion
        in seconds, the simulated time of the whole search in median trainings, and the number
        of different configurations.
    """
    durations = np.random.default_rng(seed).lognormal(0.0, SPREAD, n_trials)
    study = optuna.create_study(sampler=make_sampler(seed, search_space(task)))
    running: list[tuple[float, int, optuna.Trial, float]] = []
    values: list[float] = []
    seconds: list[float] = []
    configurations = set()
    now = 0.0
    for number in range(n_trials):
        if number >= n_workers:
            now, _, ended, value = heapq.heappop(running)
            study.tell(ended, value)
            values.append(value)
        start = time.process_time()
        trial = study.ask()
        configuration = task.suggest(trial)
        seconds.append(time.process_time() - start)
        configurations.add(repr(configuration))
        heapq.heappush(running, (now + durations[number], number, trial, task.loss(configuration)))
    left = sorted(running)
    values += [value for *_, value in left]
    return {
        "values": values,
        "cpu_seconds": rounded(seconds, 4),
        "makespan": left[-1][0],
        "n_distinct": len(configurations),
    }


def execute(run: Run, out: Path, folder: Path, found_versions: dict[str, str]) -> None:
    """Run one simulation and append it to the file."""
    task = make_task(run.task, folder)
    outcome = simulate(
        task,
        lambda seed, space: make_sampler(run.sampler, seed, space),
        seed=run.seed,
        n_workers=run.n_workers,
        n_trials=run.n_trials,
    )
    about = {
        "task": run.task,
        "sampler": run.sampler,
        "seed": run.seed,
        "n_workers": run.n_workers,
        "best_known": task.best_known,
        "median_random": task.median_random,
        "versions": found_versions,
    }
    append_line(out, about | outcome)


def regret(record: Record) -> float:
    """Return the normalized regret of the best of all trials."""
    return float(np.min(normalized(record, record["values"])))


def render(records: Sequence[Record]) -> str:
    """Return the regret by number of workers, and what is lost from the fewest to the most."""
    by_key = {key_of(r): r for r in records}
    counts = sorted({r["n_workers"] for r in records})
    samplers = list(dict.fromkeys(r["sampler"] for r in records))
    pairs = [
        pair
        for pair in dict.fromkeys((r["task"], r["seed"]) for r in records)
        if all((pair[0], s, pair[1], n) in by_key for s in samplers for n in counts)
    ]
    rows = []
    for sampler in samplers:
        runs = [[by_key[task, sampler, seed, n] for n in counts] for task, seed in pairs]
        regrets = np.array([[regret(r) for r in row] for row in runs])
        lost = regrets[:, -1] - regrets[:, 0]
        error = lost.std(ddof=1) / np.sqrt(len(lost)) if len(lost) > 1 else np.nan
        seconds = [
            np.median([np.mean(r["cpu_seconds"]) for r in column])
            for column in zip(*runs, strict=True)
        ]
        distinct = np.mean([row[-1]["n_distinct"] for row in runs])
        rows.append(
            [
                sampler,
                *(f"{v:.3f}" for v in regrets.mean(0)),
                f"{lost.mean():+.3f} ± {error:.3f}",
                *(f"{s:.3f}" for s in (seconds[0], seconds[-1])),
                f"{distinct:.1f}",
            ]
        )
    header = [
        "sampler",
        *(f"regret, {n} worker{'s' * (n > 1)}" for n in counts),
        f"lost from {counts[0]} to {counts[-1]}",
        *(f"s a suggestion, {n}" for n in (counts[0], counts[-1])),
        f"distinct, {counts[-1]}",
    ]
    n_trials = min(len(r["values"]) for r in records)
    tasks, seeds = len({t for t, _ in pairs}), len({s for _, s in pairs})
    spans = [np.mean([by_key[t, samplers[0], s, n]["makespan"] for t, s in pairs]) for n in counts]
    return (
        f"{len(pairs)} task-seed pairs ({tasks} tasks, {seeds} seeds), {n_trials} trials each; "
        "simulated time in median trainings: "
        + ", ".join(f"{span:.0f} with {n}" for n, span in zip(counts, spans, strict=True))
        + ".\n\n"
        + markdown_table(header, rows)
    )


def plan(arguments: argparse.Namespace) -> Iterator[Run]:
    """Order the runs by seed, then task: an unfinished file is complete for its first pairs."""
    for seed in parse_seeds(arguments.seeds):
        for task in select(arguments.tasks, arguments.hpo):
            for n_workers in arguments.workers:
                for sampler in arguments.samplers:
                    yield Run(task, sampler, seed, n_workers, arguments.trials)


def main() -> None:
    """Simulate what is not in the file yet, then print the table of all that is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--tasks", nargs="+", default=list(TASKS), help="names or patterns")
    add("--samplers", nargs="+", default=list(SAMPLERS))
    add("--workers", nargs="+", type=int, default=list(N_WORKERS), help="how many, each in turn")
    add("--trials", type=int, default=100)
    add("--seeds", default="2", help="2 is 0 and 1; 2-4 a range; 0,3,7 a list (default: 2)")
    add("--jobs", type=int, default=1, help="processes, each of one thread (default: 1)")
    add("--hpo", type=Path, default=DEFAULT_FOLDER, help="folder of hpo_tasks.py, if there is one")
    add("--out", type=Path, required=True, help="file of JSON lines to append to")
    arguments = parser.parse_args()
    out: Path = arguments.out
    done = {key_of(r) for r in read_lines(out)}
    runs = [run for run in plan(arguments) if run.key not in done]
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    context, found = multiprocessing.get_context("spawn"), versions()
    with ProcessPoolExecutor(arguments.jobs, context, be_quiet) as pool:
        futures = [pool.submit(execute, run, out, arguments.hpo, found) for run in runs]
        for future in tqdm(futures, unit="run"):
            future.result()
    print(render(read_lines(out)))
