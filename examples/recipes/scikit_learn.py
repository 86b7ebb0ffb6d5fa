"""Drop-in: gradient boosting on the breast cancer data that scikit-learn ships.

    pip install scikit-learn && python examples/recipes/scikit_learn.py

What is ours are the import and the `sampler=`.
"""

import argparse

import optuna
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import cross_val_score

from optuna_predictor_rl import PredictorRLSampler

X, Y = load_breast_cancer(return_X_y=True)


def objective(trial: optuna.Trial) -> float:
    """Return the log loss of five folds."""
    model = HistGradientBoostingClassifier(
        learning_rate=trial.suggest_float("learning_rate", 0.01, 1.0, log=True),
        max_leaf_nodes=trial.suggest_int("max_leaf_nodes", 2, 64, log=True),
        l2_regularization=trial.suggest_float("l2_regularization", 1e-6, 10.0, log=True),
        max_features=trial.suggest_float("max_features", 0.1, 1.0),
        max_iter=30,
        random_state=0,
    )
    return float(-cross_val_score(model, X, Y, scoring="neg_log_loss").mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=30)
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=PredictorRLSampler(seed=0))
    study.optimize(objective, n_trials=options.trials, show_progress_bar=True)
    print(f"best log loss {study.best_value:.4f} with {study.best_params}")


if __name__ == "__main__":
    main()
