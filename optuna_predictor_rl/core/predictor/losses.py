"""Losses of the predictor's members: pairwise ranking (Eq. 3) and mean squared error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

Loss = Literal["hinge", "logistic", "mse"]


def pairwise_hinge_loss(
    prediction: Float[Tensor, "k n"],
    target: Float[Tensor, " n"],
    weight: Float[Tensor, "k n"],
    margin: float,
) -> Float[Tensor, " k"]:
    """Return each member's pairwise ranking loss, Eq. (3), the mean over pairs of unequal targets.

    Args:
        prediction: Scores of k members.
        target: Labels; a pair with equal labels or a missing one (NaN) does not count.
        weight: Weight of each example for each member; a pair weighs their product.
        margin: The epsilon of Eq. (3): how far apart a pair must be predicted.

    Example:
        >>> import torch
        >>> weight = torch.ones(1, 2)
        >>> pairwise_hinge_loss(torch.tensor([[0.0, 1.0]]), torch.tensor([1.0, 3.0]), weight, 0.5)
        tensor([0.])
    """
    return _pairwise(prediction, target, weight, lambda gap: functional.relu(margin - gap))


def pairwise_logistic_loss(
    prediction: Float[Tensor, "k n"],
    target: Float[Tensor, " n"],
    weight: Float[Tensor, "k n"],
    margin: float,
) -> Float[Tensor, " k"]:
    """Return the smooth form of Eq. (3): softplus(margin - gap) for max(0, margin - gap)."""
    return _pairwise(prediction, target, weight, lambda gap: functional.softplus(margin - gap))


def mse_loss(
    prediction: Float[Tensor, "k n"],
    target: Float[Tensor, " n"],
    weight: Float[Tensor, "k n"],
    margin: float,  # noqa: ARG001 # the losses of the table share a signature
) -> Float[Tensor, " k"]:
    """Return each member's weighted mean squared error over the present labels."""
    weight = weight * ~target.isnan()
    error = (prediction - target.nan_to_num()) ** 2
    return (weight * error).sum(1) / weight.sum(1).clamp_min(1e-12)


def _pairwise(
    prediction: Float[Tensor, "k n"],
    target: Float[Tensor, " n"],
    weight: Float[Tensor, "k n"],
    penalty: Callable[[Tensor], Tensor],
) -> Float[Tensor, " k"]:
    worse = (target[:, None] > target[None, :]).to(prediction.dtype)  # y_ij > 0 of Eq. (3), (n, n)
    pair_weight = worse * weight[:, :, None] * weight[:, None, :]  # (k, n, n), each pair once
    gap = prediction[:, :, None] - prediction[:, None, :]
    total = pair_weight.sum((1, 2)).clamp_min(1e-12)
    return (pair_weight * penalty(gap)).sum((1, 2)) / total


LOSSES: dict[Loss, Callable[[Tensor, Tensor, Tensor, float], Tensor]] = {
    "hinge": pairwise_hinge_loss,
    "logistic": pairwise_logistic_loss,
    "mse": mse_loss,
}
