"""Does what the main job found beat the default DHEN under seeds that no search has seen?

    for seed in 0 1 2; do python examples/dhen_search.py --seed $seed; done
    python -m benchmarks dhen gain sqlite:///dhen_search.db --rows 100000

Trains the best network of every study in the storage, and the default one, on the coupons with
fresh seeds, and prints the NE gain of the last window. A second figure is measured on rows that
no search has seen: the last window of the whole stream.

Takes about 5 minutes a study.
"""

from __future__ import annotations

import argparse
import json
from statistics import mean, stdev

import optuna
import torch

from dhen_objective import CouponStream, DHENConfig, DHENObjective, TrainConfig


def gains(
    model: DHENConfig, training: TrainConfig, objectives: list[DHENObjective]
) -> list[float]:
    """Return NE gains in % of a network over the default one, one for each objective's seed."""
    values = training.to_dict()
    return [
        objective.score(
            model, TrainConfig.from_dict({**values, "seed": objective.training.seed})
        ).gain
        for objective in objectives
    ]


def show(values: list[float]) -> str:
    """Return the mean, its standard error and each value as text."""
    error = stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("nan")
    each = " ".join(f"{value:+.2f}" for value in values)
    return f"{mean(values):+.2f} ± {error:.2f} ({each})"


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("storage")
    parser.add_argument("--rows", type=int, default=100_000, help="of the searches")
    parser.add_argument("--seeds", type=int, nargs="+", default=[10, 11, 12])
    options = parser.parse_args()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    same_rows, all_rows = (
        [
            DHENObjective(CouponStream(rows=rows), training=TrainConfig(seed=s))
            for s in options.seeds
        ]
        for rows in (options.rows, None)
    )
    print("| study | found | FLOPs | gain in its search, % | fresh seeds, % | all rows, % |")
    print("|---|---|---:|---:|---:|---:|")
    for name in optuna.get_all_study_names(options.storage):
        best = optuna.load_study(study_name=name, storage=options.storage).best_trial
        parts = json.loads(best.user_attrs["config"])
        model = DHENConfig.from_dict(parts["model"])
        training = TrainConfig.from_dict(parts["training"])
        same, whole = (gains(model, training, o) for o in (same_rows, all_rows))
        words = f"{model.n_layers} x {' + '.join(parts['model']['modules'])}"
        print(
            f"| {name} | {words} | {best.user_attrs['flops'] / 1e6:.2f}M | {best.value:+.2f} "
            f"| {show(same)} | {show(whole)} |",
            flush=True,
        )
