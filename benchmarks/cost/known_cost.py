"""What a known cost adds to a suggestion on the 18 decisions of DHEN.

    python -m benchmarks cost known_cost

CPU time of a suggestion without a cost, with FLOPs that are learned, and with FLOPs that are
computed for every candidate; medians over sampler seeds on the same study of random trials, in
processes of one thread, and in others without thread variables.

Takes about 2 minutes.
"""

from __future__ import annotations

import argparse
from statistics import median
from typing import Any

import optuna

from benchmarks.cost.suggestions import seconds, study_of
from benchmarks.cost.thread_variables import in_a_process
from benchmarks.quiet import be_quiet
from dhen_objective import suggest_config
from dhen_objective.cost import flops_per_example
from optuna_predictor_rl import KnownCost, PredictorRLSampler


def flops(params: dict[str, Any]) -> float:
    model, _ = suggest_config(optuna.trial.FixedTrial(params))
    return float(flops_per_example(model, n_fields=20, n_dense=5))


def measure(n_trials: int, repeats: int) -> tuple[list[float], int]:
    """Return medians without a cost, with a learned and with a known one, and what was priced."""
    be_quiet(one_thread=False)
    seconds(study_of(10), PredictorRLSampler(seed=0))  # the first call loads what it needs
    study = study_of(n_trials)
    asked: list[dict[str, Any]] = []

    def counted(params: dict[str, Any]) -> float:
        asked.append(params)
        return flops(params)

    costs: tuple[dict[str, Any], ...] = (
        {},
        {"cost": lambda trial: flops(trial.params), "cost_weight": 0.3},
        {"cost": KnownCost(counted), "cost_weight": 0.3},
    )
    times = [
        median(seconds(study, PredictorRLSampler(seed=i, **options)) for i in range(repeats))
        for options in costs
    ]
    return times, len(asked) // repeats


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, nargs="+", default=[25, 100])
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    print("| completed trials | thread variables | no cost, s | learned, s | known, s | priced |")
    print("|---:|---|---:|---:|---:|---:|")
    for n_trials in arguments.trials:
        for one_thread, name in ((True, "1"), (False, "unset")):
            times, n_priced = in_a_process(one_thread, measure, n_trials, arguments.repeats)
            cells = " | ".join(f"{t:.3f}" for t in times)
            print(f"| {n_trials} | {name} | {cells} | {n_priced} |", flush=True)
