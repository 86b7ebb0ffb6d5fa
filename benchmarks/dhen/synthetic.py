"""Do bigger interaction modules pay on the synthetic stream, and do curves cross?

    python -m benchmarks dhen synthetic

Trains four networks without a linear path on the preset "medium" with three seeds of the stream
and the weights, and prints their normalized entropy beside the Bayes-optimal one, over the whole
pass and the last window, and the number of rows at which the order of two networks last changed.

Takes about 2 minutes.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from statistics import mean

import torch

from benchmarks.dhen.quality import NETWORK, TRAINING
from dhen_objective import (
    Interaction,
    SyntheticStream,
    TrainResult,
    train,
)

NETWORKS = {
    "linear": replace(NETWORK, modules=(Interaction.LINEAR,)),
    "DLRM": replace(NETWORK, modules=(Interaction.DLRM,)),
    "all five": replace(NETWORK, modules=tuple(Interaction)),
    "all five, 2 layers": replace(NETWORK, n_layers=2, modules=tuple(Interaction), ln_init=0.1),
}


def crossing(one: TrainResult, other: TrainResult) -> int | None:
    """Return the rows at the last report at which the two had another order than in the end."""
    signs = [(rows, one.curve[rows].log_loss < other.curve[rows].log_loss) for rows in one.curve]
    others = [rows for rows, sign in signs if sign != signs[-1][1]]
    return others[-1] if others else None


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--lr", type=float, default=1e-3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    table: dict[str, list[str]] = {name: [] for name in ("Bayes", *NETWORKS)}
    crossings: dict[tuple[str, str], list[int | None]] = {}
    for seed in options.seeds:
        stream = SyntheticStream("medium", rows=options.rows, seed=seed)
        window = round(0.8 * options.rows)
        bayes = stream.bayes_normalized_entropy(window), stream.bayes_normalized_entropy()
        table["Bayes"].append(f"{bayes[0]:.4f} / {bayes[1]:.4f}")
        results = {}
        for name, config in NETWORKS.items():
            result = train(stream, config, replace(TRAINING, lr=options.lr, seed=seed))
            results[name] = result
            pair = result.normalized_entropy, result.lifetime.normalized_entropy
            table[name].append(f"{pair[0]:.4f} / {pair[1]:.4f}")
        for one, other in (
            ("linear", "DLRM"),
            ("DLRM", "all five"),
            ("DLRM", "all five, 2 layers"),
        ):
            crossings.setdefault((one, other), []).append(crossing(results[one], results[other]))
    print(f"| NE, last window / whole pass | {' | '.join(f'seed {s}' for s in options.seeds)} |")
    print("|---" * (1 + len(options.seeds)) + "|")
    for name, cells in table.items():
        print(f"| {name} | {' | '.join(cells)} |")
    for (one, other), rows in crossings.items():
        known = [row for row in rows if row is not None]
        average = f", on average {mean(known):,.0f}" if known else ""
        print(f"{one} and {other} last changed order at rows {rows}{average}.")
