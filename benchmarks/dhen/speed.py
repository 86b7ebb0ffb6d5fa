"""Rows per second of a DHEN against a straightforward one, and how much of the machine it uses.

    python -m benchmarks dhen speed

Both train one configuration on the same batches, one core, in turns in one run, so the ratio holds
on a busy machine. The batches are the coupons', whose fields have 74,752 ids, and random ones in
the shape of Criteo's: 26 fields of 65,536 ids. The networks have no linear path. The peak is that
of a large float32 product, measured in the same turns.

Takes about 3 minutes.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from itertools import cycle, islice

import numpy as np
import torch

from benchmarks.dhen.straightforward import StraightforwardDHEN
from dhen_objective import (
    DHEN,
    ArrayStream,
    Batch,
    ClickStream,
    CouponStream,
    DHENConfig,
    Interaction,
    TrainConfig,
    Trainer,
    flops_per_example,
    parameter_count,
)

CONFIGS = {
    "default": DHENConfig(wide=False),
    "2 layers, all five": DHENConfig(n_layers=2, modules=tuple(Interaction), wide=False),
    "2 layers, linear + dcn": DHENConfig(
        n_layers=2, modules=(Interaction.LINEAR, Interaction.DCN), wide=False
    ),
}
SIDE = 1024
CRITEO = (1 << 16,) * 26
BACKWARD = 3  # a step of training costs three forward passes' products


def criteo_like(rows: int) -> ArrayStream:
    """Return random rows in Criteo's shape; small ids are frequent."""
    rng = np.random.default_rng(0)
    return ArrayStream(
        dense=rng.normal(size=(rows, 13)).astype(np.float32),
        sparse=rng.zipf(1.2, size=(rows, len(CRITEO))) % CRITEO[0],
        labels=rng.binomial(1, 0.25, rows),
        field_sizes=CRITEO,
        prior=0.25,
    )


def timed(step: Callable[[], object]) -> float:
    """Return the processor time of one call: on a busy machine steadier than the wall's."""
    start = time.process_time()
    step()
    return time.process_time() - start


def measure(
    config: DHENConfig, stream: ClickStream, batches: list[Batch], repeats: int
) -> tuple[float, float, float]:
    """Return the median seconds of a step of ours, of theirs and of a product of two matrices."""
    shape = {"field_sizes": stream.field_sizes, "n_dense": stream.n_dense}
    ours = Trainer(DHEN(config, **shape), TrainConfig(), n_rows=10**9)
    theirs = StraightforwardDHEN(config, **shape)
    n_parameters, n_others = parameter_count(ours.model), parameter_count(theirs)
    # Torch's encoder layer has the gains and biases of layer norms also where `ln_init` is 0.
    assert abs(n_parameters - n_others) <= 1e-3 * n_parameters, (n_parameters, n_others)
    matrix = torch.randn(SIDE, SIDE)
    seconds: list[list[float]] = [[], [], []]
    for batch in islice(cycle(batches), 5 + repeats):
        steps = (
            partial(ours.step, batch),
            partial(theirs.step, batch),
            partial(torch.mm, matrix, matrix),
        )
        for kept, step in zip(seconds, steps, strict=True):
            kept.append(timed(step))
    mine, other, product = (statistics.median(kept[5:]) for kept in seconds)
    return mine, other, product


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--batch-size", type=int, default=512)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = 20 * options.batch_size
    print(
        "| shape | network | FLOPs an example | rows/s | straightforward, rows/s | ratio "
        "| GFLOP/s, training | share of the matmul peak |"
    )
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for shape, stream in (("coupons", CouponStream(rows=rows)), ("Criteo", criteo_like(rows))):
        for name, config in CONFIGS.items():
            row = compare(config, stream, options.batch_size, options.repeats)
            print(f"| {shape} | {name} | {row} |", flush=True)


def compare(config: DHENConfig, stream: ClickStream, batch_size: int, repeats: int) -> str:
    """Return the measured part of a row of the table."""
    flops = flops_per_example(config, n_fields=len(stream.field_sizes), n_dense=stream.n_dense)
    mine, other, product = measure(config, stream, list(stream.batches(batch_size)), repeats)
    rows = batch_size / mine
    speed, peak = BACKWARD * flops * rows, 2 * SIDE**3 / product
    return (
        f"{flops / 1e6:.2f}M | {rows:,.0f} | {batch_size / other:,.0f} "
        f"| {other / mine:.1f} | {speed / 1e9:.1f} | {speed / peak:.0%}"
    )
