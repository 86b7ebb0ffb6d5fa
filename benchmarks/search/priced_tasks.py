"""Published tasks with two objectives: the loss, and a cost in seconds, parameters or operations.

Runs are stored as JSON lines, one a task, sampler and seed, with the loss and cost of every trial.
"""

import argparse
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution

from benchmarks.json_lines import append_line, read_lines
from benchmarks.quiet import be_quiet
from benchmarks.search.peers import label, make_sampler
from benchmarks.search.protocols import search_space
from benchmarks.search.tasks import DEFAULT_FOLDER, Task, make_task

FOUR = ("hpolib:protein_structure", "nb201:cifar100", "anb:macs", "nbgraph:arxiv")
"""One task a family: error and seconds, parameters, multiply-adds, parameters."""

MAX_ENUMERATED = 100_000

Point = tuple[float, float]

COUNTS = (25, 50, 100)
"""Numbers of trials that tables show."""


@dataclass
class PricedRun:
    """One searcher on one task with one seed.

    Attributes:
        task: The task's name.
        sampler: The name under which the searcher is shown.
        seed: The searcher's seed.
        points: Loss and cost of each trial, in the order of the trials.
        cpu_seconds: Processor time of each suggestion and of telling its result.
    """

    task: str
    sampler: str
    seed: int
    points: list[Point] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)


Tell = Callable[[optuna.Study, optuna.Trial, Task, Point], None]
"""Tells a trial's loss and cost to the study."""


def run_all(arguments: argparse.Namespace, *, n_objectives: int, tell: Tell) -> list[PricedRun]:
    """Return all runs that the arguments name; make and append those that the file lacks."""
    be_quiet()
    runs = [PricedRun(**record) for record in read_lines(arguments.out)]
    done = {(run.task, run.sampler, run.seed) for run in runs}
    for seed, name in itertools.product(range(arguments.seeds), arguments.tasks):
        for sampler in arguments.samplers:
            if (name, label(sampler), seed) in done:
                continue
            task = make_task(name, arguments.hpo)
            study = optuna.create_study(
                directions=["minimize"] * n_objectives,
                sampler=make_sampler(sampler, seed, search_space(task)),
            )
            run = PricedRun(name, label(sampler), seed)
            for _ in range(arguments.trials):
                execute(task, study, run, tell)
            runs.append(run)
            append_line(arguments.out, asdict(run))
    return runs


def execute(task: Task, study: optuna.Study, run: PricedRun, tell: Tell) -> None:
    """Ask for a trial, and tell its loss and cost."""
    start = time.process_time()
    trial = study.ask()
    configuration = task.suggest(trial)
    asked = time.process_time() - start
    point = (task.loss(configuration), task.cost(configuration))
    start = time.process_time()
    tell(study, trial, task, point)
    run.points.append(point)
    run.cpu_seconds.append(round(asked + time.process_time() - start, 4))


def parser(description: str, samplers: Sequence[str]) -> argparse.ArgumentParser:
    """Return the arguments that the benchmarks of priced tasks share."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = made.add_argument
    add("--tasks", nargs="+", default=list(FOUR))
    add("--samplers", nargs="+", default=list(samplers))
    add("--trials", type=int, default=100)
    add("--seeds", type=int, default=5)
    add("--out", type=Path, required=True, help="file of JSON lines; runs in it are not repeated")
    add("--hpo", type=Path, default=DEFAULT_FOLDER, help="folder of hpo_tasks.py, if there is one")
    return made


@lru_cache(maxsize=8)
def known_points(name: str, folder: Path) -> np.ndarray:
    """Return loss and cost of all configurations, or of a sample and what is best near it."""
    task = make_task(name, folder)
    choices = {
        decision: distribution.choices
        for decision, distribution in search_space(task).items()
        if isinstance(distribution, CategoricalDistribution)
    }

    def point(cell: Sequence[object]) -> Point:
        configuration = dict(zip(choices, cell, strict=True))
        return task.loss(configuration), task.cost(configuration)

    if np.prod([len(c) for c in choices.values()], dtype=float) <= MAX_ENUMERATED:
        points = np.array([point(cell) for cell in itertools.product(*choices.values())])
        return points[~np.isnan(points).any(1)]  # some were never trained
    return _climbed(list(choices.values()), point)


def _climbed(
    choices: list[Sequence[object]], point: Callable[[Sequence[object]], Point]
) -> np.ndarray:
    """Return random points, and climbs from the best of them for eleven weights of the cost."""
    rng = np.random.default_rng(0)
    cells = [[c[int(rng.integers(len(c)))] for c in choices] for _ in range(500)]
    points = [point(cell) for cell in cells]
    scale = np.std(points, axis=0)
    for weight in np.linspace(0.001, 0.999, 11):
        factor = np.array([1 - weight, weight]) / scale
        at = min(range(500), key=lambda i: float(np.dot(points[i], factor)))
        cell, value, moved = cells[at], float(np.dot(points[at], factor)), True
        while moved:
            moved = False
            for i, c in itertools.chain.from_iterable(
                ((i, c) for c in decision) for i, decision in enumerate(choices)
            ):
                other = [*cell[:i], c, *cell[i + 1 :]]
                points.append(point(other))
                if float(np.dot(points[-1], factor)) < value:
                    cell, value, moved = other, float(np.dot(points[-1], factor)), True
    return np.array(points)


def table(
    runs: list[PricedRun],
    tasks: Sequence[str],
    measure: Callable[[PricedRun], list[float]],
    last: str,
    of_sampler: Callable[[list[PricedRun]], str],
) -> str:
    """Return a table: the mean over seeds by task and sampler, and over tasks at the end.

    Args:
        runs: The runs.
        tasks: The columns.
        measure: A run's figure after each of `COUNTS` trials.
        last: Title of the last column.
        of_sampler: What stands there, from all runs of a sampler.
    """
    counts = " / ".join(map(str, COUNTS))
    lines = [
        f"| sampler | {' | '.join(tasks)} | mean after {counts} | {last} |",
        "|---|" + "---:|" * (len(tasks) + 2),
    ]
    for sampler in dict.fromkeys(run.sampler for run in runs):
        ours = [run for run in runs if run.sampler == sampler]
        by_task = [
            np.mean([measure(run) for run in ours if run.task == task], axis=0) for task in tasks
        ]
        cells = [" / ".join(f"{v:.3f}" for v in row) for row in [*by_task, np.mean(by_task, 0)]]
        lines.append(f"| {sampler} | {' | '.join(cells)} | {of_sampler(ours)} |")
    return "\n".join(lines)
