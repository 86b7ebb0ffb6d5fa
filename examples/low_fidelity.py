"""Search with short trainings, then train the finalists to the end.

    python examples/low_fidelity.py --trials 30

The model is a logistic regression trained by gradient descent, with momentum and weight decay, on
noisy labels. Once the pilots have decided the cutoff, trials stop there and are known by their
extrapolated loss. The best are trained again in full, and the full value replaces the label.
"""

import argparse

import numpy as np
import optuna
from optuna.samplers import TPESampler

from optuna_predictor_rl import LowFidelityPruner, finalists
from optuna_predictor_rl.labels import full_trials, is_full

N_EPOCHS = 60
RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(400, 30))
TARGETS = (INPUTS @ RNG.normal(size=30) + 3.0 * RNG.normal(size=400) > 0).astype(float)


def objective(trial: optuna.Trial) -> float:
    """The loss on the half of the rows that is not trained on."""
    rate = trial.suggest_float("rate", 1e-3, 3.0, log=True)
    momentum = trial.suggest_float("momentum", 0.0, 0.95)
    decay = trial.suggest_float("decay", 1e-4, 1.0, log=True)
    train, held_out = slice(0, 200), slice(200, 400)
    weights, velocity, loss = np.zeros(30), np.zeros(30), 0.0
    for epoch in range(1, N_EPOCHS + 1):
        predicted = 0.5 + 0.5 * np.tanh(0.5 * INPUTS[train] @ weights)
        gradient = INPUTS[train].T @ (predicted - TARGETS[train]) / 200 + decay * weights
        velocity = momentum * velocity - rate * gradient
        weights = weights + velocity
        margin = (2.0 * TARGETS[held_out] - 1.0) * (INPUTS[held_out] @ weights)
        loss = float(np.logaddexp(0.0, -margin).mean())
        trial.report(loss, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned
    return loss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--finalists", type=int, default=3)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    pruner = LowFidelityPruner(n_pilot_trials=min(10, max(3, arguments.trials // 3)))
    study = optuna.create_study(sampler=TPESampler(seed=0), pruner=pruner)
    study.optimize(objective, n_trials=arguments.trials)
    spent = sum(len(trial.intermediate_values) for trial in study.trials)
    print(f"{arguments.trials} trials in {spent / N_EPOCHS:.1f} whole trainings.")

    chosen = [trial for trial in finalists(study, arguments.finalists) if not is_full(trial)]
    for trial in chosen:
        study.enqueue_trial(trial.params, user_attrs={"full_fidelity": True})
    if chosen:
        study.optimize(objective, n_trials=len(chosen))
    for trial, again in zip(chosen, study.trials[arguments.trials :], strict=True):
        label = trial.user_attrs["low_fidelity_label"]
        print(f"trial {trial.number}: label {label:.4f}, full training {again.value:.4f}")
    best = min(full_trials(study.trials), key=lambda trial: trial.value or 0.0)
    print(f"best full training: {best.value:.4f} with {best.params}")


if __name__ == "__main__":
    main()
