"""What a study of thousands of trials costs a worker, and what pairing batches costs in ranking.

    python -m benchmarks cost scale --trials 10000

Studies of random trials of the 18 decisions of DHEN. The memory is a worker's, each measured in a
process of its own: Optuna's with the study loaded and RandomSampler, and the same with ours after
a suggestion. Past `PredictorConfig.batch_size` a step of the fit pairs a random batch instead of
all trials; the last table has Kendall's tau of both on trials that were not fitted.

Takes about 15 minutes.
"""

from __future__ import annotations

import argparse
import resource
import time
from dataclasses import replace
from statistics import mean, median

import numpy as np
from optuna.samplers import BaseSampler, RandomSampler
from scipy.stats import kendalltau

from benchmarks.cost.suggestions import study_of
from benchmarks.cost.thread_variables import in_a_process
from benchmarks.quiet import be_quiet
from dhen_objective import suggest_config
from optuna_predictor_rl import PredictorConfig, PredictorRLSampler
from optuna_predictor_rl.core.predictor.fitting import fit_ensemble
from optuna_predictor_rl.core.predictor.training_data import TrainingData
from optuna_predictor_rl.data.history import read_history
from optuna_predictor_rl.study.distributions import union_search_space
from optuna_predictor_rl.study.storage import trials

MIB = 1024


def suggestions(n_trials: int, sampler: BaseSampler, n: int) -> tuple[float, list[float]]:
    """Return the peak memory in MiB of a process, and the seconds of each of some suggestions.

    Before each but the first another trial finishes, as in a search.
    """
    be_quiet(one_thread=False)
    study = study_of(n_trials)
    study.sampler = sampler
    seconds = []
    for _ in range(n):
        start = time.process_time()
        trial = study.ask()
        suggest_config(trial)
        seconds.append(time.process_time() - start)
        study.tell(trial, 1.0)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB, seconds


def taus(n_trials: int, seed: int) -> tuple[float, float]:
    """Return tau on 1,000 new trials of networks that pair batches, and of those that pair all."""
    study = study_of(n_trials + 1000)
    history = read_history(study, union_search_space(trials(study)))
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(history.rows))
    fitted, held_out = order[:n_trials], order[n_trials:]
    config = PredictorConfig(gaussian_process=False)
    found = []
    for chosen in (config, replace(config, batch_size=n_trials)):
        ensemble = fit_ensemble(
            chosen,
            history.space,
            TrainingData(history.rows[fitted], history.labels[fitted]),
            rng=np.random.default_rng(seed),
        )
        predicted = ensemble.predict(history.rows[held_out])[0][:, 0]
        found.append(float(kendalltau(predicted, history.labels[held_out, 0]).statistic))
    return found[0], found[1]


def main() -> None:
    """Measure and print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", nargs="+", type=int, default=[1000, 10_000])
    parser.add_argument("--suggestions", type=int, default=5)
    parser.add_argument("--pairs", nargs="+", type=int, default=[100, 300, 1000])
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    be_quiet(one_thread=False)
    print(
        "| completed trials | Optuna alone, MiB | with ours, MiB | above, MiB | s a suggestion "
        "| without thread variables, s |"
    )
    print("|---:|---:|---:|---:|---:|---:|")
    for n_trials in arguments.trials:
        optunas, _ = in_a_process(True, suggestions, n_trials, RandomSampler(seed=0), 1)
        settings = n_trials, PredictorRLSampler(seed=0), arguments.suggestions
        ours, seconds = in_a_process(True, suggestions, *settings)
        _, unset = in_a_process(False, suggestions, *settings)
        figures = f"{optunas:.0f} | {ours:.0f} | {ours - optunas:.0f} | {median(seconds):.2f}"
        print(f"| {n_trials} | {figures} | {median(unset):.2f} |", flush=True)

    print("\n| fitted trials | tau, batches of 64 | tau, all pairs | difference |")
    print("|---:|---:|---:|---:|")
    for n_trials in arguments.pairs:
        pairs = [taus(n_trials, seed) for seed in range(arguments.seeds)]
        batches, everything = (mean(column) for column in zip(*pairs, strict=True))
        print(
            f"| {n_trials} | {batches:.3f} | {everything:.3f} | {batches - everything:+.3f} |",
            flush=True,
        )
