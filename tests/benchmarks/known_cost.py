"""What a known cost adds to a suggestion on the 18 decisions of DHEN.

    OMP_NUM_THREADS=1 python tests/benchmarks/known_cost.py

CPU time of a suggestion without a cost, with FLOPs that are learned, and with FLOPs that are
computed for every candidate; medians over sampler seeds on the same study of random trials.
"""

from __future__ import annotations

import argparse
from statistics import median
from typing import Any

import optuna
from suggestion_cost import seconds, study_of

from dhen_objective import suggest_config
from dhen_objective.cost import flops_per_example
from optuna_predictor_rl import KnownCost, PredictorRLSampler


def flops(params: dict[str, Any]) -> float:
    model, _ = suggest_config(optuna.trial.FixedTrial(params))
    return float(flops_per_example(model, n_fields=20, n_dense=5))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, nargs="+", default=[25, 100])
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print("| completed trials | no cost, s | learned, s | known, s | configurations priced |")
    print("|---:|---:|---:|---:|---:|")
    seconds(study_of(10), PredictorRLSampler(seed=0))  # the first call loads what it needs
    for n_trials in arguments.trials:
        study = study_of(n_trials)
        asked: list[dict[str, Any]] = []

        def counted(params: dict[str, Any], asked: list[dict[str, Any]] = asked) -> float:
            asked.append(params)
            return flops(params)

        costs: tuple[dict[str, Any], ...] = (
            {},
            {"cost": lambda trial: flops(trial.params), "cost_weight": 0.3},
            {"cost": KnownCost(counted), "cost_weight": 0.3},
        )
        times = [
            median(
                seconds(study, PredictorRLSampler(seed=seed, **options))
                for seed in range(arguments.repeats)
            )
            for options in costs
        ]
        cells = " | ".join(f"{t:.3f}" for t in times)
        print(f"| {n_trials} | {cells} | {len(asked) // arguments.repeats} |", flush=True)


if __name__ == "__main__":
    main()
