"""Tasks with learning curves to search: LCBench, and tables of recorded curves."""

import importlib
import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, json_to_distribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import Trial, TrialState

Values = np.ndarray


class CurveTask(ABC):
    """A task whose configurations have a learning curve; lower values are better."""

    name: str
    n_steps: int
    best_known: float
    median_random: float

    @abstractmethod
    def ask(self, study: Study, sampler: BaseSampler, seed: int) -> tuple[Trial, Values] | None:
        """Return a trial of the study, its parameters suggested, and the curve it would report.

        Args:
            study: To ask.
            sampler: Another one of the study's kind and seed, to be used up.
            seed: Of the run.

        Returns:
            None when no configuration is left.
        """


class LCBench(CurveTask):
    """A task of the given folder."""

    def __init__(self, task: Any) -> None:
        self._task = task
        self.name = task.name
        self.n_steps = len(task.curve_steps)
        self.best_known, self.median_random = task.best_known, task.median_random

    def ask(self, study: Study, sampler: BaseSampler, seed: int) -> tuple[Trial, Values]:  # noqa: ARG002
        trial = study.ask()
        return trial, np.array(self._task.evaluate(self._task.suggest(trial))["curve"])


class Table(CurveTask):
    """Recorded trainings: what a sampler asks for is moved to the nearest one not yet taken.

    The sampler is told the parameters of the recorded training, not those that it asked for.
    """

    def __init__(
        self,
        name: str,
        curves: Values,
        params: list[dict[str, Any]],
        distributions: Mapping[str, BaseDistribution],
    ) -> None:
        self.name, self.n_steps = name, curves.shape[1]
        self._curves, self._params, self._distributions = curves, params, dict(distributions)
        self._places = np.array([self._place(row) for row in params])
        finals = curves[:, -1]
        self.best_known, self.median_random = float(finals.min()), float(np.median(finals))

    def ask(self, study: Study, sampler: BaseSampler, seed: int) -> tuple[Trial, Values] | None:
        taken = {trial.user_attrs["row"] for trial in study.trials}
        free = np.array([i for i in range(len(self._params)) if i not in taken])
        if len(free) == 0:
            return None
        wanted = self._wanted(study, sampler, seed)
        # Parameters that do not differ would favour one row: ties are broken by the seed.
        jitter = np.random.default_rng([seed, len(taken)]).uniform(0, 1e-9, len(free))
        distance = np.abs(self._places[free] - self._place(wanted)).sum(axis=1) + jitter
        row = int(free[np.argmin(distance)])
        study.enqueue_trial(self._params[row], user_attrs={"row": row})
        trial = study.ask(self._distributions)
        return trial, self._curves[row]

    def _wanted(self, study: Study, sampler: BaseSampler, seed: int) -> dict[str, Any]:
        """Return what the sampler would ask next, seen from a copy of the study."""
        copy = optuna.create_study(sampler=sampler, direction=study.direction)
        copy.add_trials([t for t in study.trials if t.state == TrialState.COMPLETE])
        if isinstance(sampler, optuna.samplers.RandomSampler):  # would begin again each time
            copy.sampler = optuna.samplers.RandomSampler(seed=1000 * seed + len(study.trials))
        return copy.ask(self._distributions).params

    def _place(self, params: Mapping[str, Any]) -> Values:
        """Return one coordinate in [0, 1] a number, one a category; two categories are 1 apart."""
        parts: list[float] = []
        for name, distribution in self._distributions.items():
            if isinstance(distribution, CategoricalDistribution):
                chosen = distribution.choices.index(params[name])
                parts += [0.5 * (i == chosen) for i in range(len(distribution.choices))]
                continue
            scale = np.log if distribution.log else float  # type: ignore[attr-defined]
            low, high = scale(distribution.low), scale(distribution.high)  # type: ignore[attr-defined]
            parts.append(float((scale(params[name]) - low) / (high - low)))
        return np.array(parts)


def load_lcbench(folder: Path) -> list[CurveTask]:
    """Return the eight LCBench tasks of a folder that holds `hpo_tasks.py`."""
    sys.path.insert(0, str(folder))
    module = importlib.import_module("hpo_tasks")
    names = [name for name in module.tasks() if name.startswith("yahpo_lcbench")]
    return [LCBench(module.make(name)) for name in names]


def load_table(path: Path) -> Table:
    """Return the first recording of a file as a task.

    Args:
        path: Of a file with parameters.
    """
    recording = read_recordings(path)[0]
    curves = recording.curves.astype(float)
    return Table(recording.name, curves, recording.params, recording.distributions)


@dataclass(frozen=True)
class Recording:
    """What `python -m benchmarks dhen record_curves` wrote.

    Attributes:
        name: Of the task.
        curves: One row a configuration, one column a report.
        params: The parameters of each configuration; empty if the file has none.
        distributions: Of the parameters.
    """

    name: str
    curves: Values
    params: list[dict[str, Any]]
    distributions: dict[str, BaseDistribution]


def read_recordings(path: Path) -> list[Recording]:
    """Return every array of curves in a file, with the parameters that they share."""
    with np.load(path) as arrays:
        params = json.loads(str(arrays["params"])) if "params" in arrays else []
        texts = json.loads(str(arrays["distributions"])) if "params" in arrays else {}
        distributions = {name: json_to_distribution(text) for name, text in texts.items()}
        return [
            Recording(name, arrays[name], params, distributions)
            for name in arrays.files
            if arrays[name].ndim == 2
        ]
