r"""Parameters that exist only for some values of others: what is found, and what is repeated.

    python -m benchmarks search conditions --out runs.jsonl

Eight objectives as users write them: layers with parameters of their own, optimizers with options
nested two deep, thresholds in integers and floats, combinations of choices, ranges that end at
another parameter, a cell with an operation for each edge, a pipeline of stages, and the kernels of
a support vector machine. The optimum of each is 0. Repeats are trials whose active parameters
another trial has had.

Takes about an hour on one core.
"""

import math

import optuna

from benchmarks.search.suite import Objective, Suite


def _log_distance(value: float, best: float) -> float:
    """Return how many factors of ten lie between two numbers."""
    return abs(math.log10(value / best))


def layers(trial: optuna.Trial) -> float:
    """An integer says how many layers there are, each with a width and a dropout."""
    n_layers = trial.suggest_int("n_layers", 1, 4)
    loss = {1: 0.3, 2: 0.1, 3: 0.0, 4: 0.05}[n_layers]
    for i in range(n_layers):
        width = trial.suggest_int(f"width{i}", 16, 512, log=True)
        dropout = trial.suggest_float(f"dropout{i}", 0.0, 0.6)
        loss += _log_distance(width, 256 / 2**i) ** 2 / n_layers
        loss += (dropout - 0.1 * i) ** 2 / n_layers
    lr = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    return loss + 0.1 * _log_distance(lr, 10 ** (-3.6 + 0.2 * n_layers)) ** 2


def optimizer(trial: optuna.Trial) -> float:
    """Each optimizer has options, and some options have options."""
    name = trial.suggest_categorical("optimizer", ["sgd", "adam", "lamb", "adafactor"])
    lr = trial.suggest_float("lr", 1e-5, 1e0, log=True)
    if name == "sgd":
        loss = 0.1 + 0.1 * _log_distance(lr, 0.1) ** 2
        loss += (trial.suggest_float("momentum", 0.0, 0.99) - 0.9) ** 2
        if trial.suggest_categorical("nesterov", [False, True]):
            loss += (trial.suggest_float("lookahead", 0.0, 1.0) - 0.5) ** 2 - 0.03
    elif name == "adam":
        loss = 0.08 + 0.1 * _log_distance(lr, 1e-3) ** 2
        loss += 0.05 * _log_distance(trial.suggest_float("eps", 1e-10, 1e-2, log=True), 1e-6) ** 2
        decay = trial.suggest_categorical("decay", ["none", "l2", "decoupled"])
        if decay != "none":
            weight = trial.suggest_float("weight_decay", 1e-6, 1e0, log=True)
            best, gain = (1e-4, 0.02) if decay == "l2" else (1e-2, 0.08)
            loss += 0.02 * _log_distance(weight, best) ** 2 - gain
    elif name == "lamb":
        loss = 0.15 + 0.1 * _log_distance(lr, 1e-2) ** 2
        loss += 0.3 * (trial.suggest_float("trust", 0.0, 1.0) - 0.7) ** 2
    else:
        loss = 0.2 + 0.05 * _log_distance(lr, 1e-2) ** 2
    return loss + 0.02 * (trial.suggest_int("log2_batch", 4, 10) - 6) ** 2


def thresholds(trial: optuna.Trial) -> float:
    """A parameter exists above a value of an integer or a float."""
    loss = 0.0
    warmup = trial.suggest_int("warmup", 0, 10)
    if warmup > 0:
        shape = trial.suggest_categorical("shape", ["linear", "cosine", "step"])
        loss += {"linear": 0.05, "cosine": 0.0, "step": 0.15}[shape] - 0.1
    if warmup > 5:
        loss += 0.3 * (trial.suggest_float("warmup_start", 0.0, 1.0) - 0.2) ** 2 - 0.1
    loss += 0.2 + 0.01 * (warmup - 7) ** 2
    dropout = trial.suggest_float("dropout", 0.0, 0.6)
    if dropout > 0.25:
        loss += 0.2 * (trial.suggest_float("spread", 0.0, 1.0) - 0.6) ** 2 - 0.1
    loss += 0.1 + (dropout - 0.35) ** 2
    return loss + 0.1 * (trial.suggest_float("log_lr", -5.0, -1.0) + 2.5) ** 2


def combinations(trial: optuna.Trial) -> float:
    """A parameter exists for one combination of two choices."""
    head = trial.suggest_categorical("head", ["mean", "max", "attention"])
    loss_name = trial.suggest_categorical("loss", ["ce", "focal", "margin"])
    depth = trial.suggest_int("depth", 1, 6)
    loss = 0.05 * abs(depth - 4)
    if head == "attention" and loss_name == "focal":
        loss += (trial.suggest_float("gamma", 0.0, 4.0) - 1.5) ** 2 / 10
        loss += 0.02 * (trial.suggest_int("n_heads", 1, 8) - 6) ** 2
    elif head == "max" or loss_name == "margin":
        loss += 0.15 + (trial.suggest_float("scale", 0.0, 1.0) - 0.3) ** 2
    else:
        loss += 0.3
    if depth > 2 and head != "mean":
        loss += 0.5 * (trial.suggest_float("skip", 0.0, 1.0) - 0.8) ** 2
    return loss


def triangle(trial: optuna.Trial) -> float:
    """The range of a parameter ends at another one."""
    high = trial.suggest_float("high", 0.0, 1.0)
    low = trial.suggest_float("low", 0.0, high)
    n_groups = trial.suggest_int("n_groups", 1, 64, log=True)
    n_kept = trial.suggest_int("n_kept", 1, n_groups)
    x, y = (trial.suggest_float(name, -1.0, 1.0) for name in "xy")
    loss = 2 * (high - 0.8) ** 2 + 2 * (low - 0.35) ** 2 + (x - 0.3) ** 2 + (y + 0.5 * x) ** 2
    return loss + 0.2 * _log_distance(n_groups, 24) ** 2 + 0.5 * (n_kept / n_groups - 0.25) ** 2


def cell(trial: optuna.Trial) -> float:
    """An integer says how many edges there are; an operation may have parameters of its own."""
    n_edges = trial.suggest_int("n_edges", 2, 5)
    loss = 0.08 * (n_edges - 4) ** 2
    for i in range(n_edges):
        operation = trial.suggest_categorical(f"operation{i}", ["conv", "pool", "skip", "none"])
        best = "conv" if i % 2 == 0 else "skip"
        if operation != best:
            loss += {"conv": 0.15, "pool": 0.2, "skip": 0.1, "none": 0.4}[operation] / n_edges
        if operation == "conv":
            kernel = trial.suggest_categorical(f"kernel{i}", [1, 3, 5, 7])
            channels = trial.suggest_int(f"channels{i}", 8, 128, log=True)
            if operation == best:
                loss += 0.2 * abs(kernel - (3 + i)) / 4 / n_edges
                loss += 0.2 * _log_distance(channels, 32 * (1 + i / 2)) ** 2 / n_edges
    # The best kernels for the first and third edge are 3 and 5.
    return loss


def pipeline(trial: optuna.Trial) -> float:
    """Stages of scikit-learn; two models share the name of a parameter."""
    scaler = trial.suggest_categorical("scaler", ["none", "standard", "quantile"])
    loss = {"none": 0.15, "standard": 0.05, "quantile": 0.0}[scaler]
    if scaler == "quantile":
        n = trial.suggest_int("n_quantiles", 10, 1000, log=True)
        loss += 0.05 * _log_distance(n, 100) ** 2
    reducer = trial.suggest_categorical("reducer", ["none", "pca", "k_best"])
    if reducer == "pca":
        n = trial.suggest_int("n_components", 2, 40)
        loss += 0.05 + 0.0005 * (n - 25) ** 2
        if n > 10:
            loss -= 0.05 if trial.suggest_categorical("whiten", [True, False]) else 0.0
    else:
        loss += 0.1
        if reducer == "k_best":
            loss += 0.0002 * (trial.suggest_int("k", 1, 40) - 30) ** 2 - 0.05
    model = trial.suggest_categorical("model", ["linear", "tree", "boosting"])
    if model == "linear":
        c = trial.suggest_float("C", 1e-4, 1e4, log=True)
        return loss + 0.2 + 0.03 * _log_distance(c, 1.0) ** 2
    depth = trial.suggest_int("max_depth", 2, 16)
    if model == "tree":
        leaf = trial.suggest_int("min_leaf", 1, 100, log=True)
        return loss + 0.12 + 0.003 * (depth - 9) ** 2 + 0.1 * _log_distance(leaf, 10) ** 2
    lr = trial.suggest_float("lr", 1e-3, 1.0, log=True)
    n_trees = trial.suggest_int("n_trees", 10, 1000, log=True)
    loss += 0.1 * _log_distance(lr * n_trees, 30) ** 2 + 0.05 * _log_distance(lr, 0.1) ** 2
    return loss + 0.003 * (depth - 5) ** 2


def kernels(trial: optuna.Trial) -> float:
    """Parameters that several kernels share."""
    kernel = trial.suggest_categorical("kernel", ["linear", "poly", "rbf", "sigmoid"])
    c = math.log10(trial.suggest_float("C", 1e-3, 1e3, log=True))
    loss = {"linear": 0.3, "poly": 0.05, "rbf": 0.0, "sigmoid": 0.25}[kernel]
    if kernel == "linear":
        return loss + 0.05 * c**2
    gamma = math.log10(trial.suggest_float("gamma", 1e-5, 1e2, log=True))
    if kernel == "poly":
        degree = trial.suggest_int("degree", 2, 5)
        loss += 0.03 * (degree - 3) ** 2
    if kernel in ("poly", "sigmoid"):
        loss += 0.1 * (trial.suggest_float("coef0", -1.0, 1.0) - 0.5) ** 2
    return loss + 0.08 * (c + gamma / 2 - 0.5) ** 2 + 0.03 * (gamma + 1.5) ** 2


TASKS: dict[str, Objective] = {
    task.__name__: task
    for task in (
        layers,
        optimizer,
        thresholds,
        combinations,
        triangle,
        cell,
        pipeline,
        kernels,
    )
}


def main() -> None:
    Suite(__doc__ or "", TASKS, ("repeats", lambda line: line["repeats"]), best=0.0).main()
