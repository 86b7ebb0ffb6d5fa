"""A few numbers of what a model predicts and learns, to recognize a model of other code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from dhen_objective.features import ClickModel
from dhen_objective.streams.base import Batch

_CYCLE = 1009
_TOLERANCE = 1e-4
"""Relative difference that another processor or version of torch can make."""


def behaviour(model: ClickModel, batch: Batch) -> list[list[float]]:
    """Return sums over the logits of a batch and over the gradients of each parameter.

    Names, shapes and weights do not show a model's code, its plain attributes or which of its
    parameters are frozen. The model is left as it was.

    Returns:
        For the logits and then for each parameter, a weighted sum and the same sum of absolute
        values; an empty list for parameters that the logits do not depend on.
    """
    parameters = [value for value in model.parameters() if value.requires_grad]
    with _moved(model), torch.random.fork_rng(devices=[]):
        logits = model(batch.dense, batch.sparse).float()
        loss = nn.functional.binary_cross_entropy_with_logits(logits, batch.labels)
        known = bool(parameters) and loss.requires_grad
        given = torch.autograd.grad(loss, parameters, allow_unused=True) if known else ()
    return [_sums(logits), *map(_sums, given)]


def alike(one: list[list[float]], other: list[list[float]]) -> bool:
    """Return True if two models predict and learn the same up to rounding."""
    if list(map(len, one)) != list(map(len, other)):
        return False
    return all(
        np.allclose(a, b, rtol=0, atol=_TOLERANCE * np.abs(a).max(initial=0), equal_nan=True)
        for a, b in zip(one, other, strict=True)
    )


@contextmanager
def _moved(model: ClickModel) -> Iterator[None]:
    """Turn dropout off and shift the weights of a model, and restore it afterwards.

    A weight that starts at 0 would hide what it multiplies, so all weights are shifted. The
    embedding table, which may be large, is not.
    """
    modes = [(module, module.training) for module in model.modules()]
    weights = [value for value in model.parameters() if value is not model.features.table.weight]
    values: list[Tensor] = [*weights, *model.buffers()]
    held = [(value, value.detach().clone()) for value in values]
    model.eval()
    try:
        with torch.no_grad():
            for value in weights:
                places = torch.arange(value.numel(), dtype=value.dtype, device=value.device)
                value.add_(0.1 * torch.cos(places).reshape(value.shape))
        yield
    finally:
        for module, mode in modes:
            module.training = mode
        with torch.no_grad():
            for changed, before in held:
                changed.copy_(before)


def _sums(values: Tensor | None) -> list[float]:
    if values is None:
        return []
    values = values.coalesce().values() if values.is_sparse else values
    flat = values.detach().cpu().double().flatten()
    places = torch.arange(len(flat), dtype=torch.float64, device="cpu")
    weighted = flat * (1 + places % _CYCLE / _CYCLE)
    return [float(weighted.sum()), float(weighted.abs().sum())]
