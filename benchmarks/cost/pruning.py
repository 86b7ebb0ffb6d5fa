"""CPU time of pruning, beside Optuna's MedianPruner, and of reading labels of many steps.

    python -m benchmarks cost pruning

The first table sums `should_prune` over a trial of 1,000 reports beside 200 full ones. The first
trial of a process is listed apart: it decides the rule. The second has 1,000 trials stopped at one
step, or at about 400 different ones, beside 200 full ones, and GPSampler's time for a suggestion.
All is measured in processes of one thread, and in others without thread variables.

Takes about 2 minutes.
"""

import argparse
import math
import time

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.pruners import BasePruner, MedianPruner
from optuna.samplers import GPSampler
from optuna.study import Study
from optuna.trial import TrialState, create_trial

from benchmarks.cost.thread_variables import in_a_process
from optuna_predictor_rl import HopelessTrialPruner, LowFidelityPruner
from optuna_predictor_rl.data.history import read_history
from optuna_predictor_rl.study.attributes import FIDELITY, LABEL

N_FULL = 200
N_REPORTS = 1000
N_STOPPED = 1000
SPACE: dict[str, BaseDistribution] = {"x": FloatDistribution(0.0, 1.0)}


def study_of_full_trials(pruner: BasePruner, n_reports: int) -> Study:
    rng = np.random.default_rng(0)
    study = optuna.create_study(pruner=pruner)
    steps = range(1, n_reports + 1)
    for _ in range(N_FULL):
        x = float(rng.random())
        curve = {s: x + 3 / math.sqrt(s) + 0.01 * float(rng.normal()) for s in steps}
        study.add_trial(
            create_trial(
                value=curve[n_reports], params={"x": x}, distributions=SPACE,
                intermediate_values=curve,
            )
        )  # fmt: skip
    return study


def pruning_seconds(pruner: BasePruner) -> list[float]:
    """Return the seconds of each half of the first two trials, which become the best."""
    study = study_of_full_trials(pruner, N_REPORTS)
    seconds = []
    for number in range(2):
        trial = study.ask(SPACE)
        halves = [0.0, 0.0]
        for step in range(1, N_REPORTS + 1):
            trial.report(-0.2 - number + 3 / math.sqrt(step), step)
            start = time.process_time()
            trial.should_prune()
            halves[step > N_REPORTS // 2] += time.process_time() - start
        study.tell(trial, -0.2 - number)
        seconds += halves
    return seconds


def reading_seconds(n_steps: int) -> list[float]:
    """Return the seconds of the first reading of labels at so many steps, and of the next."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = study_of_full_trials(LowFidelityPruner(), 500)
    rng = np.random.default_rng(1)
    for _ in range(N_STOPPED):
        x, last = float(rng.random()), 165 + int(rng.integers(n_steps))
        study.add_trial(
            create_trial(
                state=TrialState.PRUNED, value=x, params={"x": x}, distributions=SPACE,
                intermediate_values={s: x + 3 / math.sqrt(s) for s in range(1, last + 1, 5)},
                user_attrs={LABEL: x, FIDELITY: last},
            )
        )  # fmt: skip
    trial = study.ask(SPACE)
    trial.report(1.0, 1)
    trial.should_prune()  # stores the rule
    seconds = []
    for _ in range(2):
        start = time.process_time()
        read_history(study, SPACE)
        seconds.append(time.process_time() - start)
    start = time.process_time()
    study.sampler = GPSampler(seed=0)
    study.ask(SPACE)
    return [*seconds, time.process_time() - start]


def pruners_seconds() -> list[tuple[str, list[float]]]:
    """Return `pruning_seconds` of MedianPruner and of both of ours."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    low = LowFidelityPruner()
    pruners: list[BasePruner] = [MedianPruner(), low, HopelessTrialPruner(LowFidelityPruner())]
    return [(type(pruner).__name__, pruning_seconds(pruner)) for pruner in pruners]


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    print("| pruner | threads | first trial, s | another, s | second half | to MedianPruner |")
    print("|---|---|---:|---:|---:|---:|")
    for one_thread, threads in ((True, "1"), (False, "unset")):
        measured = in_a_process(one_thread, pruners_seconds)
        median = sum(measured[0][1][2:])
        for name, (a, b, c, d) in measured:
            cells = f"{a + b:.2f} | {c + d:.2f} | {d:.2f} | {(c + d) / median:.2f}"
            print(f"| {name} | {threads} | {cells} |", flush=True)
    print("\n| labels at | threads | first reading, s | next, s | to GPSampler's suggestion |")
    print("|---|---|---:|---:|---:|")
    for n_steps in (1, 400):
        for one_thread, threads in ((True, "1"), (False, "unset")):
            first, later, peer = in_a_process(one_thread, reading_seconds, n_steps)
            cells = f"{first:.2f} | {later:.2f} | {later / peer:.2f}"
            print(f"| {n_steps} steps | {threads} | {cells} |", flush=True)
