"""Start a search from what another one has learned, and train its recommendations.

    python examples/warm_start.py --trials 15

A forest is tuned on one data set of scikit-learn, on part of the parameters and in other ranges;
its predictor is kept in a file, and starts the search on the next data set. The best that the
second search has predicted but not tried are run at the end.
"""

import argparse
from pathlib import Path

import optuna
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import cross_val_score

from optuna_predictor_rl import PredictorRLSampler, Source


def first_search(trial: optuna.Trial) -> float:
    """Return the accuracy on the wines: higher is better."""
    forest = ExtraTreesClassifier(
        n_estimators=20,
        max_features=trial.suggest_float("max_features", 0.1, 0.8),
        min_samples_leaf=trial.suggest_int("min_samples_leaf", 1, 8),
        random_state=0,
    )
    return float(cross_val_score(forest, *load_wine(return_X_y=True), cv=3).mean())


def second_search(trial: optuna.Trial) -> float:
    """Return the error on the tumours: lower is better, with a parameter more and wider ranges."""
    forest = ExtraTreesClassifier(
        n_estimators=20,
        max_features=trial.suggest_float("max_features", 0.05, 1.0),
        min_samples_leaf=trial.suggest_int("min_samples_leaf", 1, 32, log=True),
        criterion=trial.suggest_categorical("criterion", ["gini", "entropy"]),
        random_state=0,
    )
    return 1.0 - float(cross_val_score(forest, *load_breast_cancer(return_X_y=True), cv=3).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=15)
    parser.add_argument("--recommended", type=int, default=3)
    parser.add_argument("--file", type=Path, default=Path("wine.npz"))
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    first = optuna.create_study(direction="maximize", sampler=PredictorRLSampler(seed=0))
    first.optimize(first_search, n_trials=arguments.trials, show_progress_bar=True)
    Source.of(first).save(arguments.file)

    sampler = PredictorRLSampler(seed=0, warm_start=[Source.load(arguments.file)])
    second = optuna.create_study(sampler=sampler)
    second.optimize(second_search, n_trials=arguments.trials, show_progress_bar=True)
    print(f"best of {arguments.trials} trials: error {second.best_value:.4f}")

    recommended = sampler.recommend(second, arguments.recommended)
    for params in recommended:
        second.enqueue_trial(params, user_attrs={"full_fidelity": True})
    second.optimize(second_search, n_trials=len(recommended))
    for params, trial in zip(recommended, second.trials[arguments.trials :], strict=True):
        print(f"expected {params.mean:.4f} +- {params.std:.4f}, found {trial.value:.4f}: {params}")


if __name__ == "__main__":
    main()
