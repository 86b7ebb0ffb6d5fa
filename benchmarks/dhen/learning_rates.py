"""Which learning rates suit a plain DHEN and each baseline?

    python -m benchmarks dhen learning_rates learning_rates.jsonl

One protocol and one budget for all: nine settings each, trained on the first 60,000 rows of the
coupons and of the flights, which end before the last window of either stream. The setting with the
least mean of log NE over the last fifth of these rows is chosen, for both streams together, as
the default of a package has to be. The DHEN has no linear path, all have batches of 512, and
Adagrad's sums start at 0. Runs that the file already holds are not repeated.

Takes about 15 minutes.
"""

from __future__ import annotations

import argparse
import math
import warnings
from collections import defaultdict
from dataclasses import replace
from itertools import product
from pathlib import Path
from statistics import mean

import numpy as np
import torch

from benchmarks.dhen.quality import NETWORK, STREAMS, TRAINING, shape
from benchmarks.json_lines import append_line, read_lines
from dhen_objective import (
    DHEN,
    ClickStream,
    LogisticRegression,
    PlainMLP,
    TrainConfig,
    TrainResult,
    train_model,
    train_sgd,
)

ROWS = 60_000
EMBEDDING_RATES = (0.03, 0.1, 0.3)
NETWORK_RATES = (1e-4, 3e-4, 1e-3)
LINEAR_RATES = (3e-3, 1e-2, 3e-2)
SETTINGS: dict[str, list[tuple[float, float]]] = {
    "DHEN": list(product(NETWORK_RATES, EMBEDDING_RATES)),
    "MLP": list(product(NETWORK_RATES, EMBEDDING_RATES)),
    "logistic regression": list(product(LINEAR_RATES, EMBEDDING_RATES)),
    "sklearn's SGD": [(float(f"{lr:.1e}"), 0.1) for lr in np.geomspace(3e-4, 3e-2, 9)],
}
SEEDS = (0,)


def run(model: str, stream: ClickStream, training: TrainConfig) -> TrainResult:
    """Train one model on a stream."""
    if model == "sklearn's SGD":
        return train_sgd(stream, training)
    if model == "logistic regression":
        return train_model(LogisticRegression(**shape(stream)), stream, training)
    if model == "MLP":
        return train_model(PlainMLP(**shape(stream), seed=training.seed), stream, training)
    return train_model(DHEN(NETWORK, **shape(stream), seed=training.seed), stream, training)


def main() -> None:
    """Measure what the file lacks, then print the chosen settings."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message=".*dense values were missing")
    found = read_lines(options.results)
    done = {tuple(line[:5]) for line in found}
    streams = {data: make(ROWS) for data, make in STREAMS.items()}
    for model in reversed(SETTINGS):  # the cheap ones first
        for (lr, embedding_lr), data, seed in product(SETTINGS[model], STREAMS, SEEDS):
            key = (model, data, lr, embedding_lr, seed)
            if key in done:
                continue
            training = replace(TRAINING, lr=lr, embedding_lr=embedding_lr, seed=seed)
            result = run(model, streams[data], training)
            ne = math.inf if result.diverged else result.normalized_entropy
            found.append([*key, ne])
            append_line(options.results, found[-1])
    show(found)


def show(found: list[list]) -> None:
    """Print the three best settings of each model, the chosen one first."""
    values: dict[tuple[str, float, float], dict[str, list[float]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for model, data, lr, embedding_lr, _, ne in found:
        values[model, lr, embedding_lr][data].append(ne)
    print("| model | lr | embedding lr | NE, coupons | NE, flights |")
    print("|---|---:|---:|---:|---:|")
    for model in SETTINGS:
        ranked = sorted(
            (mean(math.log(ne) for nes in by_data.values() for ne in nes), lr, embedding_lr)
            for (name, lr, embedding_lr), by_data in values.items()
            if name == model
        )
        for _, lr, embedding_lr in ranked[:3]:
            of = values[model, lr, embedding_lr]
            nes = " | ".join(f"{mean(of[data]):.4f}" for data in STREAMS)
            print(f"| {model} | {lr:g} | {embedding_lr:g} | {nes} |")
