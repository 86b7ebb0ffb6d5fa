"""One pass over a stream with progressive validation: predict, record, then update."""

from __future__ import annotations

import os
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from dhen_objective.config import DHENConfig, TrainConfig
from dhen_objective.features import ClickModel
from dhen_objective.metrics import Tally
from dhen_objective.model import DHEN
from dhen_objective.streams.base import ClickStream
from dhen_objective.trainer import Learner, Trainer

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
        seconds: Wall time of the pass; of a continued pass, all its parts together.
        qps: Examples per second of a training step, reading excluded: the batch size over the
            median time of the last 1,000 steps, of which the first 10 of a process are left
            out where there are more. NaN if there was none.
        stopped: Whether `report` asked to stop.
        diverged: Whether the training stopped because a prediction was not finite.
    """

    curve: dict[int, Tally]
    lifetime: Tally
    losses: Float[Tensor, " n"]
    n_missing: int
    seconds: float
    qps: float
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


def train(
    stream: ClickStream,
    config: DHENConfig | None = None,
    training: TrainConfig | None = None,
    *,
    report: Report | None = None,
    checkpoint: Path | None = None,
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
        checkpoint: File that holds the state at the last row count of the grid. If it is there,
            the pass continues from it, with the same curve as if it had never stopped; `report`
            is called again for what lies before. It is removed when the pass ends.

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
    return train_model(model, stream, training, report=report, checkpoint=checkpoint)


def train_model(
    model: ClickModel,
    stream: ClickStream,
    training: TrainConfig | None = None,
    *,
    report: Report | None = None,
    checkpoint: Path | None = None,
) -> TrainResult:
    """Trains any model in place as `train` does; `training.seed` has no effect.

    By default with the learning rates of its own, `model.own_training()`.
    """
    training = training or model.own_training()
    trainer = Trainer(model, training, n_rows=check_rows(stream))
    return learn(trainer, stream, training, report=report, checkpoint=checkpoint)


def check_rows(stream: ClickStream) -> int:
    """Returns the number of rows of a stream.

    Raises:
        ValueError: If it has none.
    """
    if stream.n_rows < 1:
        raise ValueError(f"stream must have at least one row, but got {stream.n_rows}.")
    return stream.n_rows


def learn(
    learner: Learner,
    stream: ClickStream,
    training: TrainConfig,
    *,
    report: Report | None = None,
    checkpoint: Path | None = None,
) -> TrainResult:
    """Takes a learner over a stream in one pass; see `train`."""
    clock = _Clock(learner)
    stopped = _resume(learner, checkpoint, training.device, report)
    for batch in () if stopped else stream.batches(training.batch_size, start=learner.rows):
        done = learner.timed_step(batch.to(training.device))
        clock.advance()
        stopped = _report(learner, done, report)
        if stopped or learner.diverged:
            break
        if done and checkpoint is not None and isinstance(learner, Trainer):
            _save(learner, checkpoint)
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    clock.advance()
    return _result(learner, stream, stopped=stopped)


class _Clock:
    """Adds the time that passes to a learner's seconds, which its checkpoints keep."""

    def __init__(self, learner: Learner) -> None:
        self._learner, self._last = learner, time.perf_counter()

    def advance(self) -> None:
        now = time.perf_counter()
        self._learner.seconds += now - self._last
        self._last = now


def _resume(learner: Learner, checkpoint: Path | None, device: str, report: Report | None) -> bool:
    """Takes up a checkpoint if there is one, and reports what lies before it."""
    if checkpoint is None or not checkpoint.exists() or not isinstance(learner, Trainer):
        return False
    learner.load_state_dict(torch.load(checkpoint, map_location=device, weights_only=True))
    return _report(learner, list(learner.record.grid[: len(learner.record.cells)]), report)


def _report(learner: Learner, ends: list[int], report: Report | None) -> bool:
    """Reports the windows that end at these row counts; returns whether to stop."""
    record, stopped = learner.record, False
    for rows in ends:
        window = record.windowed(record.grid.index(rows))
        stopped = stopped or (report is not None and bool(report(rows, window)))
    return stopped


def _save(learner: Trainer, path: Path) -> None:
    """Writes the state whole or not at all, so that a kill at any time leaves a good file."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
        torch.save(learner.state_dict(), file)
    os.replace(file.name, path)


def _result(learner: Learner, stream: ClickStream, *, stopped: bool) -> TrainResult:
    record = learner.record
    lifetime = record.lifetime
    if lifetime.rows == stream.n_rows and not lifetime.positives:
        raise ValueError(f"stream must hold a positive, but got {lifetime.rows} zeros.")
    if learner.n_missing:
        warnings.warn(
            f"{learner.n_missing} dense values were missing; they took the running mean.",
            stacklevel=4,
        )
    return TrainResult(
        curve={end: record.windowed(i) for i, end in enumerate(record.grid[: len(record.cells)])},
        lifetime=lifetime,
        losses=record.window_losses,
        n_missing=learner.n_missing,
        seconds=learner.seconds,
        qps=learner.qps,
        stopped=stopped,
        diverged=learner.diverged,
    )
