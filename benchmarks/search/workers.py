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
import time
from collections.abc import Iterator, Sequence

import numpy as np
import optuna

from benchmarks.json_lines import read_lines
from benchmarks.search.pool import Run, options, parse_seeds, run_all
from benchmarks.search.protocols import MakeSampler, rounded, search_space
from benchmarks.search.report import markdown_table
from benchmarks.search.runs import Record, normalized
from benchmarks.search.tasks import Task, select

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


def key_of(record: Record) -> tuple[str, str, int, int]:
    return record["task"], record["sampler"], record["seed"], record["n_workers"]


def simulate(task: Task, make_sampler: MakeSampler, run: Run) -> Record:
    """Search with workers that do not wait for each other.

    After the run's number of trials nothing more is asked for; all of them come back. The seed is
    also that of their durations.

    Returns:
        The losses in the order in which they came back, the processor time of each suggestion
        in seconds, the simulated time of all trials in median trainings, and the number of
        different configurations.
    """
    n_trials, n_workers = run.n_trials, run.setting[1]
    durations = np.random.default_rng(run.seed).lognormal(0.0, SPREAD, n_trials)
    study = optuna.create_study(sampler=make_sampler(run.seed, search_space(task)))
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
                    yield Run(task, sampler, seed, arguments.trials, ("n_workers", n_workers))


def main() -> int:
    """Simulate what is not in the file yet, then print the table of all that is."""
    parser = options(__doc__, SAMPLERS, seeds=2)
    add = parser.add_argument
    add("--tasks", nargs="+", default=list(TASKS), help="names or patterns")
    add("--workers", nargs="+", type=int, default=list(N_WORKERS), help="how many, each in turn")
    add("--trials", type=int, default=100)
    arguments = parser.parse_args()
    n_failures = run_all(list(plan(arguments)), simulate, arguments)
    print(render(read_lines(arguments.out)))
    return 1 if n_failures else 0
