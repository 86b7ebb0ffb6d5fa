r"""Loss and cost as two objectives: the hypervolume that searchers reach.

    python -m benchmarks search multi_objective --out runs.jsonl

The hypervolume is measured up to the nadir of the best known front, a tenth of its extent beyond,
as a share of that front's own hypervolume: 1 is the whole front. Seconds are CPU time of the last
suggestion, the median over runs.

Takes about 40 minutes.
"""

import argparse
from functools import partial

import numpy as np
import optuna

from benchmarks.search.priced_tasks import (
    COUNTS,
    Point,
    PricedRun,
    known_points,
    parser,
    run_all,
    table,
)
from benchmarks.search.tasks import Task
from optuna_predictor_rl.core.pareto import hypervolume, is_pareto


def share(run: PricedRun, arguments: argparse.Namespace) -> list[float]:
    """Return the hypervolume after each number of trials, as a share of the best known."""
    known = known_points(run.task, arguments.hpo)
    front = known[is_pareto(known)]
    ideal, nadir = front.min(0), front.max(0)
    whole = hypervolume((front - ideal) / (nadir - ideal), np.full(2, 1.1))
    points = (np.array(run.points) - ideal) / (nadir - ideal)
    return [hypervolume(points[:n], np.full(2, 1.1)) / whole for n in COUNTS]


def main() -> None:
    samplers = ("random", "nsga2", "tpe", "gp", "predictor_rl")
    arguments = parser(str(__doc__), samplers).parse_args()

    def tell(study: optuna.Study, trial: optuna.Trial, _: Task, point: Point) -> None:
        study.tell(trial, point)

    def of_sampler(ours: list[PricedRun]) -> str:
        return f"{np.median([run.cpu_seconds[-1] for run in ours]):.3f}"

    runs = run_all(arguments, n_objectives=2, tell=tell)
    measure = partial(share, arguments=arguments)
    print(table(runs, arguments.tasks, measure, "s (CPU)", of_sampler))
