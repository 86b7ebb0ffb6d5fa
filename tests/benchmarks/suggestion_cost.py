"""What a suggestion costs beside GPSampler's, on the 18 decisions of DHEN and in large spaces.

    OMP_NUM_THREADS=1 python tests/benchmarks/suggestion_cost.py

Both samplers get the same study of random trials and suggest in turns, in one process on one
thread; the figures are medians of CPU time. Then ours is timed on larger studies, and both in
spaces of many choices or parameters.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from statistics import median

import numpy as np
import optuna
import torch
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.samplers import BaseSampler, GPSampler, RandomSampler
from optuna.trial import create_trial

from dhen_objective import suggest_config
from optuna_predictor_rl import PredictorRLSampler

LARGE: dict[str, dict[str, BaseDistribution]] = {
    **{
        f"{n:,} choices and a float": {
            "c": CategoricalDistribution([f"id{i}" for i in range(n)]),
            "x": FloatDistribution(0.0, 1.0),
        }
        for n in (1000, 5000)
    },
    "4 x 500 choices": {
        f"c{j}": CategoricalDistribution([f"id{i}" for i in range(500)]) for j in range(4)
    },
    **{
        f"{n} booleans": {f"b{j}": CategoricalDistribution([False, True]) for j in range(n)}
        for n in (200, 400)
    },
    **{
        f"{n:,} floats": {f"x{j}": FloatDistribution(0.0, 1.0) for j in range(n)}
        for n in (300, 1000)
    },
}
"""Spaces of thousands of choices or hundreds of parameters."""

N_LARGE = 20
"""Completed trials there."""


def study_of(n_trials: int) -> optuna.Study:
    """A study of random configurations whose value depends on all decisions."""
    rng = np.random.default_rng(0)
    source = optuna.create_study(sampler=RandomSampler(seed=0))
    study = optuna.create_study()
    weight: dict[str, float] = {}
    for _ in range(n_trials):
        trial = source.ask()
        suggest_config(trial)
        value = 0.0
        for name, d in trial.distributions.items():
            position = d.to_internal_repr(trial.params[name]) / _span(d)
            value += weight.setdefault(name, rng.normal()) * (position - 0.4) ** 2
        frozen = create_trial(
            value=value, params=trial.params, distributions=dict(trial.distributions)
        )
        study.add_trial(frozen)
    return study


def large_study(space: dict[str, BaseDistribution]) -> optuna.Study:
    """A study of random configurations of a large space, with random values."""
    rng = np.random.default_rng(0)
    source = optuna.create_study(sampler=RandomSampler(seed=0))
    study = optuna.create_study()
    for _ in range(N_LARGE):
        params = source.ask(space).params
        study.add_trial(create_trial(value=rng.random(), params=params, distributions=space))
    return study


def _span(distribution: BaseDistribution) -> float:
    choices = getattr(distribution, "choices", None)
    return len(choices) if choices else float(getattr(distribution, "high", 1.0))


def seconds(
    study: optuna.Study,
    sampler: BaseSampler,
    suggest: Callable[[optuna.Trial], object] = suggest_config,
) -> float:
    """CPU time of one suggestion; its trial fails, so that the study stays as it is."""
    study.sampler = sampler
    trial = study.ask()
    start = time.process_time()
    suggest(trial)
    used = time.process_time() - start
    study.tell(trial, state=optuna.trial.TrialState.FAIL)
    return used


def fresh(sampler_seed: int) -> PredictorRLSampler:
    """A sampler that has fitted nothing yet: every suggestion pays for its fit."""
    return PredictorRLSampler(seed=sampler_seed)


def main() -> None:
    """Measure and print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")

    print("| completed trials | predictor_rl, s | GPSampler, s | ratio |\n|---:|---:|---:|---:|")
    for n_trials in (25, 50, 100):
        study = study_of(n_trials)
        pairs = [
            (seconds(study, fresh(i)), seconds(study, GPSampler(seed=i))) for i in range(repeats)
        ]
        ours, peer = (median(column) for column in zip(*pairs, strict=True))
        ratio = median(a / b for a, b in pairs)
        print(f"| {n_trials} | {ours:.3f} | {peer:.3f} | {ratio:.2f} |", flush=True)

    print("\n| completed trials | predictor_rl, s |\n|---:|---:|")
    for n_trials in (100, 300, 1000, 3000):
        study = study_of(n_trials)
        print(
            f"| {n_trials} | {median(seconds(study, fresh(i)) for i in range(3)):.3f} |",
            flush=True,
        )

    print("\n| space | predictor_rl, s | GPSampler, s | ratio |\n|---|---:|---:|---:|")
    for name, space in LARGE.items():
        study = large_study(space)

        def suggest(trial: optuna.Trial, space: dict[str, BaseDistribution] = space) -> None:
            for parameter, distribution in space.items():
                trial._suggest(parameter, distribution)

        pairs = [
            (seconds(study, fresh(i), suggest), seconds(study, GPSampler(seed=i), suggest))
            for i in range(3)
        ]
        ours, peer = (median(column) for column in zip(*pairs, strict=True))
        print(f"| {name} | {ours:.3f} | {peer:.3f} | {ours / peer:.2f} |", flush=True)


if __name__ == "__main__":
    main()
