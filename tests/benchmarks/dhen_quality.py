"""Does the default DHEN beat logistic regression and a plain MLP on real streams?

    python tests/benchmarks/dhen_quality.py

Trains all on the same rows, in one pass, with three seeds, and prints the normalized entropy of
the last window, a fifth of the rows, and of the whole pass. The MLP is trained as the DHEN is, and
also with the higher learning rate that suits it better on the coupons.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev

import torch

from dhen_objective import (
    DHEN,
    ClickModel,
    ClickStream,
    CouponStream,
    DHENConfig,
    FlightStream,
    LogisticRegression,
    PlainMLP,
    TrainConfig,
    ne_gain,
    train_model,
)

Shape = dict[str, object]
STREAMS: dict[str, Callable[[int | None], ClickStream]] = {
    "coupons": lambda rows: CouponStream(rows=rows),
    "flights": lambda rows: FlightStream(rows=rows),
}
MODELS: dict[str, tuple[Callable[[ClickStream, int], ClickModel], dict[str, float]]] = {
    "DHEN": (lambda stream, seed: DHEN(DHENConfig(), **shape(stream), seed=seed), {}),
    "MLP": (lambda stream, seed: PlainMLP(**shape(stream), seed=seed), {}),
    "MLP, lr 5e-4": (lambda stream, seed: PlainMLP(**shape(stream), seed=seed), {"lr": 5e-4}),
    "logistic regression": (lambda stream, _: LogisticRegression(**shape(stream)), {}),
}


def shape(stream: ClickStream) -> dict:
    """What a model has to know of a stream."""
    return {
        "field_sizes": stream.field_sizes,
        "n_dense": stream.n_dense,
        "prior": stream.prior,
    }


def show(values: list[float]) -> str:
    """Mean, standard deviation over seeds, and each value."""
    spread = f" ± {stdev(values):.4f}" if len(values) > 1 else ""
    return f"{mean(values):.4f}{spread} ({' '.join(f'{v:.4f}' for v in values)})"


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--rows", type=int, help="of each stream; by default all")
    parser.add_argument("--out", type=Path, help="also write every result, as JSON lines")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message=".*dense values were missing")
    results: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for seed in options.seeds:
        for data, make in STREAMS.items():
            stream = make(options.rows)
            for name, (build, changes) in MODELS.items():
                training = replace(TrainConfig(seed=seed), **changes)
                result = train_model(build(stream, seed), stream, training)
                pair = result.normalized_entropy, result.lifetime.normalized_entropy
                results.setdefault((data, name), []).append(pair)
                if options.out:
                    with options.out.open("a") as file:
                        file.write(json.dumps([data, name, seed, *pair, result.seconds]) + "\n")
    print("| stream | model | NE, last window | NE, whole pass | DHEN's gain, last window |")
    print("|---|---|---:|---:|---:|")
    for (data, name), pairs in results.items():
        last, whole = zip(*pairs, strict=True)
        base = [pair[0] for pair in results[data, "DHEN"]]
        gains = [ne_gain(ours, theirs) for ours, theirs in zip(base, last, strict=True)]
        gain = "" if name == "DHEN" else f"{mean(gains):+.2f} %"
        print(f"| {data} | {name} | {show(list(last))} | {show(list(whole))} | {gain} |")


if __name__ == "__main__":
    main()
