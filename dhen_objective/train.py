"""One pass over a stream with progressive validation: predict, record, then update."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, Self

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from dhen_objective.adagrad import RowwiseAdagrad
from dhen_objective.config import DHENConfig, TrainConfig
from dhen_objective.features import FeatureProcessing
from dhen_objective.metrics import Tally, WindowedTally
from dhen_objective.model import DHEN
from dhen_objective.streams.base import Batch, ClickStream

Report = Callable[[int, Tally], bool | None]
"""Takes the rows seen and the newest window; a true value stops the training."""


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    """What one pass over a stream gave.

    Attributes:
        curve: The windowed sums at each row count of the grid that was reached.
        lifetime: The sums over all rows seen.
        losses: Log loss of each example of the last window, to pair it with another model's.
        n_missing: Dense values that were missing and imputed.
        seconds: Wall time of the pass.
        stopped: Whether `report` asked to stop.
        diverged: Whether the training stopped because a prediction was not finite.
    """

    curve: dict[int, Tally]
    lifetime: Tally
    losses: Float[Tensor, " n"]
    n_missing: int
    seconds: float
    stopped: bool
    diverged: bool

    @property
    def rows(self) -> int:
        """Number of examples seen."""
        return self.lifetime.rows

    @property
    def last_window(self) -> Tally:
        """The sums over the newest window; over no rows if none was finished."""
        return self.curve[max(self.curve)] if self.curve else Tally()

    @property
    def normalized_entropy(self) -> float:
        """Normalized entropy of the newest window."""
        return self.last_window.normalized_entropy


class ClickModel(Protocol):
    """A network that turns dense and sparse features into logits, as `DHEN` does."""

    features: FeatureProcessing

    def __call__(
        self, dense: Float[Tensor, "b n"], sparse: Int[Tensor, "b f"]
    ) -> Float[Tensor, " b"]:
        """Returns the logits."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """Yields all trainable values, those of `features.table` among them."""

    def to(self, device: str) -> Self:
        """Moves the network."""


class Trainer:
    """A model with its optimizers and its record, advanced one batch at a time."""

    def __init__(self, model: ClickModel, config: TrainConfig, *, n_rows: int) -> None:
        """Takes a model for a stream of `n_rows` examples."""
        self.model = model.to(config.device)
        self.record = WindowedTally(
            grid=report_grid(n_rows, config.n_reports),
            window=max(1, round(config.window * config.n_reports)),
        )
        table = model.features.table.weight
        assert isinstance(table, nn.Parameter)
        others = [p for p in model.parameters() if p is not table]
        self._embeddings = RowwiseAdagrad(table, lr=config.embedding_lr)
        self._adam = torch.optim.Adam(others, lr=config.lr, fused=True)
        self.n_missing = 0
        self.diverged = False

    def step(self, batch: Batch) -> list[int]:
        """Predicts a batch, records the predictions, then learns from it.

        Returns:
            The row counts of the grid that this batch completed.
        """
        logits = self.model(batch.dense, batch.sparse)
        loss = nn.functional.binary_cross_entropy_with_logits(logits, batch.labels)
        if not math.isfinite(loss.item()):
            self.diverged = True
            return []
        done = self.record.add(logits, batch.labels)
        self._adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._adam.step()
        self._embeddings.step()
        self.n_missing += self.model.features.norm.observe(batch.dense)
        return done


def report_grid(n_rows: int, n_reports: int) -> tuple[int, ...]:
    """Returns evenly spaced row counts that end with the last row.

    Examples:
        >>> report_grid(10, 4)
        (2, 5, 8, 10)
    """
    return tuple(sorted({round(n_rows * (i + 1) / n_reports) for i in range(n_reports)} - {0}))


def train(
    stream: ClickStream,
    config: DHENConfig | None = None,
    training: TrainConfig | None = None,
    *,
    report: Report | None = None,
) -> TrainResult:
    """Trains a network in one pass over a stream, as it would be online.

    Every example is predicted before it is learned from, so the predictions of the pass are its
    validation. The result depends on the seed alone: the global random state and the number of
    threads are neither used nor changed.

    Args:
        stream: The examples, in time order.
        config: The architecture; by default the default one.
        training: Learning rates, batch size, reports; by default the default ones.
        report: Called at each row count of the grid with the newest window; may stop the pass.

    Returns:
        The curve and what else was measured. A prediction that is not finite ends the pass and
        is marked as `diverged`.

    Raises:
        ValueError: If the stream has no rows, or, read to its end, no positives.
    """
    training = training or TrainConfig()
    model = DHEN(
        config or DHENConfig(),
        field_sizes=stream.field_sizes,
        n_dense=stream.n_dense,
        prior=stream.prior,
        seed=training.seed,
    )
    return train_model(model, stream, training, report=report)


def train_model(
    model: ClickModel,
    stream: ClickStream,
    training: TrainConfig | None = None,
    *,
    report: Report | None = None,
) -> TrainResult:
    """Trains any model in place as `train` does; `training.seed` has no effect."""
    training = training or TrainConfig()
    if stream.n_rows < 1:
        raise ValueError(f"stream must have at least one row, but got {stream.n_rows}.")
    start = time.perf_counter()
    trainer = Trainer(model, training, n_rows=stream.n_rows)
    curve: dict[int, Tally] = {}
    stopped = False
    for batch in stream.batches(training.batch_size):
        done = trainer.step(batch.to(training.device))
        for rows in done:
            curve[rows] = trainer.record.windowed(len(curve))
            stopped |= report is not None and bool(report(rows, curve[rows]))
        if stopped or trainer.diverged:
            break
    lifetime = trainer.record.lifetime
    if lifetime.rows == stream.n_rows and not lifetime.positives:
        raise ValueError(f"stream must hold a positive, but got {lifetime.rows} zeros.")
    if trainer.n_missing:
        warnings.warn(
            f"{trainer.n_missing} dense values were missing; they took the running mean.",
            stacklevel=3,
        )
    return TrainResult(
        curve=curve,
        lifetime=lifetime,
        losses=trainer.record.window_losses,
        n_missing=trainer.n_missing,
        seconds=time.perf_counter() - start,
        stopped=stopped,
        diverged=trainer.diverged,
    )
