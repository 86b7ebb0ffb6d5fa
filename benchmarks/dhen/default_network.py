"""How quiet is the default network, and is it ever behind a tuned logistic regression?

    python -m benchmarks dhen default_network default_network.jsonl
    python -m benchmarks dhen default_network default_network.jsonl --report

Trains networks and scikit-learn's `SGDClassifier` with four steps through nine tables
(`benchmarks/dhen/tables.py`) in one pass. The window is the last third of the rows. The report
has, for each table and network, the normalized entropy, its excess over the best of the four
steps in %, the standard deviation of that excess over seeds, and processor time as a ratio to the
base. A small table is another one with each seed, and all learners of a seed have the same one.
Runs that the file already holds are not repeated.

`--set name=value`, as `--set lr=1e-3 --name faster`, adds a network that differs from the
default in these fields of `DHENConfig` and `TrainConfig`.

Takes about 40 minutes.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections import defaultdict
from dataclasses import fields
from itertools import product
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import torch

from benchmarks.dhen.tables import REAL, TABLES
from benchmarks.json_lines import append_line, read_lines
from dhen_objective import ClickStream, DHENConfig, TrainConfig, TrainResult, train, train_sgd

WINDOW = {"n_reports": 3, "window": 1 / 3}
STEPS = (5e-3, 1.5e-2, 5e-2, 1.5e-1)
"""The constant steps of the online logistic regression."""

NETWORKS: dict[str, dict[str, Any]] = {
    "default": {},
    "base": {
        "wide": False,
        "lr": 3e-4,
        "embedding_lr": 0.1,
        "embedding_start": 0,
        "batch_size": 512,
    },
}
"""What differs from the default network; "base" is what the others' time is compared with."""


def network(changes: dict[str, Any], stream: ClickStream, seed: int) -> TrainResult:
    """Train the default network with these changes."""
    ours = {field.name for field in fields(DHENConfig)}
    model = {name: value for name, value in changes.items() if name in ours}
    training = {name: value for name, value in changes.items() if name not in ours}
    return train(
        stream,
        DHENConfig.from_dict(model),
        TrainConfig.from_dict({**WINDOW, "seed": seed, **training}),
    )


def regression(step: float, stream: ClickStream) -> TrainResult:
    """Train the online logistic regression with this step, on the default network's batches."""
    return train_sgd(stream, TrainConfig(lr=step, **WINDOW))


def learners(names: list[str], table: str, seed: int, first: int) -> list[str]:
    """Return the names of what is to be trained on a table: networks, and steps as text."""
    known = table in REAL and seed != first  # the regression has no random part
    return [*([] if known else map(str, STEPS)), *names]


def main() -> None:
    """Measure what the file lacks, then print a Markdown table."""
    options = _options()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message=".*dense values were missing")
    runs = read_lines(options.results)
    done = {tuple(run[:3]) for run in runs}
    if options.changes:
        NETWORKS[options.name] = options.changes
        options.networks = [options.name]
    for table, seed in product(options.tables, () if options.report else options.seeds):
        names = learners(options.networks, table, seed, options.seeds[0])
        left = [name for name in names if (table, name, seed) not in done]
        stream = TABLES[table](seed) if left else None
        for name in left:
            assert stream is not None
            start = time.process_time()
            result = (
                network(NETWORKS[name], stream, seed)
                if name in NETWORKS
                else regression(float(name), stream)
            )
            seconds = round(time.process_time() - start, 3)
            runs.append([table, name, seed, result.normalized_entropy, seconds])
            append_line(options.results, runs[-1])
    report(runs, options.tables)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, help="every run, as JSON lines")
    parser.add_argument("--tables", nargs="+", default=list(TABLES), choices=TABLES)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4, 5])
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=NETWORKS)
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE", help="one more")
    parser.add_argument("--name", help="of the network that --set makes")
    parser.add_argument("--report", action="store_true", help="train nothing")
    options = parser.parse_args()
    pairs = [text.partition("=") for text in options.set]
    options.changes = {name: json.loads(value) for name, _, value in pairs}
    if options.changes and not options.name:
        parser.error("--set needs --name")
    return options


def report(runs: list[list[Any]], tables: list[str]) -> None:
    """Print a row for each table and network."""
    found: dict[str, dict[str, dict[int, tuple[float, float]]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for table, name, seed, ne, seconds in runs:
        found[table][name][seed] = ne, seconds
    print("| table | network | NE | best step | excess over it, % | sd, % | time |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for table in tables:
        by_name = found[table]
        for name in [name for name in by_name if not _is_step(name)]:
            seeds = sorted(by_name[name])
            nes = [by_name[name][seed][0] for seed in seeds]
            tuned = [best_step(by_name, seed) for seed in seeds]
            excess = [100 * (ne / best - 1) for ne, best in zip(nes, tuned, strict=True)]
            spread = stdev(excess) if len(excess) > 1 else float("nan")
            both = [seed for seed in seeds if seed in by_name["base"]]
            ours, base = (
                sum(by_name[of][seed][1] for seed in both) or float("nan") for of in (name, "base")
            )
            print(
                f"| {table} | {name} | {mean(nes):.4f} | {mean(tuned):.4f} "
                f"| {mean(excess):+.2f} ± {spread / len(excess) ** 0.5:.2f} | {spread:.2f} "
                f"| {ours / base:.2f} |"
            )


def _is_step(name: str) -> bool:
    return name in map(str, STEPS)


def best_step(by_name: dict[str, dict[int, tuple[float, float]]], seed: int) -> float:
    """Return the least normalized entropy of the steps on the table of a seed."""
    of_step = [by_name[str(step)] for step in STEPS]
    return min((found.get(seed) or next(iter(found.values())))[0] for found in of_step if found)
