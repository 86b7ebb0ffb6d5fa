"""Searchers on a suite of small objectives: one JSON line a run, and a table of who finds what."""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from tqdm import tqdm

from benchmarks.json_lines import append_line, read_lines
from benchmarks.quiet import be_quiet
from benchmarks.search.peers import label, make_sampler
from benchmarks.search.pool import parse_seeds
from benchmarks.search.report import markdown_table

BUDGETS = (25, 50, 100)
N_RANDOM = 20_000

Objective = Callable[[optuna.Trial], float]
Line = Mapping[str, Any]


class CrashError(Exception):
    """What a trial raises that is meant to fail."""


@dataclass(frozen=True)
class Suite:
    """Objectives to minimize, and what is counted beside their regret.

    Args:
        description: For `--help`.
        tasks: The objectives by name.
        counted: What a count is called in the table's head, and how it is found in a run's line.
        best: The best value of each task; None takes that of many random trials.
    """

    description: str
    tasks: Mapping[str, Objective]
    counted: tuple[str, Callable[[Line], float]]
    best: float | None = None
    _scales: dict[str, tuple[float, float]] = field(default_factory=dict, repr=False)

    def regret(self, line: Line, budget: int) -> float:
        """Return the regret of the best of the first trials; 1 if all failed.

        It is the distance to the best value, in units of what the median of random trials has.
        """
        values = [value for value in line["values"][:budget] if value is not None]
        if not values:
            return 1.0
        best, median = self._scale(line["task"])
        return (min(values) - best) / (median - best)

    def _scale(self, task: str) -> tuple[float, float]:
        if task not in self._scales:
            values = _random_values(self.tasks[task])
            best = min(values) if self.best is None else self.best
            self._scales[task] = best, float(np.median(values))
        return self._scales[task]

    def run(self, task: str, sampler: str, seed: int) -> dict[str, Any]:
        """Return the value of each trial, None where it failed, and how many repeat another."""
        study = optuna.create_study(sampler=make_sampler(sampler, seed))
        study.optimize(self.tasks[task], n_trials=max(BUDGETS), catch=(CrashError,))
        distinct = {repr(sorted(trial.params.items())) for trial in study.trials}
        values = [trial.value for trial in study.trials]
        return {"values": values, "repeats": len(values) - len(distinct)}

    def rows(self, lines: Sequence[Line], samplers: Sequence[str]) -> Iterator[list[str]]:
        """Yield a line of the table for each task that all samplers have, and their mean."""
        by_sampler: dict[str, list[list[float]]] = {sampler: [] for sampler in samplers}
        for task in self.tasks:
            runs = {
                s: [line for line in lines if (line["task"], line["sampler"]) == (task, s)]
                for s in samplers
            }
            if not all(runs.values()):
                continue
            for sampler, own in runs.items():
                found = [
                    [*(self.regret(line, b) for b in BUDGETS), self.counted[1](line)]
                    for line in own
                ]
                by_sampler[sampler].append(np.mean(found, axis=0).tolist())
            yield [task, *(_cell(by_sampler[sampler][-1]) for sampler in samplers)]
        if all(by_sampler.values()):
            means = [np.mean(by_sampler[sampler], axis=0).tolist() for sampler in samplers]
            yield ["**mean**", *map(_cell, means)]

    def main(self) -> None:
        """Run what the command line asks for and `--out` lacks; print the table."""
        parser = argparse.ArgumentParser(
            description=self.description, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        add = parser.add_argument
        add("--samplers", nargs="+", default=["random", "tpe", "gp", "predictor_rl"])
        add("--tasks", nargs="+", default=list(self.tasks), choices=list(self.tasks))
        add("--seeds", default="5", help="5 is 0 to 4; 2-4 a range; 0,3,7 a list")
        add("--out", type=Path, required=True, help="file of JSON lines to append to")
        arguments = parser.parse_args()
        be_quiet()
        done = {(r["task"], r["sampler"], r["seed"]) for r in read_lines(arguments.out)}
        wanted = [
            (task, sampler, seed)
            for seed in parse_seeds(arguments.seeds)
            for task in arguments.tasks
            for sampler in arguments.samplers
            if (task, label(sampler), seed) not in done
        ]
        for task, sampler, seed in tqdm(wanted, unit="run"):
            found = {"task": task, "sampler": label(sampler), "seed": seed}
            append_line(arguments.out, found | self.run(task, sampler, seed))
        samplers = [label(sampler) for sampler in arguments.samplers]
        counted, _ = self.counted
        print("Regret after " + " / ".join(map(str, BUDGETS)) + f", {counted}:\n")
        print(markdown_table(["task", *samplers], self.rows(read_lines(arguments.out), samplers)))


@cache
def _random_values(objective: Objective) -> list[float]:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    values = []
    for _ in range(N_RANDOM):
        try:
            values.append(objective(study.ask()))
        except CrashError:
            continue
    return values


def _cell(found: Sequence[float]) -> str:
    return " / ".join(f"{regret:.3f}" for regret in found[:-1]) + f", {found[-1]:.1f}"
