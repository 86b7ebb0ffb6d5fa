"""Runs of several pruners on the same tasks with the same seeds, and their paired differences."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmarks.fidelity.arms import ARMS
from benchmarks.fidelity.equal_epochs import Run

Values = np.ndarray

BUDGET = 50
"""Of every run, in full trainings."""
SHOWN = (15, 25, 50)
ALIKE = 1e-6
"""Regrets that differ by less are equal."""


@dataclass(frozen=True)
class Difference:
    """The mean of paired differences and its standard error; below 0 is better."""

    mean: float
    error: float

    @classmethod
    def of(cls, gaps: Values) -> "Difference":
        error = float(np.std(gaps, ddof=1)) / len(gaps) ** 0.5 if len(gaps) > 1 else float("nan")
        return cls(float(np.mean(gaps)), error)


@dataclass(frozen=True)
class Paired:
    """Regrets of the runs that all pruners of a sampler have in common.

    Attributes:
        pairs: Tasks and seeds.
        regrets: By pruner, an array (pair, budget) for budgets of 1, 2, ... full trainings.
        left_out: Runs of tasks and seeds that some pruner lacks.
    """

    pairs: list[tuple[str, int]]
    regrets: dict[str, Values]
    left_out: int

    @classmethod
    def of(cls, runs: Sequence[Run]) -> "Paired":
        """Pair the runs of one sampler."""
        by_pruner = {
            pruner: {(run.task, run.seed): run for run in runs if run.pruner == pruner}
            for pruner in ARMS
        }
        by_pruner = {pruner: found for pruner, found in by_pruner.items() if found}
        pairs = sorted(set.intersection(*map(set, by_pruner.values()))) if by_pruner else []
        regrets = {
            pruner: np.array(
                [[found[pair].regret_at(b + 1) for b in range(BUDGET)] for pair in pairs]
            ).reshape(-1, BUDGET)
            for pruner, found in by_pruner.items()
        }
        return cls(pairs, regrets, len(runs) - len(pairs) * len(regrets))

    def at(self, pruner: str, budget: int) -> Values:
        """Return the regret of each pair after so many full trainings."""
        column: Values = self.regrets[pruner][:, budget - 1]
        return column

    def against(self, pruner: str, other: str, budget: int) -> Difference:
        """Return how much higher the regret is than that of another pruner."""
        return Difference.of(self.at(pruner, budget) - self.at(other, budget))

    def best_of_optuna(self, budget: int) -> str | None:
        """Return the pruner of Optuna with the lowest mean; None without one."""
        names = [name for name in self.regrets if ARMS[name].from_optuna]
        return min(names, key=lambda name: self.at(name, budget).mean(), default=None)

    def trainings_to_none(self, pruner: str) -> int | None:
        """Return the smallest budget whose mean is that of no pruner at the end; None if none."""
        wanted = self.at("none", BUDGET).mean()
        there = np.flatnonzero(self.regrets[pruner].mean(axis=0) <= wanted + ALIKE)
        return int(there[0]) + 1 if len(there) else None

    def tasks_won(self, pruner: str, budget: int) -> tuple[int, int]:
        """Return the tasks whose mean over seeds is lower than without a pruner, and higher."""
        gaps = self.at(pruner, budget) - self.at("none", budget)
        means = np.array([gaps[self.rows_of(task)].mean() for task in self.tasks])
        return int((means < -ALIKE).sum()), int((means > ALIKE).sum())

    @cached_property
    def tasks(self) -> list[str]:
        return sorted({task for task, _ in self.pairs})

    def rows_of(self, task: str) -> Values:
        """Return which pairs are of a task."""
        return np.array([name == task for name, _ in self.pairs])
