"""How often the intervals of `PredictorRLSampler.predict` hold the value of a new configuration.

    OMP_NUM_THREADS=1 python -m benchmarks search calibration --tasks all --seeds 1

A study of random trials, or of the sampler's own (`--trials-from search`), is fitted; the
intervals mean +- z std are compared with the values of 300 random configurations that it has not
seen, with the ensemble's own std and with the one calibrated by cross-validation. Then 100,000
rows are timed.

Takes about 5 minutes.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import optuna
from optuna.samplers import RandomSampler
from scipy.stats import kendalltau, norm
from tqdm import tqdm

from benchmarks.quiet import be_quiet
from benchmarks.search.protocols import random_study
from benchmarks.search.tasks import DEFAULT_FOLDER, Task, make_task, select
from optuna_predictor_rl import PredictorRLSampler, Source

COVERAGES = (0.5, 0.8, 0.95)
N_NEW = 300


def unseen(task: Task, study: optuna.Study, seed: int) -> optuna.Study:
    """Return random trials whose parameters none of the study's trials has."""
    seen = {repr(sorted(trial.params.items())) for trial in study.trials}
    drawn = random_study(task, N_NEW, seed + 10_000)
    known = [t for t in drawn.trials if repr(sorted(t.params.items())) not in seen]
    new = optuna.create_study()
    new.add_trials(known)
    return new


def measured(task: Task, seed: int, n_trials: int, *, searched: bool) -> list[float]:
    """Return coverages with the own std and with the calibrated one, its factor and tau."""
    sampler = PredictorRLSampler(seed=seed)
    study = optuna.create_study(sampler=sampler if searched else RandomSampler(seed=seed))
    study.optimize(lambda trial: task.loss(task.suggest(trial)), n_trials=n_trials)
    new = unseen(task, study, seed)
    values = np.array([trial.value for trial in new.trials], dtype=np.float64)
    names = {decision.name for decision in Source.of(study).space.decisions}
    params = [{n: v for n, v in t.params.items() if n in names} for t in new.trials]
    predicted = sampler.predict(study, params)
    error = np.abs(values - predicted.mean) / np.maximum(predicted.std, 1e-300)
    bounds = norm.ppf(0.5 + 0.5 * np.array(COVERAGES))
    calibrated = [(error <= bound).mean() for bound in bounds]
    own = [(error * predicted.correction <= bound).mean() for bound in bounds]
    return [*own, *calibrated, predicted.correction, kendalltau(values, predicted.mean).statistic]


def seconds_of_100_000(n_trials: int) -> tuple[float, float]:
    """Return the CPU time of predicting 100,000 configurations of a space of 18 decisions."""

    def objective(trial: optuna.Trial) -> float:
        chosen = [trial.suggest_categorical(f"c{i}", [16, 32, 64, 128]) for i in range(14)]
        return sum(chosen) + sum(trial.suggest_float(f"x{i}", 0.0, 1.0) for i in range(4))

    study = optuna.create_study(sampler=RandomSampler(seed=0))
    study.optimize(objective, n_trials=n_trials)
    sampler = PredictorRLSampler(seed=0)
    start = time.process_time()
    sampler.predict(study, [study.trials[0].params])
    fitted = time.process_time()
    sampler.predict(study, [trial.params for trial in study.trials] * (100_000 // n_trials))
    return fitted - start, time.process_time() - fitted


def main() -> None:
    """Measure and print two Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", nargs="+", default=["all"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--trials-from", choices=["random", "search"], default="random")
    parser.add_argument("--hpo", type=Path, default=DEFAULT_FOLDER)
    arguments = parser.parse_args()
    be_quiet()
    runs = [(n, s) for n in select(arguments.tasks, arguments.hpo) for s in range(arguments.seeds)]
    found: dict[str, list[list[float]]] = {}
    for name, seed in tqdm(runs, unit="run"):
        task = make_task(name, arguments.hpo)
        searched = arguments.trials_from == "search"
        result = measured(task, seed, arguments.trials, searched=searched)
        found.setdefault(name.partition(":")[0], []).append(result)
    found["all"] = [result for results in found.values() for result in results]
    print(f"{arguments.trials} trials from {arguments.trials_from}, {len(runs)} runs\n")
    print("| tasks | 50 / 80 / 95 %, own std | calibrated | factor | tau of the mean |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for family, results in found.items():
        mean = np.mean(results, axis=0)
        own, calibrated = (" / ".join(f"{100 * c:.0f}" for c in mean[i : i + 3]) for i in (0, 3))
        print(f"| {family} | {own} | {calibrated} | {mean[6]:.2f} | {mean[7]:.2f} |")
    print("\n| trials | fit and calibration, CPU s | 100,000 rows, CPU s |\n|---:|---:|---:|")
    for n_trials in (100, 1000):
        fit, predict = seconds_of_100_000(n_trials)
        print(f"| {n_trials} | {fit:.2f} | {predict:.2f} |", flush=True)
