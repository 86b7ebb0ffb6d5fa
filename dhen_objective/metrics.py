"""Log loss, normalized entropy, calibration and NE gain, from logits, in float64."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from dhen_objective.checked import checked


def log_losses(logits: Tensor, labels: Tensor) -> Float64[Tensor, " n"]:
    """Return each example's negative log likelihood, in nats.

    `softplus(s) - y s` keeps its digits where a probability in float32 has long become 0 or 1.
    An infinite logit costs 0 where it is right, and infinitely much where it is wrong.

    Raises:
        TypeError: If the logits are truth values, such as predicted classes, or complex.
        ValueError: If the shapes are not (n,) and (n,), or a label is neither 0 nor 1.
    """
    _check_pair(logits, labels)
    scores = logits.detach().double()
    # softplus(s) - y s is softplus of the score against the label, with the sign that it costs
    against = torch.where(labels == 1, -scores, scores)
    return against.clamp(min=0) + torch.log1p(torch.exp(-against.abs()))


def _check_pair(logits: Tensor, labels: Tensor) -> None:
    """Refuse shapes that would broadcast, and labels such as -1."""
    if logits.ndim != 1 or labels.shape != logits.shape:
        shapes = tuple(logits.shape), tuple(labels.shape)
        raise ValueError(
            f"logits and labels must have the shapes (n,) and (n,), but got {shapes[0]} "
            f"and {shapes[1]}."
        )
    if logits.is_complex() or logits.dtype is torch.bool:
        raise TypeError(f"logits must be real numbers, but got the dtype {logits.dtype}.")
    wrong = (labels != 0) & (labels != 1)
    if wrong.any():
        raise ValueError(f"labels must be 0 or 1, but got {labels[wrong][0].item()}.")


def binary_entropy(rate: float) -> float:
    """Return the entropy of a coin that shows 1 at this rate, in nats; 0 at rates 0 and 1."""
    if not 0 <= rate <= 1:
        raise ValueError(f"rate must be in [0, 1], but got {rate}.")
    return -sum(p * math.log(p) for p in (rate, 1 - rate) if p > 0)


@checked
@dataclass(frozen=True, kw_only=True)
class Tally:
    """Sums over predicted examples; tallies of disjoint examples add up.

    Attributes:
        rows: Number of examples.
        positives: Sum of the labels.
        loss: Sum of the log losses, in nats.
        predicted: Sum of the predicted probabilities.
    """

    rows: int = 0
    positives: float = 0.0
    loss: float = 0.0
    predicted: float = 0.0

    def __post_init__(self) -> None:
        for name in ("rows", "positives", "loss", "predicted"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be at least 0, but got {getattr(self, name)}.")
        if self.positives > self.rows:
            raise ValueError(
                f"positives must be at most rows = {self.rows}, but got {self.positives}."
            )

    @staticmethod
    @checked
    def of(logits: Tensor, labels: Tensor) -> Tally:
        """Return the sums over one batch.

        Raises:
            ValueError: See `log_losses`.
        """
        losses = log_losses(logits, labels)
        return tally_of_losses(losses, torch.sigmoid(logits.detach().double()), labels)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            rows=self.rows + other.rows,
            positives=self.positives + other.positives,
            loss=self.loss + other.loss,
            predicted=self.predicted + other.predicted,
        )

    @property
    def log_loss(self) -> float:
        """Return the mean log loss in nats; NaN over no rows."""
        return self.loss / self.rows if self.rows else math.nan

    @property
    def normalized_entropy(self) -> float:
        """Return the log loss over the entropy of these rows' positive rate; lower is better.

        The best constant prediction reaches 1. NaN where the rows lack a positive or a negative,
        since nothing is left to predict.
        """
        if not 0 < self.positives < self.rows:
            return math.nan
        return self.log_loss / binary_entropy(self.positives / self.rows)

    @property
    def calibration(self) -> float:
        """Return predicted over observed positives; 1 is right, NaN without positives."""
        return self.predicted / self.positives if self.positives else math.nan


def tally_of_losses(losses: Tensor, predicted: Tensor, labels: Tensor) -> Tally:
    """Return the sums over examples whose losses and probabilities are known."""
    sums = torch.stack([labels.double().sum(), losses.sum(), predicted.sum()]).tolist()
    return Tally(rows=len(labels), positives=sums[0], loss=sums[1], predicted=sums[2])


@checked
def normalized_entropy(logits: Tensor, labels: Tensor) -> float:
    """Return the normalized entropy of predictions, relative to the labels' own rate.

    Args:
        logits: Scores before the sigmoid, of shape (n,).
        labels: 0 or 1, of shape (n,).

    Returns:
        Mean log loss over the entropy of the positive rate; NaN if all labels are the same.

    Raises:
        TypeError: If the logits are truth values, such as predicted classes, or complex.
        ValueError: If the shapes differ from these, or a label is neither 0 nor 1.

    Examples:
        >>> labels = torch.tensor([1.0, 0.0, 0.0, 0.0])
        >>> constant = torch.full((4,), -1.0986123)  # the logit of 1/4
        >>> round(normalized_entropy(constant, labels), 6)
        1.0
    """
    return Tally.of(logits, labels).normalized_entropy


@checked
def ne_gain(loss: float, baseline: float) -> float:
    """Return the change against a baseline in %; negative is better.

    Takes two normalized entropies or two log losses *of the same rows*: the entropy of the rows
    cancels, so both give the same number, and log losses do so where the rows have no positive.
    NaN where the baseline is not positive or not finite.
    """
    return 100.0 * (loss / baseline - 1.0) if 0 < baseline < math.inf else math.nan


@checked
def ne_gain_with_error(losses: Tensor, baseline: Tensor) -> tuple[float, float]:
    """Return the NE gain in % and the standard error of it, from per-example log losses.

    The two models' losses are of the same rows in the same order. The error is that of the mean
    of the paired differences, relative to the baseline's mean loss: what the choice of the rows
    leaves open, not what another seed would. Both are NaN where the baseline's mean loss is not
    positive.

    Raises:
        ValueError: If the shapes are not (n,) and (n,).
    """
    error = paired_standard_error(losses, baseline)
    base = float(baseline.double().mean())
    if not base > 0:
        return math.nan, math.nan
    difference = losses.double() - baseline.double()
    return 100.0 * float(difference.mean()) / base, 100.0 * error / base


@checked
def paired_standard_error(losses: Tensor, baseline: Tensor) -> float:
    """Return the standard error of the mean difference of paired losses; NaN under 2 rows.

    Raises:
        ValueError: If the shapes are not (n,) and (n,).
    """
    if losses.ndim != 1 or losses.shape != baseline.shape:
        raise ValueError(
            f"losses must pair the rows of baseline, of shape {tuple(baseline.shape)}, "
            f"as (n,) and (n,), but got {tuple(losses.shape)}."
        )
    difference = losses.double() - baseline.double()
    if len(difference) < 2:
        return math.nan
    return float(difference.std(correction=1)) / math.sqrt(len(difference))
