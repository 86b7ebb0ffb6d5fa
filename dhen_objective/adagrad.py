"""Adagrad for an embedding table, which moves only the rows that a batch looked up."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dhen_objective.checked import check_at_least
from dhen_objective.ranges import check_positive

_EPSILON = 1e-8


class RowwiseAdagrad:
    """Adagrad with one accumulator a row, fed by the sparse gradient of a look-up.

    s_r += mean_j g_rj^2 and w_r -= lr g_r / (sqrt(start + s_r) + 1e-8), where g_r sums the
    gradients of all look-ups of row r in the batch.
    """

    def __init__(self, table: nn.Parameter, *, lr: float, start: float = 0.0) -> None:
        check_positive(lr=lr)
        check_at_least(0, start=start)
        self.table = table
        self.lr, self.start = lr, start
        self.sums = torch.zeros(len(table), device=table.device, dtype=table.dtype)

    @torch.no_grad()
    def step(self, examples: int = 1) -> None:
        """Update the looked-up rows and clear the gradient.

        Args:
            examples: Number of examples of which the loss was the mean; g is of their sum.
        """
        gradient = self.table.grad
        if gradient is None:
            return
        self.table.grad = None
        # The private parts, since `coalesce` would sort and sum them into a new sparse tensor at
        # three times the cost.
        ids, values = gradient._indices()[0], gradient._values()
        rows, position = torch.unique(ids, return_inverse=True)
        total = values.new_zeros(len(rows), values.shape[1]).index_add_(0, position, values)
        total *= examples
        sums: Tensor = self.sums[rows] + total.square().mean(1)
        self.sums[rows] = sums
        step = total * (-self.lr / ((self.start + sums).sqrt() + _EPSILON)).unsqueeze(1)
        self.table.data.index_add_(0, rows, step)
