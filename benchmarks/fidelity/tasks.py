"""Tasks with learning curves to search, and those of LCBench."""

import importlib
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.pruners import BasePruner, NopPruner
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import Trial

Values = np.ndarray

NEWER = ("126026", "146212", "167161", "167181", "167201")
"""The LCBench tasks that no default of the sampler was chosen on."""


CONSTRUCTED = ("late crossing", "late hidden", "late taskset")
"""Groups of tasks that are made to mislead early ranks: formulas, and a choice of trainings."""


def group_of(name: str) -> str:
    """Return the kind of task that a name is of."""
    if name.startswith("yahpo_lcbench"):
        return "LCBench, newer" if name.endswith(NEWER) else "LCBench, development"
    constructed = [group for group in CONSTRUCTED if name.startswith(group)]
    return [*constructed, "TaskSet" if name.startswith("taskset") else "DHEN"][0]


class CurveTask(ABC):
    """A task whose configurations have a learning curve; lower values are better.

    Attributes:
        n_steps: Reports of a full training.
        reports_are_samples: Whether each report is a value on other data, the same for all
            configurations, as `WilcoxonPruner` assumes.
    """

    name: str
    n_steps: int
    best_known: float
    median_random: float
    reports_are_samples = False

    def study(
        self, sampler: BaseSampler, pruner: BasePruner | None = None, name: str = "study"
    ) -> Study:
        """Return a new study to ask for trials of this task.

        Args:
            sampler: Of the study.
            pruner: Of the study; None for none.
            name: Of the study. `HyperbandPruner` draws the bracket of a trial from it.
        """
        return optuna.create_study(sampler=sampler, pruner=pruner or NopPruner(), study_name=name)

    @abstractmethod
    def ask(self, study: Study) -> tuple[Trial, Values] | None:
        """Return a trial, its parameters suggested, and the curve it would report.

        Args:
            study: Made by this task's `study`.

        Returns:
            None when no configuration is left.
        """

    def regret(self, value: float) -> float:
        """Return 0 for the best known value, 1 for the median of random configurations."""
        return (value - self.best_known) / (self.median_random - self.best_known)


class LCBench(CurveTask):
    """A task of the given folder."""

    def __init__(self, task: Any) -> None:
        self._task = task
        self.name = task.name
        self.n_steps = len(task.curve_steps)
        self.best_known, self.median_random = task.best_known, task.median_random

    def ask(self, study: Study) -> tuple[Trial, Values]:
        trial = study.ask()
        return trial, np.array(self._task.evaluate(self._task.suggest(trial))["curve"])


def load_lcbench(folder: Path) -> list[CurveTask]:
    """Return the LCBench tasks of a folder that holds `hpo_tasks.py`."""
    module = hpo_tasks(folder)
    names = [name for name in module.tasks() if name.startswith("yahpo_lcbench")]
    return [LCBench(module.make(name)) for name in names]


def hpo_tasks(folder: Path) -> Any:
    """Return the module of the folder."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    return importlib.import_module("hpo_tasks")
