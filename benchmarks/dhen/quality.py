"""Does a plain DHEN beat logistic regression, online SGD and a plain MLP on real streams?

    python -m benchmarks dhen quality quality.jsonl

Trains all on the same rows, in one pass, and prints the normalized entropy of the last window, a
fifth of the rows, and of the whole pass: networks with three seeds, the others once, since they
have no random part. Every baseline has the learning rates that `python -m benchmarks dhen
learning_rates` chose for it; DHEN has a learning rate of 3e-4 and, in a second row, the one that
the same protocol chooses. The DHEN has no linear path, all have batches of 512, and Adagrad's
sums start at 0; `python -m benchmarks dhen default_network` is about the default. Runs that the
file already holds are not repeated.

Takes about 40 minutes.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from statistics import mean, stdev

import torch

from benchmarks.json_lines import append_line, read_lines
from dhen_objective import (
    ClickModel,
    ClickStream,
    CouponStream,
    DHENConfig,
    FlightStream,
    LogisticRegression,
    PlainMLP,
    TrainConfig,
    TrainResult,
    ne_gain,
    train,
    train_model,
    train_sgd,
)
from dhen_objective.sgd import SGD_LR

STREAMS: dict[str, Callable[[int | None], ClickStream]] = {
    "coupons": lambda rows: CouponStream(rows=rows),
    "flights": lambda rows: FlightStream(rows=rows),
}

NETWORK = DHENConfig(wide=False)
TRAINING = TrainConfig(lr=3e-4, embedding_start=0.0, batch_size=512)
"""The settings of the recorded runs."""


def dhen(stream: ClickStream, seed: int, **rates: float) -> TrainResult:
    """Train the plain DHEN."""
    return train(stream, NETWORK, replace(TRAINING, seed=seed, **rates))


def mlp(stream: ClickStream, seed: int) -> TrainResult:
    """Train the MLP."""
    return train_model(PlainMLP(**shape(stream), seed=seed), stream, own(PlainMLP))


def own(kind: type[ClickModel]) -> TrainConfig:
    """Return the training with a kind of model's learning rates."""
    return kind.own_training(batch_size=TRAINING.batch_size)


MODELS: dict[str, Callable[[ClickStream, int], TrainResult]] = {
    "DHEN": dhen,
    "logistic regression": lambda stream, _: train_model(
        LogisticRegression(**shape(stream)), stream, own(LogisticRegression)
    ),
    "sklearn's SGD": lambda stream, _: train_sgd(stream, replace(TRAINING, lr=SGD_LR)),
    "MLP": mlp,
    "DHEN, lr 1e-3": partial(dhen, lr=1e-3),
}
UNSEEDED = ("logistic regression", "sklearn's SGD")


def shape(stream: ClickStream) -> dict:
    """Return what a model has to know of a stream."""
    return {
        "field_sizes": stream.field_sizes,
        "n_dense": stream.n_dense,
        "prior": stream.prior,
    }


def show(values: list[float]) -> str:
    """Return the mean, the standard deviation over seeds and each value as text."""
    spread = f" ± {stdev(values):.4f}" if len(values) > 1 else ""
    return f"{mean(values):.4f}{spread} ({' '.join(f'{v:.4f}' for v in values)})"


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, help="every run, as JSON lines")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--rows", type=int, help="of each stream; by default all")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message=".*dense values were missing")
    runs = read_lines(options.results)
    done = {tuple(run[:3]) for run in runs}
    streams = {data: make(options.rows) for data, make in STREAMS.items()}
    for name, seed, data in product(MODELS, options.seeds, STREAMS):
        if (data, name, seed) in done or (name in UNSEEDED and seed != options.seeds[0]):
            continue
        result = MODELS[name](streams[data], seed)
        pair = result.normalized_entropy, result.lifetime.normalized_entropy
        runs.append([data, name, seed, *pair])
        append_line(options.results, runs[-1])
    results: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for data, name in product(STREAMS, MODELS):
        results[data, name] = [tuple(run[3:]) for run in runs if run[:2] == [data, name]]
    print("| stream | model | NE, last window | NE, whole pass | DHEN's gain, last window |")
    print("|---|---|---:|---:|---:|")
    for (data, name), pairs in results.items():
        last, whole = zip(*pairs, strict=True)
        base = [pair[0] for pair in results[data, "DHEN"]]
        theirs = last if len(last) > 1 else last * len(base)
        gains = [ne_gain(ours, other) for ours, other in zip(base, theirs, strict=True)]
        gain = (
            ""
            if name == "DHEN"
            else " ".join([f"{mean(gains):+.2f} %:", *(f"{gain:+.2f}" for gain in gains)])
        )
        print(f"| {data} | {name} | {show(list(last))} | {show(list(whole))} | {gain} |")
