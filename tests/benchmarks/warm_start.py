"""What trials of a sister task are worth, and what a source that misleads costs.

    python tests/benchmarks/warm_start.py --seeds 3 --trials 25 --kinds cold warm
    python tests/benchmarks/warm_start.py --seeds 3 --trials 100 --kinds cold negated random \
        --pairs nb201:cifar10,nb201:cifar100

Each search starts from 75 random trials of the source task: as they are ("warm"), with negated
values ("negated") or with random ones ("random"), or from none ("cold"). The figures are
normalized regrets, means over seeds: 0 is the best known value, 1 the median of random ones.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
import optuna
import torch
from optuna.samplers import RandomSampler
from tasks import DEFAULT_FOLDER, Task, make_task
from tqdm import tqdm

from optuna_predictor_rl import PredictorRLSampler, Source

PAIRS = (
    "nb201:cifar10,nb201:cifar100",
    "nb201:cifar100,nb201:imagenet",
    "hpolib:slice_localization,hpolib:protein_structure",
    "hpolib:protein_structure,hpolib:parkinsons_telemonitoring",
    "yahpo_lcbench:3945,yahpo_lcbench:34539",
    "yahpo_lcbench:168331,yahpo_lcbench:126025",
)
KINDS = ("cold", "warm", "negated", "random")
N_SOURCE = 75
BUDGETS = (1, 5, 10, 25, 50, 100)


def source(task: Task, seed: int, kind: str) -> Source:
    """Random trials of a task, with what `kind` makes of their values."""
    study = optuna.create_study(sampler=RandomSampler(seed=seed + 1000))
    rng = np.random.default_rng(seed)
    for _ in range(N_SOURCE):
        trial = study.ask()
        value = task.loss(task.suggest(trial))
        study.tell(trial, {"warm": value, "negated": -value, "random": rng.random()}[kind])
    return Source.of(study)


def regrets(task: Task, sampler: PredictorRLSampler, n_trials: int) -> np.ndarray:
    """Normalized regret of the best so far, after each trial."""
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
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
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
                    given = () if kind == "cold" else (source(first, seed, kind),)
                    sampler = PredictorRLSampler(seed=seed, warm_start=given)
                    runs.append(regrets(second, sampler, arguments.trials))
                    bar.update()
                everything[kind] += runs
                line(pair, kind, runs)
    for kind, runs in everything.items():
        line("all", kind, runs)


if __name__ == "__main__":
    main()
