"""The predictor's network: k multi-task MLPs (Eq. 4) as one batched module."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from optuna_predictor_rl.core.predictor.config import Activation, PredictorConfig

ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "silu": functional.silu,
}


class MultiTaskMLP(nn.Module):
    """Eq. (4) for k members at once: shared layers, then a network for each task.

    Shape:
        - input: (n, d), the same for all members
        - output: (k, n, t)

    Args:
        config: Number of members, widths, activation and dropout.
        n_inputs: Columns d of the input.
        n_tasks: Number t of tasks.
        generator: Source of the initial weights and of dropout.

    Example:
        >>> network = MultiTaskMLP(PredictorConfig(), 7, 2, torch.Generator())
        >>> network(torch.zeros(5, 7)).shape
        torch.Size([10, 5, 2])
    """

    def __init__(
        self, config: PredictorConfig, n_inputs: int, n_tasks: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[config.activation]
        self.dropout = config.dropout
        self.generator = generator
        k = config.n_members
        widths = (n_inputs, *config.shared_widths)
        self.shared = _layers((k,), widths, generator)
        self.heads = _layers((k, n_tasks), (widths[-1], *config.head_widths, 1), generator)

    def forward(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "k n t"]:
        """Return the scores of the rows of x."""
        hidden = x if len(self.shared) else x[None]
        for weight, bias in zip(self.shared[::2], self.shared[1::2], strict=True):
            hidden = self._hidden(hidden @ weight + bias)
        hidden = hidden[:, None]  # (k, 1, n, h), a head for each task
        last = len(self.heads) - 2
        for i in range(0, last, 2):
            hidden = self._hidden(hidden @ self.heads[i] + self.heads[i + 1])
        score = hidden @ self.heads[last] + self.heads[last + 1]  # W h_L + b, (k, t, n, 1)
        return score[..., 0].transpose(1, 2)

    def _hidden(self, x: Tensor) -> Tensor:
        x = self.activation(x)
        if not self.training or self.dropout == 0.0:
            return x
        keep = torch.empty_like(x).bernoulli_(1.0 - self.dropout, generator=self.generator)
        return x * keep / (1.0 - self.dropout)


def _layers(
    batch: tuple[int, ...], widths: tuple[int, ...], generator: torch.Generator
) -> nn.ParameterList:
    """Return weights and biases in turn, He-normal and zero."""
    parameters = nn.ParameterList()
    options: dict[str, Any] = {"dtype": torch.float32, "device": generator.device}
    for n_in, n_out in pairwise(widths):
        weight = torch.empty(*batch, n_in, n_out, **options)
        parameters.append(weight.normal_(0.0, math.sqrt(2.0 / max(n_in, 1)), generator=generator))
        parameters.append(torch.zeros(*batch, 1, n_out, **options))
    return parameters
