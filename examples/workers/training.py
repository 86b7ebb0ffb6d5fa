"""What all workers train: a logistic regression on noisy labels."""

from collections.abc import Callable
from typing import Any

import numpy as np
import optuna

N_EPOCHS = 40
RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(400, 30))
TARGETS = (INPUTS @ RNG.normal(size=30) + 3.0 * RNG.normal(size=400) > 0).astype(float)


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    """Return the three settings of a training."""
    return {
        "rate": trial.suggest_float("rate", 1e-3, 3.0, log=True),
        "momentum": trial.suggest_float("momentum", 0.0, 0.95),
        "decay": trial.suggest_float("decay", 1e-4, 1.0, log=True),
    }


def train(
    rate: float,
    momentum: float,
    decay: float,
    after_epoch: Callable[[int, float], None] | None = None,
) -> float:
    """Return the loss on the half of the rows that is not trained on."""
    fitted, held_out = slice(0, 200), slice(200, 400)
    weights, velocity, loss = np.zeros(30), np.zeros(30), 0.0
    for epoch in range(1, N_EPOCHS + 1):
        predicted = 0.5 + 0.5 * np.tanh(0.5 * INPUTS[fitted] @ weights)
        gradient = INPUTS[fitted].T @ (predicted - TARGETS[fitted]) / 200 + decay * weights
        velocity = momentum * velocity - rate * gradient
        weights = weights + velocity
        margin = (2.0 * TARGETS[held_out] - 1.0) * (INPUTS[held_out] @ weights)
        loss = float(np.logaddexp(0.0, -margin).mean())
        if after_epoch is not None:
            after_epoch(epoch, loss)
    return loss


def objective(trial: optuna.Trial) -> float:
    """Train, report the curve, and stop where the pruner says so."""

    def report(epoch: int, loss: float) -> None:
        trial.report(loss, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned

    return train(**suggest(trial), after_epoch=report)
