"""Search with and without low fidelity at equal epochs, on LCBench tasks.

    python tests/benchmarks/low_fidelity_search.py --hpo DIR --seeds 3

A searcher without a pruner trains every configuration to the end. With one, trials return their
label; from its epochs the whole trainings of the three finalists (the best labels) are taken off.
The result is the best value of a whole training, as normalized regret: 0 is the best known value,
1 the median of random configurations. Prints Markdown tables.
"""

import argparse
import importlib
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.pruners import NopPruner
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler

from optuna_predictor_rl.hopeless import HopelessTrialPruner
from optuna_predictor_rl.labels import is_full
from optuna_predictor_rl.pruner import LowFidelityPruner

N_FINALISTS = 3
SAMPLERS: dict[str, Callable[[int], BaseSampler]] = {
    "random": lambda seed: RandomSampler(seed=seed),
    "tpe": lambda seed: TPESampler(seed=seed),
    "gp": lambda seed: GPSampler(seed=seed),
}
PRUNERS: dict[str, Callable[[], LowFidelityPruner | HopelessTrialPruner | None]] = {
    "none": lambda: None,
    "confidence .5": lambda: LowFidelityPruner(confidence=0.5),
    "confidence .8": lambda: LowFidelityPruner(confidence=0.8),
    "confidence .8, hopeless .95": lambda: HopelessTrialPruner(LowFidelityPruner(confidence=0.8)),
}


class Search:
    """One study; what it has found after so many epochs."""

    def __init__(self, task: Any, pruner_name: str, sampler: str, seed: int) -> None:
        self.task, self.pruner = task, PRUNERS[pruner_name]()
        self.length = len(task.curve_steps)
        self.study = optuna.create_study(
            sampler=SAMPLERS[sampler](seed), pruner=self.pruner or NopPruner()
        )
        self.full: dict[int, float] = {}  # final values that a whole training would give
        self.spent = 0

    def run_until(self, epochs: int) -> None:
        while self.spent + self.length <= epochs:
            trial = self.study.ask()
            curve = self.task.evaluate(self.task.suggest(trial))["curve"]
            self.full[trial.number] = curve[-1]
            for step, value in zip(self.task.curve_steps, curve, strict=True):
                self.spent += 1
                trial.report(value, step)
                if trial.should_prune():
                    break
            value = curve[-1] if self.pruner is None else self.pruner.label(trial)
            self.study.tell(trial, value)

    def best(self) -> float:
        trials = self.study.trials
        full = [t.number for t in trials if is_full(t)]
        labelled = sorted((t for t in trials if not is_full(t)), key=lambda t: t.value or 0.0)
        finalists = [t.number for t in labelled[:N_FINALISTS]]
        return min(self.full[number] for number in full + finalists)


def regrets(task: Any, name: str, sampler: str, seed: int, budgets: list[int]) -> list[float]:
    """Normalized regret after each budget, counted in whole trainings."""
    search = Search(task, name, sampler, seed)
    reserve = 0 if name == "none" else N_FINALISTS
    found = []
    for budget in budgets:
        search.run_until((budget - reserve) * search.length)
        found.append((search.best() - task.best_known) / (task.median_random - task.best_known))
    return found


def table(tasks: dict[str, Any], sampler: str, seeds: int, budgets: list[int]) -> None:
    results = {
        pruner: np.array(
            [
                [regrets(task, pruner, sampler, seed, budgets) for seed in range(seeds)]
                for task in tasks.values()
            ]
        )
        for pruner in PRUNERS
    }  # (task, seed, budget)
    print(f"\n### {sampler}: mean regret by budget in whole trainings, {seeds} seeds")
    print("| pruner | " + " | ".join(map(str, budgets)) + " | tasks better than none at the end |")
    print("|---|" + "---:|" * (len(budgets) + 1))
    for pruner, values in results.items():
        better = (values[:, :, -1].mean(1) < results["none"][:, :, -1].mean(1)).sum()
        means = " | ".join(f"{mean:.3f}" for mean in values.mean((0, 1)))
        print(f"| {pruner} | {means} | {better} of {len(tasks)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hpo", type=Path, required=True, help="folder that holds hpo_tasks.py")
    parser.add_argument("--samplers", nargs="*", default=["random", "tpe"], choices=SAMPLERS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--budgets", type=int, nargs="*", default=[20, 25, 30, 40, 50])
    arguments = parser.parse_args()
    if not arguments.hpo.is_dir():
        parser.error(f"--hpo must be a folder, but got {arguments.hpo}.")
    sys.path.insert(0, str(arguments.hpo))
    module = importlib.import_module("hpo_tasks")
    names = [name for name in module.tasks() if name.startswith("yahpo_lcbench")]
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    logging.getLogger("optuna_predictor_rl").setLevel(logging.ERROR)
    tasks = {name: module.make(name) for name in names}
    for sampler in arguments.samplers:
        table(tasks, sampler, arguments.seeds, arguments.budgets)


if __name__ == "__main__":
    main()
