"""Tables of recorded trainings as tasks to search: DHEN on coupons, and TaskSet."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    json_to_distribution,
)
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from benchmarks.fidelity.tasks import CurveTask, Values, hpo_tasks


class NearestRow(BaseSampler):
    """Moves what a sampler asks for to the nearest recorded training that is not yet taken.

    The sampler is told the parameters of the recorded training, not those that it asked for.
    """

    def __init__(self, sampler: BaseSampler, table: "Table") -> None:
        self._sampler, self._table = sampler, table
        self.taken: list[int] = []

    def infer_relative_search_space(
        self,
        study: Study,  # noqa: ARG002 # the interface is Optuna's
        trial: FrozenTrial,  # noqa: ARG002
    ) -> dict[str, BaseDistribution]:
        return self._table.distributions

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        space = self._sampler.infer_relative_search_space(study, trial)
        wanted = self._sampler.sample_relative(study, trial, space)
        for name, distribution in search_space.items():
            if name not in wanted:
                wanted[name] = self.sample_independent(study, trial, name, distribution)
        self.taken.append(self._table.nearest(wanted, self.taken))
        return self._table.params[self.taken[-1]]

    def sample_independent(
        self, study: Study, trial: FrozenTrial, name: str, distribution: BaseDistribution
    ) -> Any:
        return self._sampler.sample_independent(study, trial, name, distribution)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        self._sampler.before_trial(study, trial)

    def after_trial(
        self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        self._sampler.after_trial(study, trial, state, values)


class Table(CurveTask):
    """Recorded trainings, each of which is taken at most once.

    A final value of NaN is that of a training that diverged.
    """

    def __init__(self, name: str, recording: "Recording") -> None:
        self.name = name
        self._curves = recording.curves.astype(float)
        self.params, self.distributions = recording.params, recording.distributions
        self.n_steps = recording.curves.shape[1]
        self._places = np.array([self._place(row) for row in self.params])
        finals = np.nan_to_num(self._curves[:, -1], nan=np.inf)
        self.best_known, self.median_random = float(finals.min()), float(np.median(finals))

    def study(
        self, sampler: BaseSampler, pruner: BasePruner | None = None, name: str = "study"
    ) -> Study:
        return super().study(NearestRow(sampler, self), pruner, name)

    def ask(self, study: Study) -> tuple[Trial, Values] | None:
        rows = study.sampler
        assert isinstance(rows, NearestRow)
        if len(rows.taken) == len(self.params):
            return None
        trial = study.ask(self.distributions)
        return trial, self._curves[rows.taken[-1]]

    def nearest(self, wanted: Mapping[str, Any], taken: Sequence[int]) -> int:
        """Return the row nearest to the wanted parameters among those not taken."""
        distance = np.abs(self._places - self._place(wanted)).sum(axis=1)
        # Parameters that do not differ would favour one row.
        distance += np.random.default_rng(len(taken)).uniform(0, 1e-9, len(distance))
        distance[list(taken)] = np.inf
        return int(np.argmin(distance))

    def _place(self, params: Mapping[str, Any]) -> Values:
        """Return one coordinate in [0, 1] a number, one a category; two categories are 1 apart."""
        parts: list[float] = []
        for name, distribution in self.distributions.items():
            if isinstance(distribution, CategoricalDistribution):
                chosen = distribution.choices.index(params[name])
                parts += [0.5 * (i == chosen) for i in range(len(distribution.choices))]
                continue
            scale = np.log if distribution.log else float  # type: ignore[attr-defined]
            low, high = scale(distribution.low), scale(distribution.high)  # type: ignore[attr-defined]
            parts.append(float((scale(params[name]) - low) / (high - low)))
        return np.array(parts)


def load_table(path: Path) -> Table:
    """Return the first recording of a file as a task.

    Args:
        path: Of a file with parameters.
    """
    recording = read_recordings(path)[0]
    table = Table(recording.name, recording)
    table.reports_are_samples = True  # a report is the loss on a window of the stream
    return table


def load_taskset(folder: Path) -> list[CurveTask]:
    """Return the four sets of 1,000 recorded trainings of a folder that holds `hpo_tasks.py`."""
    return [Table(f"taskset:{r.name}", r) for r in _taskset(folder)]


def load_late_taskset(folder: Path) -> list[CurveTask]:
    """Return the same sets with late learners as the only good ones: 220 to 280 trainings each.

    Of the best fifth, those are kept that are not in the best 30 % after an eighth of the
    training; of the others, every fourth.
    """
    return [Table(f"late taskset:{r.name}", late_only(r)) for r in _taskset(folder)]


def late_only(recording: "Recording") -> "Recording":
    """Return a recording without the good trainings that look good after an eighth."""
    curves = np.nan_to_num(recording.curves.astype(float), nan=np.inf)
    final, early = curves[:, -1], curves[:, max(curves.shape[1] // 8 - 1, 0)]
    good = final <= np.quantile(final, 0.2, method="lower")
    late = good & (early > np.quantile(early, 0.3, method="lower"))
    kept = np.sort(np.concatenate([np.flatnonzero(late), np.flatnonzero(~good)[::4]]))
    params = [recording.params[i] for i in kept]
    return replace(recording, curves=recording.curves[kept], params=params)


def _taskset(folder: Path) -> list["Recording"]:
    """Return the recordings, without the first report, before any training.

    Adam's betas are told as 1 - beta, so all eight parameters are logarithmic.
    """
    pool = hpo_tasks(folder).pool("taskset")
    names = [str(name) for name in pool["hp_names"]]
    values = pool["hp"].astype(float)
    for i, name in enumerate(names):
        if name.startswith("beta"):
            names[i], values[:, i] = f"one_minus_{name}", 1 - values[:, i]
    params = [dict(zip(names, row, strict=True)) for row in values.tolist()]
    distributions: dict[str, BaseDistribution] = {
        name: FloatDistribution(float(column.min()), float(column.max()), log=True)
        for name, column in zip(names, values.T, strict=True)
    }
    return [
        Recording(str(name), curves, params, distributions)
        for name, curves in zip(pool["names"], pool["valid"][:, :, 1:], strict=True)
    ]


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
