r"""Trials that fail in part of the space: what is found, and how many of the last trials fail.

    python -m benchmarks search crashes --out runs.jsonl

Six objectives whose optimum is at or near a boundary beyond which a trial raises: out of memory,
a corner, learning rates that diverge, combinations that do not exist, layers with a width each,
and one without a boundary where every tenth trial fails whatever it tries. Regret is the best
value so far less the best known, in units of what the median of random trials loses to it.

Takes about 40 minutes on one core.
"""

import math

import numpy as np
import optuna

from benchmarks.search.suite import CrashError, Line, Objective, Suite

N_LAST = 50
SPORADIC = 0.1


def memory(trial: optuna.Trial) -> float:
    """Larger batches and widths are better, until they do not fit."""
    batch = trial.suggest_int("log2_batch", 4, 12)
    width = [trial.suggest_int(f"log2_width{i}", 4, 12) for i in range(2)]
    lr = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    if batch + sum(width) > 24:
        raise CrashError
    rate = math.log10(lr) + 4.2 - 0.2 * batch
    return 0.02 * (12 - batch) + sum(0.03 * (12 - w) for w in width) + 0.1 * rate**2


def corner(trial: optuna.Trial) -> float:
    """The optimum lies on a slanted boundary."""
    x = trial.suggest_float("x", 0.0, 1.0)
    b = trial.suggest_int("b", 1, 256)
    y = trial.suggest_float("y", 0.0, 1.0)
    if x + b / 256 > 0.8:
        raise CrashError
    return (x - 0.6) ** 2 + (b / 256 - 0.6) ** 2 + 0.5 * (y - 0.3) ** 2


def diverging(trial: optuna.Trial) -> float:
    """Large learning rates are better, until the training diverges: another bound for each."""
    optimizer = trial.suggest_categorical("optimizer", ["sgd", "momentum", "adam", "lion"])
    lr = math.log10(trial.suggest_float("lr", 1e-5, 1e1, log=True))
    clip = trial.suggest_float("clip", 0.1, 10.0, log=True)
    decay = trial.suggest_float("decay", 1e-6, 1e-1, log=True)
    bound = {"sgd": 0.0, "momentum": -1.0, "adam": -2.0, "lion": -3.0}[optimizer]
    if lr > bound - 0.5 * math.log10(clip):
        raise CrashError
    best = {"sgd": 0.3, "momentum": 0.2, "adam": 0.1, "lion": 0.15}[optimizer]
    return best + 0.1 * abs(lr - bound) + 0.02 * (math.log10(decay) + 4) ** 2


def combinations(trial: optuna.Trial) -> float:
    """Some combinations of choices do not exist, among them many that look good one by one."""
    attention = trial.suggest_categorical("attention", ["full", "flash", "local", "linear"])
    precision = trial.suggest_categorical("precision", ["fp32", "tf32", "bf16", "fp16", "fp8"])
    parallel = trial.suggest_categorical("parallel", ["none", "data", "tensor", "pipeline"])
    size = trial.suggest_float("size", 0.0, 1.0)
    if (attention == "flash" and precision in ("fp32", "tf32")) or (
        precision == "fp8" and parallel in ("none", "data")
    ):
        raise CrashError
    if attention == "full" and parallel == "none" and size > 0.4:
        raise CrashError
    value = {"full": 0.3, "flash": 0.0, "local": 0.2, "linear": 0.25}[attention]
    value += {"fp32": 0.0, "tf32": 0.02, "bf16": 0.2, "fp16": 0.25, "fp8": 0.1}[precision]
    value += {"none": 0.0, "data": 0.05, "tensor": 0.15, "pipeline": 0.2}[parallel]
    return value + (size - 0.7) ** 2


def layers(trial: optuna.Trial) -> float:
    """A width for each layer, and a bound on the number of weights."""
    n_layers = trial.suggest_int("n_layers", 1, 4)
    widths = [trial.suggest_int(f"width{i}", 16, 512, log=True) for i in range(n_layers)]
    dropout = trial.suggest_float("dropout", 0.0, 0.6)
    weights = sum(a * b for a, b in zip([64, *widths], [*widths, 1], strict=True))
    if weights > 60_000:
        raise CrashError
    capacity = sum(math.log2(width) for width in widths)
    return 1.0 / (1.0 + 0.1 * capacity) + 0.3 * (dropout - 0.02 * capacity / n_layers) ** 2


def sporadic(trial: optuna.Trial) -> float:
    """Every tenth trial fails wherever it is: the machine, not the configuration."""
    x = [trial.suggest_float(f"x{i}", 0.0, 1.0) for i in range(4)]
    kind = trial.suggest_categorical("kind", ["a", "b", "c"])
    if np.random.default_rng(trial.number).random() < SPORADIC:
        raise CrashError
    offset = {"a": 0.3, "b": 0.0, "c": 0.2}[kind]
    return offset + sum((v - 0.2 - 0.15 * i) ** 2 for i, v in enumerate(x))


TASKS: dict[str, Objective] = {
    task.__name__: task for task in (memory, corner, diverging, combinations, layers, sporadic)
}


def n_failed(line: Line) -> int:
    """Return how many of the last trials failed."""
    return sum(value is None for value in line["values"][-N_LAST:])


def main() -> None:
    Suite(__doc__ or "", TASKS, (f"failures of the last {N_LAST}", n_failed)).main()
