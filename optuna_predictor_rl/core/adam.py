"""Steps of Adam and AdamW and the one-cycle schedule, equal to torch's optimizers to the last bit.

Making one of torch's optimizers imports its compiler: 1,000 modules within the first suggestion of
a process. This module calls the functions behind them, which do not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim.adamw import adamw

BETAS = (0.9, 0.999)
"""Decay of the mean gradient and of the mean squared gradient, as torch's defaults."""

EPSILON = 1e-8
"""Torch's default, which is added to the root of the mean squared gradient."""


class Adam:
    """Adam (Kingma and Ba, 2015), with decoupled weight decay (Loshchilov and Hutter, 2019).

    Args:
        parameters: What to minimize over, of dtype float32; each step reads their gradients.
        weight_decay: Share of the learning rate by which parameters shrink in a step.
        fused: Whether a step is one kernel, which is faster and rounds differently.
    """

    def __init__(
        self, parameters: Sequence[Tensor], *, weight_decay: float = 0.0, fused: bool = False
    ) -> None:
        self._parameters = list(parameters)
        self._weight_decay = weight_decay
        self._fused = fused
        self._first = [torch.zeros_like(p) for p in self._parameters]
        self._second = [torch.zeros_like(p) for p in self._parameters]
        self._steps = [
            torch.zeros((), dtype=torch.float32, device=p.device if fused else "cpu")
            for p in self._parameters
        ]

    @torch.no_grad()
    def step(self, learning_rate: float, first_beta: float = BETAS[0]) -> None:
        """Take a step and forget the gradients."""
        adamw(
            self._parameters,
            [p.grad for p in self._parameters if p.grad is not None],
            self._first,
            self._second,
            [],
            self._steps,
            fused=self._fused or None,
            amsgrad=False,
            beta1=first_beta,
            beta2=BETAS[1],
            lr=learning_rate,
            weight_decay=self._weight_decay,
            eps=EPSILON,
            maximize=False,
        )
        for parameter in self._parameters:
            parameter.grad = None


def one_cycle(peak: float, n_steps: int) -> list[tuple[float, float]]:
    """Return the learning rate and first beta of each step of one cycle (Smith and Topin, 2018).

    In the first .3 of the steps the rate rises from a 25th of its peak, then it falls to a
    250,000th; the beta falls from .95 to .85 and rises again. Both follow a cosine.

    Args:
        peak: Largest learning rate.
        n_steps: Number of steps, at least 2.
    """
    top, end = 0.3 * n_steps - 1.0, n_steps - 1.0
    low, lowest = peak / 25.0, peak / 25.0 / 1e4
    steps = []
    for step in range(n_steps):
        if step <= top:
            share = step / top
            steps.append((_cosine(low, peak, share), _cosine(0.95, 0.85, share)))
        else:
            share = (step - top) / (end - top)
            steps.append((_cosine(peak, lowest, share), _cosine(0.85, 0.95, share)))
    return steps


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1.0)
