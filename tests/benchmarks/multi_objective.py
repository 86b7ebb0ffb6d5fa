r"""Loss and cost as two objectives: the hypervolume that searchers reach.

    python tests/benchmarks/multi_objective.py --out runs.jsonl

The hypervolume is measured up to the nadir of the best known front, a tenth of its extent beyond,
as a share of that front's own hypervolume: 1 is the whole front. Seconds are CPU time of the last
suggestion, the median over runs.
"""

import argparse

import numpy as np
import optuna
from optuna.samplers import BaseSampler
from peers import make_sampler
from priced_tasks import PricedRun, execute, known_points, parser, run_all
from protocols import search_space
from tasks import Task

from optuna_predictor_rl.core.pareto import hypervolume, is_pareto

COUNTS = (25, 50, 100)


def make(sampler: str, seed: int, task: Task) -> BaseSampler:
    if sampler == "nsga2":
        return optuna.samplers.NSGAIISampler(seed=seed)
    return make_sampler(sampler, seed, search_space(task))


def share(run: PricedRun, arguments: argparse.Namespace) -> list[float]:
    """Hypervolume after each number of trials, as a share of the best known."""
    known = known_points(run.task, arguments.hpo)
    front = known[is_pareto(known)]
    ideal, nadir = front.min(0), front.max(0)
    whole = hypervolume((front - ideal) / (nadir - ideal), np.full(2, 1.1))
    points = (np.array(run.points) - ideal) / (nadir - ideal)
    return [hypervolume(points[:n], np.full(2, 1.1)) / whole for n in COUNTS]


def table(runs: list[PricedRun], arguments: argparse.Namespace) -> str:
    """Mean over seeds by task and sampler, over tasks at the end."""
    counts = " / ".join(map(str, COUNTS))
    lines = [
        f"| sampler | {' | '.join(arguments.tasks)} | mean after {counts} | s (CPU) |",
        "|---|" + "---:|" * (len(arguments.tasks) + 2),
    ]
    for sampler in dict.fromkeys(run.sampler for run in runs):
        ours = [run for run in runs if run.sampler == sampler]
        by_task = [
            np.mean([share(run, arguments) for run in ours if run.task == task], axis=0)
            for task in arguments.tasks
        ]
        cells = [" / ".join(f"{v:.3f}" for v in row) for row in [*by_task, np.mean(by_task, 0)]]
        seconds = np.median([run.cpu_seconds[-1] for run in ours])
        lines.append(f"| {sampler} | {' | '.join(cells)} | {seconds:.3f} |")
    return "\n".join(lines)


def main() -> None:
    samplers = ("random", "nsga2", "tpe", "gp", "predictor_rl")
    arguments = parser(str(__doc__), samplers).parse_args()

    def tell(study: optuna.Study, trial: optuna.Trial, point: tuple[float, float]) -> None:
        study.tell(trial, point)

    def one(task: Task, sampler: BaseSampler, run: PricedRun) -> PricedRun:
        return execute(
            task,
            sampler,
            run,
            n_trials=arguments.trials,
            n_objectives=2,
            tell=tell,
        )

    print(table(run_all(arguments, make, one), arguments))


if __name__ == "__main__":
    main()
