"""Accuracy against model size: one study whose cost weights are cycled (Eq. 6).

    pip install scikit-learn && python examples/recipes/cost_weighted.py

Random forests on the handwritten digits that scikit-learn ships. A trial stores its cost, the
number of tree nodes, as a user attribute; the sampler learns value and cost, and trades them.
"""

import argparse
import math

import optuna
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from optuna_predictor_rl import PredictorRLSampler

WEIGHTS = (0.0, 0.3, 0.6)
X, Y = load_digits(return_X_y=True)
TRAIN_X, TEST_X, TRAIN_Y, TEST_Y = train_test_split(X, Y, test_size=0.5, random_state=0)


def objective(trial: optuna.Trial) -> float:
    """Return the error on the half of the digits that is not trained on, in %."""
    model = RandomForestClassifier(
        n_estimators=trial.suggest_int("n_estimators", 2, 100, log=True),
        max_depth=trial.suggest_int("max_depth", 2, 20),
        max_features=trial.suggest_float("max_features", 0.02, 1.0, log=True),
        min_samples_leaf=trial.suggest_int("min_samples_leaf", 1, 10),
        random_state=0,
    )
    model.fit(TRAIN_X, TRAIN_Y)
    nodes = sum(tree.tree_.node_count for tree in model.estimators_)
    trial.set_user_attr("log_nodes", math.log(nodes))  # sizes differ by factors
    return 100.0 * float(1.0 - model.score(TEST_X, TEST_Y))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=60)
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = PredictorRLSampler(cost="log_nodes", cost_weight=WEIGHTS, seed=0)
    study = optuna.create_study(sampler=sampler)
    study.optimize(objective, n_trials=options.trials, show_progress_bar=True)
    print(f"{'trial':>5}{'error':>9}{'nodes':>9}  not beaten in both")
    smallest = math.inf
    for trial in sorted(study.trials, key=lambda t: (t.value, t.user_attrs["log_nodes"])):
        if trial.user_attrs["log_nodes"] < smallest:
            smallest = trial.user_attrs["log_nodes"]
            print(f"{trial.number:5}{trial.value:8.2f}%{math.exp(smallest):9.0f}")


if __name__ == "__main__":
    main()
