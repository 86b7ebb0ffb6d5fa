"""Small layers that the feature processing, the interactions and the head share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeVar

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn
from torch.nn.utils.init import skip_init

M = TypeVar("M", bound=nn.Module)


def bare(kind: Callable[..., M], *args: Any, **kwargs: Any) -> M:
    """Return a torch module in float32 whose weights `initialize` has yet to set.

    Torch would draw them from the global random state, which a model must not move.
    """
    module: M = skip_init(kind, *args, **kwargs, dtype=torch.float32)
    return module


def linear(n_in: int, n_out: int, *, bias: bool = True) -> nn.Linear:
    """Return a linear layer whose weights `initialize` has yet to set."""
    return bare(nn.Linear, n_in, n_out, bias=bias)


def mlp(widths: Sequence[int]) -> nn.Sequential:
    """Return linear layers of these widths, input first, with a ReLU between each two."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layers += [linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def layer_norm(dim: int, gain: float) -> nn.Module:
    """Return a layer norm that starts with this gain, or the identity for gain 0."""
    if gain == 0:
        return nn.Identity()
    norm = nn.LayerNorm(dim, device="cpu", dtype=torch.float32)
    nn.init.constant_(norm.weight, gain)
    return norm


class CountMap(nn.Module):
    """A learned linear map over the count axis: each output is a mixture of the embeddings.

    `initialize` sets the weights.

    Shape:
        (b, n_in, d) -> (b, n_out, d)
    """

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_out, n_in, device="cpu", dtype=torch.float32))

    def forward(self, x: Float[Tensor, "b m d"]) -> Float[Tensor, "b l d"]:
        """Mix the embeddings of all examples in one matrix product."""
        b, m, d = x.shape
        mixed = self.weight @ x.transpose(0, 1).reshape(m, b * d)
        return mixed.view(-1, b, d).transpose(0, 1)


def initialize(model: nn.Module, *, scale: float, generator: Generator) -> None:
    """Set every weight matrix to Xavier's uniform distribution times `scale`, biases to 0."""
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d | CountMap):
            nn.init.xavier_uniform_(module.weight, gain=scale, generator=generator)
            bias = getattr(module, "bias", None)
            if bias is not None:
                nn.init.zeros_(bias)
