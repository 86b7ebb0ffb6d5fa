"""Training of all members of the predictor at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from optuna_predictor_rl.core.adam import BETAS, Adam, one_cycle
from optuna_predictor_rl.core.predictor.config import PredictorConfig
from optuna_predictor_rl.core.predictor.losses import LOSSES
from optuna_predictor_rl.core.predictor.network import MultiTaskMLP

N_FOLDS = 5
"""Members that share a partition of the trials, each of which leaves out one part."""


@dataclass(frozen=True)
class FittedMembers:
    """Trained members whose scores are standardized on the training configurations.

    Args:
        network: The networks, in evaluation mode.
        shift: Mean score of each member and task on the training configurations.
        scale: Standard deviation of those scores.
        held_out: Which members did not see which trial.
    """

    network: MultiTaskMLP
    shift: Float[Tensor, "k 1 t"]
    scale: Float[Tensor, "k 1 t"]
    held_out: Bool[Tensor, "k n"]

    @torch.no_grad()
    def scores(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "k n t"]:
        """Return standardized scores; lower is better for tasks that were labelled so."""
        return (self.network(x) - self.shift) / self.scale


def fit_members(
    config: PredictorConfig,
    x: Float[Tensor, "n d"],
    y: Float[Tensor, "n t"],
    generator: torch.Generator,
) -> FittedMembers:
    """Train the k networks of an ensemble as one module.

    Args:
        config: Settings of the predictor.
        x: Encoded configurations.
        y: Labels of each task, of about unit variance; NaN where a task has none.
        generator: Source of all randomness; its device must be that of x.
    """
    network = MultiTaskMLP(config, x.shape[1], y.shape[1], generator)
    weight = _fold_weights(config, len(x), generator)  # (k, n)
    optimizer = Adam(list(network.parameters()), weight_decay=config.weight_decay, fused=True)
    batches = _batches(len(x), config, generator)
    schedule = [(config.learning_rate, BETAS[0])] * len(batches)
    if config.one_cycle and len(batches) > 1:
        schedule = one_cycle(config.learning_rate, len(batches))
    for batch, (learning_rate, beta) in zip(batches, schedule, strict=True):
        score = network(x[batch])
        losses = [
            LOSSES[config.loss](score[..., t], y[batch, t], weight[:, batch], config.margin)
            for t in range(y.shape[1])
        ]
        torch.stack(losses).sum().backward()
        optimizer.step(learning_rate, beta)
    network.eval().requires_grad_(False)
    with torch.no_grad():
        score = network(x)
    return FittedMembers(
        network=network,
        shift=score.mean(1, keepdim=True),
        scale=score.std(1, keepdim=True, correction=0).clamp_min(1e-6),
        held_out=weight == 0,
    )


def _batches(n: int, config: PredictorConfig, generator: torch.Generator) -> list[Tensor]:
    """Return the indices of the trials of each step: all, while they fit into one batch."""
    if n <= config.batch_size:
        everything = torch.arange(n, device=generator.device)
        return [everything] * config.n_epochs
    # A loss over pairs is quadratic in the trials: past the batch size a step pairs a sample.
    return [
        torch.randperm(n, generator=generator, device=generator.device)[: config.batch_size]
        for _ in range(config.n_epochs)
    ]


def _fold_weights(
    config: PredictorConfig, n: int, generator: torch.Generator
) -> Float[Tensor, "k n"]:
    """Return the weight of each trial for each member: 0 in the fold that it leaves out."""
    shape, device = (config.n_members, n), generator.device
    weight = torch.ones(shape, dtype=torch.float32, device=device)
    if config.bootstrap == "folds" and n >= 2 * N_FOLDS:
        for first in range(0, config.n_members, N_FOLDS):
            order = torch.randperm(n, generator=generator, device=device)
            for member in range(first, min(first + N_FOLDS, config.n_members)):
                weight[member, order[member - first :: N_FOLDS]] = 0.0
    return weight
