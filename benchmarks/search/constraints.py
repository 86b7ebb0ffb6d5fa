r"""Loss subject to a bound on the cost: the best feasible loss, and how often the bound is broken.

    python -m benchmarks search constraints --out runs.jsonl

The bound is the first quartile of the cost over all configurations (of a sample, where they are
too many). Every trial says by `set_constraint` how far it is from the bound. Regret is the best
feasible loss so far less the best known feasible one, in units of what the median feasible
configuration loses to it; a run that has found nothing feasible counts as the median.

Takes about 40 minutes.
"""

import argparse
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import optuna
from optuna.samplers import RandomSampler

from benchmarks.search.priced_tasks import (
    COUNTS,
    Point,
    PricedRun,
    known_points,
    parser,
    run_all,
    table,
)
from benchmarks.search.tasks import Task, make_task

QUANTILE = 0.25


@lru_cache(maxsize=8)
def bound(name: str, folder: Path) -> float:
    """Return the first quartile of the cost over 2,000 random configurations."""
    task = make_task(name, folder)
    study = optuna.create_study(sampler=RandomSampler(seed=0))
    costs = [task.cost(task.suggest(study.ask())) for _ in range(2000)]
    return float(np.nanquantile(costs, QUANTILE))


def regret(run: PricedRun, arguments: argparse.Namespace) -> list[float]:
    """Return the regret of the best feasible loss after each number of trials."""
    limit = bound(run.task, arguments.hpo)
    known = known_points(run.task, arguments.hpo)
    feasible = known[known[:, 1] <= limit, 0]
    best, median = feasible.min(), np.median(feasible)
    points = np.array(run.points)
    loss = np.where(points[:, 1] <= limit, points[:, 0], median)
    return [float((min(loss[:n].min(), median) - best) / (median - best)) for n in COUNTS]


def infeasible(run: PricedRun, arguments: argparse.Namespace) -> float:
    """Share of infeasible trials among those after the first ten."""
    costs = np.array(run.points)[10:, 1]
    return float(np.mean(~(costs <= bound(run.task, arguments.hpo))))


def main() -> None:
    samplers = ("random", "tpe", "gp", "predictor_rl")
    arguments = parser(str(__doc__), samplers).parse_args()

    def tell(study: optuna.Study, trial: optuna.Trial, task: Task, point: Point) -> None:
        limit = bound(task.name, arguments.hpo)
        excess = point[1] - limit
        trial.set_constraint("cost", limit if np.isnan(excess) else excess)
        study.tell(trial, point[0])

    def of_sampler(ours: list[PricedRun]) -> str:
        return f"{np.mean([infeasible(run, arguments) for run in ours]):.0%}"

    runs = run_all(arguments, n_objectives=1, tell=tell)
    measure = partial(regret, arguments=arguments)
    print(table(runs, arguments.tasks, measure, "infeasible", of_sampler))
