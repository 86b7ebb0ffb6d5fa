"""What a suggestion costs beside GPSampler's, on the 18 decisions of DHEN and in large spaces.

    python -m benchmarks cost suggestions

Both samplers get the same study of random trials and suggest in turns, in one process; the
figures are medians of CPU time. Then ours is timed on larger studies, and both in spaces of many
choices or parameters. All of it is measured in processes of one thread, and in others without
thread variables, as users have them.

Takes about 10 minutes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.samplers import BaseSampler, GPSampler, RandomSampler
from optuna.trial import create_trial

from benchmarks.cost.thread_variables import in_a_process
from benchmarks.quiet import be_quiet
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
    "200 booleans": {f"b{j}": CategoricalDistribution([False, True]) for j in range(200)},
    **{
        f"{n:,} floats": {f"x{j}": FloatDistribution(0.0, 1.0) for j in range(n)}
        for n in (300, 1000)
    },
}
"""Spaces of thousands of choices or hundreds of parameters."""

N_LARGE = 20
"""Completed trials there."""


def study_of(n_trials: int) -> optuna.Study:
    """Return a study of random configurations whose value depends on all decisions."""
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
    """Return a study of random configurations of a large space, with random values."""
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
    """Return the CPU time of one suggestion; its trial fails, so that the study stays as it is."""
    study.sampler = sampler
    trial = study.ask()
    start = time.process_time()
    suggest(trial)
    used = time.process_time() - start
    study.tell(trial, state=optuna.trial.TrialState.FAIL)
    return used


def in_turns(
    study: optuna.Study, repeats: int, suggest: Callable[[optuna.Trial], object] = suggest_config
) -> tuple[float, float, float]:
    """Return the medians of our time, of GPSampler's and of their ratio; a first pair warms up.

    Each sampler is made anew: it has fitted nothing, so every suggestion pays for its fit.
    """
    pairs = [
        (
            seconds(study, PredictorRLSampler(seed=i), suggest),
            seconds(study, GPSampler(seed=i), suggest),
        )
        for i in range(repeats + 1)
    ][1:]
    ours, peers = zip(*pairs, strict=True)
    return median(ours), median(peers), median(a / b for a, b in pairs)


def compare(n_trials: int, repeats: int) -> tuple[float, float, float]:
    """Return what `in_turns` returns on the decisions of DHEN."""
    be_quiet(one_thread=False)
    return in_turns(study_of(n_trials), repeats)


def ours(n_trials: int) -> float:
    """Return the median of our time; a first suggestion warms up."""
    be_quiet(one_thread=False)
    study = study_of(n_trials)
    return median([seconds(study, PredictorRLSampler(seed=i)) for i in range(4)][1:])


def compare_large(name: str) -> tuple[float, float, float]:
    """Return what `in_turns` returns in a large space."""
    be_quiet(one_thread=False)
    space = LARGE[name]

    def suggest(trial: optuna.Trial) -> None:
        for parameter, distribution in space.items():
            trial._suggest(parameter, distribution)

    return in_turns(large_study(space), 3, suggest)


def main() -> None:
    """Measure and print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats

    print("| completed trials | thread variables | predictor_rl, s | GPSampler, s | ratio |")
    print("|---:|---|---:|---:|---:|")
    for n_trials in (25, 50, 100):
        for one_thread, name in ((True, "1"), (False, "unset")):
            own, peer, ratio = in_a_process(one_thread, compare, n_trials, repeats)
            print(f"| {n_trials} | {name} | {own:.3f} | {peer:.3f} | {ratio:.2f} |", flush=True)

    print("\n| completed trials | predictor_rl, s | without thread variables, s |")
    print("|---:|---:|---:|")
    for n_trials in (100, 300, 1000, 3000):
        one, unset = (in_a_process(limited, ours, n_trials) for limited in (True, False))
        print(f"| {n_trials} | {one:.3f} | {unset:.3f} |", flush=True)

    print("\n| space | thread variables | predictor_rl, s | GPSampler, s | ratio |")
    print("|---|---|---:|---:|---:|")
    for space in LARGE:
        for one_thread, name in ((True, "1"), (False, "unset")):
            own, peer, _ = in_a_process(one_thread, compare_large, space)
            print(f"| {space} | {name} | {own:.3f} | {peer:.3f} | {own / peer:.2f} |", flush=True)
