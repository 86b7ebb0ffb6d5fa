"""What trials of a sister task are worth, and what a source that misleads costs.

    python -m benchmarks search warm_start --seeds 3 --trials 25 --kinds cold warm
    python -m benchmarks search warm_start --seeds 3 --trials 100 --kinds cold negated random \
        --pairs nb201:cifar10,nb201:cifar100
    python -m benchmarks search warm_start --seeds 3 --trials 25 --kinds cold believed misbelieved

Each search starts from 75 random trials of the source task: as they are ("warm"), with negated
values ("negated") or with random ones ("random"), or from none ("cold"). Or it has a prior: the
marginal frequencies of each parameter among the ten best of them ("believed"), or among the ten
worst ("misbelieved"). The figures are normalized regrets, means over seeds: 0 is the best known
value, 1 the median of random ones.

Takes about 15 minutes.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution
from optuna.trial import FrozenTrial, create_trial
from tqdm import tqdm

from benchmarks.quiet import be_quiet
from benchmarks.search.protocols import random_study
from benchmarks.search.tasks import DEFAULT_FOLDER, Task, make_task
from optuna_predictor_rl import PredictorRLSampler, Source
from optuna_predictor_rl.search.user_prior import Belief

PAIRS = (
    "nb201:cifar10,nb201:cifar100",
    "nb201:cifar100,nb201:imagenet",
    "hpolib:slice_localization,hpolib:protein_structure",
    "hpolib:protein_structure,hpolib:parkinsons_telemonitoring",
    "yahpo_lcbench:3945,yahpo_lcbench:34539",
    "yahpo_lcbench:168331,yahpo_lcbench:126025",
)
SOURCES = ("warm", "negated", "random")
BELIEFS = {"believed": 1.0, "misbelieved": -1.0}
KINDS = ("cold", *SOURCES, *BELIEFS)
N_BELIEVED = 10
N_SOURCE = 75
BUDGETS = (1, 5, 10, 25, 50, 100)


def source(trials: Sequence[FrozenTrial], seed: int, kind: str) -> Source:
    """Return the trials, with what `kind` makes of their values."""
    study = optuna.create_study()
    rng = np.random.default_rng(seed)
    for trial in trials:
        value = {"warm": trial.value, "negated": -trial.value, "random": rng.random()}[kind]
        study.add_trial(create_trial(value=value, params=trial.params,
                                     distributions=trial.distributions))  # fmt: skip
    return Source.of(study)


def belief(trials: Sequence[FrozenTrial], sign: float) -> dict[str, Belief]:
    """Return frequencies of choices, means and deviations of numbers among the best trials."""
    best = sorted(trials, key=lambda trial: sign * trial.value)[:N_BELIEVED]
    beliefs: dict[str, Belief] = {}
    for name, distribution in best[0].distributions.items():
        values = [trial.params[name] for trial in best if name in trial.params]
        if isinstance(distribution, CategoricalDistribution):
            beliefs[name] = {choice: 1 + values.count(choice) for choice in distribution.choices}
            continue
        scale, back = (np.log, np.exp) if distribution.log else (np.asarray, float)
        place = scale(np.array(values, dtype=float))
        extent = float(scale(distribution.high) - scale(distribution.low))
        beliefs[name] = (float(back(place.mean())), max(0.1, float(place.std()) / extent))
    return beliefs


def sampler_of(kind: str, trials: Sequence[FrozenTrial], seed: int) -> PredictorRLSampler:
    """Return the sampler that starts from what `kind` makes of a source's trials."""
    if kind in SOURCES:
        return PredictorRLSampler(seed=seed, warm_start=[source(trials, seed, kind)])
    prior = belief(trials, BELIEFS[kind]) if kind in BELIEFS else None
    return PredictorRLSampler(seed=seed, prior=prior)


def regrets(task: Task, sampler: PredictorRLSampler, n_trials: int) -> np.ndarray:
    """Return the normalized regret of the best so far, after each trial."""
    study = optuna.create_study(sampler=sampler)
    study.optimize(lambda trial: task.loss(task.suggest(trial)), n_trials=n_trials)
    best = np.minimum.accumulate([trial.value for trial in study.trials])
    return (best - task.best_known) / (task.median_random - task.best_known)


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", nargs="+", default=list(PAIRS), help="SOURCE,TARGET")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--trials", type=int, default=25)
    parser.add_argument("--hpo", type=Path, default=DEFAULT_FOLDER)
    arguments = parser.parse_args()
    be_quiet()
    budgets = [b for b in BUDGETS if b <= arguments.trials]
    at = " / ".join(map(str, budgets))
    print(f"| source, target | start | regret after {at} trials |\n| --- | --- | ---: |")
    everything: dict[str, list[np.ndarray]] = {kind: [] for kind in arguments.kinds}

    def line(pair: str, kind: str, runs: list[np.ndarray]) -> None:
        mean = np.mean(runs, axis=0)
        figures = " / ".join(f"{mean[b - 1]:.3f}" for b in budgets)
        print(f"| {pair} | {kind} | {figures} |", flush=True)

    n_runs = len(arguments.pairs) * len(arguments.kinds) * arguments.seeds
    with tqdm(total=n_runs, unit="run") as bar:
        for pair in arguments.pairs:
            first, second = (make_task(name, arguments.hpo) for name in pair.split(","))
            for kind in arguments.kinds:
                runs = []
                for seed in range(arguments.seeds):
                    trials = random_study(first, N_SOURCE, seed + 1000).trials
                    sampler = sampler_of(kind, trials, seed)
                    runs.append(regrets(second, sampler, arguments.trials))
                    bar.update()
                everything[kind] += runs
                line(pair, kind, runs)
    for kind, runs in everything.items():
        line("all", kind, runs)
