r"""Searches of continuous spaces on which no default was chosen: small models of scikit-learn.

    python -m benchmarks search held_out --seeds 5 --out held_out.jsonl

Each trial is a cross-validation on a data set that scikit-learn brings. Regret is normalized: 0 is
the best that any run found, 1 the median of the random trials. Runs that `--out` holds are
skipped; the tables, in Markdown, are of all that it holds.

Takes about an hour.
"""

import argparse
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import optuna
from optuna.trial import Trial
from sklearn import datasets
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import ElasticNet, LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from benchmarks.json_lines import append_line, read_lines
from benchmarks.quiet import be_quiet
from benchmarks.search.ablations import no_distance
from benchmarks.search.peers import make_sampler

N_TRIALS = 60
SHOWN = (15, 25, 40, 60)
FAILED = 5.0
"""The loss of a model that cannot be fitted."""

NO_DISTANCE = "predictor_rl, distances=(0,)"
SAMPLERS = ("random", "tpe", "gp", "predictor_rl", NO_DISTANCE)


@cache
def data(name: str) -> tuple[np.ndarray, np.ndarray]:
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    if name == "digits":
        kept = np.random.default_rng(0).permutation(len(y))[:400]
        x, y = x[kept], y[kept]
    if name == "diabetes":
        y = (y - y.mean()) / y.std()
    return StandardScaler().fit_transform(x), y


def loss(model: object, name: str, scoring: str) -> float:
    x, y = data(name)
    scores = cross_val_score(model, x, y, cv=3, scoring=scoring, error_score=-FAILED)
    return float(np.nan_to_num(-scores.mean(), nan=FAILED, posinf=FAILED))


def svc_digits(trial: Trial) -> float:
    model = SVC(
        C=trial.suggest_float("C", 1e-3, 1e4, log=True),
        gamma=trial.suggest_float("gamma", 1e-6, 10.0, log=True),
        kernel=trial.suggest_categorical("kernel", ["rbf", "poly", "sigmoid"]),
        coef0=trial.suggest_float("coef0", 0.0, 2.0),
    )
    return loss(model, "digits", "accuracy")


def svr_diabetes(trial: Trial) -> float:
    model = SVR(
        C=trial.suggest_float("C", 1e-3, 1e3, log=True),
        gamma=trial.suggest_float("gamma", 1e-4, 1e2, log=True),
        epsilon=trial.suggest_float("epsilon", 1e-3, 1.0, log=True),
    )
    return loss(model, "diabetes", "neg_mean_squared_error")


def elastic_net_diabetes(trial: Trial) -> float:
    model = ElasticNet(
        alpha=trial.suggest_float("alpha", 1e-5, 10.0, log=True),
        l1_ratio=trial.suggest_float("l1_ratio", 0.0, 1.0),
        max_iter=300,
    )
    return loss(model, "diabetes", "neg_mean_squared_error")


def logistic_breast_cancer(trial: Trial) -> float:
    model = LogisticRegression(
        C=trial.suggest_float("C", 1e-5, 1e4, log=True),
        class_weight={0: 1.0, 1: trial.suggest_float("weight", 0.1, 10.0, log=True)},
        tol=trial.suggest_float("tol", 1e-6, 0.1, log=True),
        max_iter=200,
    )
    return loss(model, "breast_cancer", "neg_log_loss")


def boosting_wine(trial: Trial) -> float:
    model = GradientBoostingClassifier(
        learning_rate=trial.suggest_float("learning_rate", 1e-3, 1.0, log=True),
        n_estimators=trial.suggest_int("n_estimators", 5, 40),
        max_depth=trial.suggest_int("max_depth", 1, 6),
        subsample=trial.suggest_float("subsample", 0.3, 1.0),
        max_features=trial.suggest_float("max_features", 0.1, 1.0),
        random_state=0,
    )
    return loss(model, "wine", "neg_log_loss")


def mlp_wine(trial: Trial) -> float:
    model = MLPClassifier(
        (trial.suggest_int("units", 2, 64),),
        learning_rate_init=trial.suggest_float("learning_rate", 1e-4, 1.0, log=True),
        alpha=trial.suggest_float("alpha", 1e-6, 10.0, log=True),
        batch_size=trial.suggest_int("batch_size", 8, 110, log=True),
        beta_1=trial.suggest_float("beta_1", 0.5, 0.99),
        max_iter=15,
        random_state=0,
    )
    return loss(model, "wine", "neg_log_loss")


TASKS: dict[str, Callable[[Trial], float]] = {
    task.__name__: task
    for task in (
        svc_digits,
        svr_diabetes,
        elastic_net_diabetes,
        logistic_breast_cancer,
        boosting_wine,
        mlp_wine,
    )
}
Key = tuple[str, str, int]


def search(task: str, sampler: str, seed: int) -> list[float]:
    made = no_distance(seed) if sampler == NO_DISTANCE else make_sampler(sampler, seed)
    study = optuna.create_study(sampler=made)
    study.optimize(TASKS[task], n_trials=N_TRIALS)
    return [trial.values[0] for trial in study.trials]


def read(path: Path) -> dict[Key, np.ndarray]:
    """Return the values of each run, (trials,)."""
    return {tuple(key): np.array(values) for *key, values in read_lines(path)}


def regrets(runs: dict[Key, np.ndarray], task: str, seeds: list[int]) -> dict[str, np.ndarray]:
    """Return the normalized regret by sampler, (seed, shown)."""
    best = min(values.min() for (name, _, _), values in runs.items() if name == task)
    middle = np.median(
        [values for (t, s, _), values in runs.items() if (t, s) == (task, "random")]
    )
    at = np.array(SHOWN) - 1
    found = {
        s: np.stack([np.minimum.accumulate(runs[task, s, seed])[at] for seed in seeds])
        for s in SAMPLERS
    }
    return {sampler: (values - best) / (middle - best) for sampler, values in found.items()}


def print_tables(runs: dict[Key, np.ndarray]) -> None:
    seeds = [
        seed
        for seed in sorted({seed for _, _, seed in runs})
        if all((task, sampler, seed) in runs for task in TASKS for sampler in SAMPLERS)
    ]
    by_task = {task: regrets(runs, task, seeds) for task in TASKS}
    shown = " / ".join(map(str, SHOWN))
    print(f"Seeds {seeds}; regret after {shown} trials\n")
    print("| sampler | mean | median | predictor_rl wins-losses | " + " | ".join(TASKS) + " |")
    print("|---|" + "---:|" * (3 + len(TASKS)))
    ours = np.concatenate([by_task[task]["predictor_rl"] for task in TASKS])
    for sampler in SAMPLERS:
        parts = [by_task[task][sampler] for task in TASKS]
        every = np.concatenate(parts)
        wins, losses = (ours < every - 1e-6).sum(0), (ours > every + 1e-6).sum(0)
        duel = " / ".join(f"{won}-{lost}" for won, lost in zip(wins, losses, strict=True))
        cells = [every.mean(0), np.median(every, 0)]
        text = [" / ".join(f"{v:.3f}" for v in cell) for cell in cells]
        text += [duel] + [" / ".join(f"{v:.3f}" for v in part.mean(0)) for part in parts]
        print(f"| {sampler} | " + " | ".join(text) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, required=True, help="file of JSON lines")
    arguments = parser.parse_args()
    be_quiet()
    done = read(arguments.out)
    for seed in range(arguments.seeds):
        for task in TASKS:
            for sampler in SAMPLERS:
                if (task, sampler, seed) in done:
                    continue
                values = search(task, sampler, seed)
                append_line(arguments.out, [task, sampler, seed, values])
    print_tables(read(arguments.out))
