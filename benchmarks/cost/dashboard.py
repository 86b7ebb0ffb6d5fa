"""Processor time and size of what is published to optuna-dashboard, by trials in the study.

    python -m benchmarks cost dashboard

The trials are random ones of a training with four parameters, a cost and 30 reports. Times are of
processes of one thread, and of others without thread variables.

Takes about 2 minutes.
"""

import argparse
import math
import time

import optuna
from optuna_dashboard._custom_plot_data import get_plotly_graph_objects

from benchmarks.cost.thread_variables import in_a_process
from optuna_predictor_rl import LowFidelityPruner, PredictorRLSampler
from optuna_predictor_rl.dashboard import publish


def training(trial: optuna.Trial) -> float:
    rate = trial.suggest_float("rate", 1e-4, 1e-1, log=True)
    width = trial.suggest_categorical("width", [16, 32, 64, 128])
    depth = trial.suggest_int("depth", 1, 4)
    dropout = trial.suggest_float("dropout", 0.0, 0.5)
    trial.set_user_attr("flops", float(width**2 * depth))
    level = (math.log10(rate) + 2.3) ** 2 / 20 + 0.2 / depth + 2 / width + (dropout - 0.2) ** 2
    for step in range(1, 31):
        trial.report(level + math.exp(-0.5 * step * rate**0.25), step)
        if trial.should_prune():
            raise optuna.TrialPruned
    return level + math.exp(-15 * rate**0.25)


def measure(n_trials: int) -> tuple[float, list[int]]:
    """Return the seconds of one publication, and the bytes of each figure."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    pruner = LowFidelityPruner(n_pilot_trials=12)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0), pruner=pruner)
    study.optimize(training, n_trials=n_trials)
    sampler = PredictorRLSampler(cost="flops", cost_weight=[0.0, 0.3, 0.6], seed=0)
    start = time.process_time()
    publish(study, sampler=sampler)
    seconds = time.process_time() - start
    attributes = study._storage.get_study_system_attrs(study._study_id)
    return seconds, [len(figure) for figure in get_plotly_graph_objects(attributes).values()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, nargs="+", default=[50, 100, 300])
    options = parser.parse_args()
    print("| trials | one thread, s | no thread variables, s | all figures, bytes | largest |")
    print("|---|---:|---:|---:|---:|")
    for n_trials in options.trials:
        seconds, sizes = in_a_process(True, measure, n_trials)
        unset, _ = in_a_process(False, measure, n_trials)
        cells = f"{seconds:.1f} | {unset:.1f} | {sum(sizes):,} | {max(sizes):,}"
        print(f"| {n_trials} | {cells} |", flush=True)
