"""Recorded learning curves: where they come from, and the options of benchmarks that use them."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import RandomSampler

from benchmarks.fidelity.tables import read_recordings
from benchmarks.fidelity.tasks import load_lcbench
from benchmarks.quiet import be_quiet
from optuna_predictor_rl.core.curves import Curve

N_CURVES = 120
"""Random configurations of each LCBench task."""
N_PILOTS = 6

Params = tuple[dict[str, Any], dict[str, BaseDistribution]]


@dataclass(frozen=True)
class Task:
    """Curves on one grid of steps, their final values without noise, and their parameters."""

    name: str
    values: np.ndarray
    finals: np.ndarray
    params: list[Params] = field(default_factory=list)

    @property
    def n_steps(self) -> int:
        return int(self.values.shape[1])

    def curves(self, rows: Sequence[int] | np.ndarray) -> list[Curve]:
        steps = np.arange(1.0, self.n_steps + 1)
        return [Curve.from_arrays(steps, self.values[row].astype(float)) for row in rows]

    def noisy(self, share: float, seed: int) -> "Task":
        """Add noise to every step, as a share of the quartiles' distance of the final values."""
        scale = share * np.subtract(*np.percentile(self.finals, [75, 25]))
        noise = np.random.default_rng(seed).normal(size=self.values.shape)
        return Task(self.name, self.values + scale * noise, self.finals, self.params)


def load_hpo(folder: Path) -> list[Task]:
    """Return learning curves of random LCBench configurations, from the folder's module."""
    loaded = []
    for task in load_lcbench(folder):
        study = task.study(RandomSampler(seed=0))
        asked = [task.ask(study) for _ in range(N_CURVES)]
        values = np.array([pair[1] for pair in asked if pair is not None])
        params: list[Params] = [
            (pair[0].params, pair[0].distributions) for pair in asked if pair is not None
        ]
        name = task.name.removeprefix("yahpo_")
        loaded.append(Task(name, values, values[:, -1], params))
    return loaded


def load_npz(path: Path) -> list[Task]:
    """Return the recordings of a file."""
    return [
        Task(r.name, r.curves, r.curves[:, -1], [(p, r.distributions) for p in r.params])
        for r in read_recordings(path)
    ]


def options(description: str) -> argparse.ArgumentParser:
    """Return the options that the benchmarks of recorded curves share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--hpo", type=Path, help="folder that holds hpo_tasks.py")
    parser.add_argument("--npz", type=Path, nargs="*", default=[], help="recorded curves")
    parser.add_argument("--draws", type=int, default=5, help="orders of the configurations")
    return parser


def tasks_of(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> list[Task]:
    """Return the tasks that the arguments name."""
    tasks = [task for path in arguments.npz for task in load_npz(path)]
    if arguments.hpo is not None and arguments.hpo.is_dir():
        tasks += load_hpo(arguments.hpo)
    if not tasks:
        parser.error("no curves: give --hpo DIR or --npz FILE.")
    be_quiet(one_thread=False)
    return tasks


def row(*cells: object) -> str:
    return "| " + " | ".join(f"{c:.3f}" if isinstance(c, float) else str(c) for c in cells) + " |"


def header(*cells: str) -> None:
    print("\n" + row(*cells))
    print(row("---", *["---:"] * (len(cells) - 1)))
