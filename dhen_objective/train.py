"""One pass over a stream with progressive validation: predict, record, then update."""

from __future__ import annotations

import math
import os
import statistics
import tempfile
import time
import warnings
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dhen_objective.adagrad import RowwiseAdagrad
from dhen_objective.checked import check_at_least, checked
from dhen_objective.config import DHENConfig, TrainConfig
from dhen_objective.features import ClickModel
from dhen_objective.metrics import Tally, WindowedTally
from dhen_objective.model import DHEN
from dhen_objective.streams.base import Batch, ClickStream

Report = Callable[[int, Tally], bool | None]
"""Takes the rows seen and the newest window; a true value stops the training."""

_TIMED_STEPS = 1000
_WARMUP = 10


@checked
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


@checked
class Trainer:
    """A model with its optimizers and its record, advanced one batch at a time."""

    def __init__(self, model: ClickModel, config: TrainConfig, *, n_rows: int) -> None:
        """Takes a model for a stream of `n_rows` examples."""
        check_at_least(1, n_rows=n_rows)
        self.model = model.to(config.device)
        self.record = WindowedTally(
            grid=report_grid(n_rows, config.n_reports),
            window=max(1, round(config.window * config.n_reports)),
        )
        table = model.features.table.weight
        assert isinstance(table, nn.Parameter)
        others = [p for p in model.parameters() if p is not table]
        self.embeddings = RowwiseAdagrad(table, lr=config.embedding_lr)
        self.adam = torch.optim.Adam(others, lr=config.lr, fused=True)
        self.n_missing = 0
        self.diverged = False
        self.seconds = 0.0
        self._times: deque[float] = deque(maxlen=_TIMED_STEPS)
        self._kind, self._autocast = torch.device(config.device).type, config.autocast

    def timed_step(self, batch: Batch) -> list[int]:
        """Does a `step` and keeps how long it took, an example."""
        start = time.perf_counter()
        done = self.step(batch)
        self._times.append((time.perf_counter() - start) / len(batch))
        return done

    @property
    def qps(self) -> float:
        """Examples per second in the median of the newest timed steps; NaN without any."""
        steady = list(self._times)[_WARMUP:] or list(self._times)
        return 1 / statistics.median(steady) if steady else math.nan

    def step(self, batch: Batch) -> list[int]:
        """Predicts a batch, records the predictions, then learns from it.

        Returns:
            The row counts of the grid that this batch completed.
        """
        with torch.autocast(self._kind, torch.bfloat16, enabled=self._autocast):
            logits: Tensor = self.model(batch.dense, batch.sparse)
        logits = logits.float()
        loss = nn.functional.binary_cross_entropy_with_logits(logits, batch.labels)
        if not math.isfinite(loss.item()):
            self.diverged = True
            return []
        done = self.record.add(logits, batch.labels)
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()
        self.embeddings.step()
        self.n_missing += self.model.features.norm.observe(batch.dense)
        return done

    @property
    def rows(self) -> int:
        """Number of examples that were learned from."""
        return self.record.lifetime.rows

    def state_dict(self) -> dict[str, Any]:
        """Returns all that the next step depends on."""
        return {
            "model": self.model.state_dict(),
            "adam": self.adam.state_dict(),
            "embeddings": self.embeddings.sums,
            "record": self.record.state_dict(),
            "n_missing": self.n_missing,
            "seconds": self.seconds,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes up what `state_dict` returned, to continue from there."""
        self.model.load_state_dict(state["model"])
        self.adam.load_state_dict(state["adam"])
        self.embeddings.sums.copy_(state["embeddings"])
        self.record.load_state_dict(state["record"])
        self.n_missing = state["n_missing"]
        self.seconds = state["seconds"]


def report_grid(n_rows: int, n_reports: int) -> tuple[int, ...]:
    """Returns evenly spaced row counts that end with the last row.

    Examples:
        >>> report_grid(10, 4)
        (2, 5, 8, 10)
    """
    return tuple(sorted({round(n_rows * (i + 1) / n_reports) for i in range(n_reports)} - {0}))


@checked
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


@checked
def train_model(
    model: ClickModel,
    stream: ClickStream,
    training: TrainConfig | None = None,
    *,
    report: Report | None = None,
    checkpoint: Path | None = None,
) -> TrainResult:
    """Trains any model in place as `train` does; `training.seed` has no effect."""
    training = training or TrainConfig()
    if stream.n_rows < 1:
        raise ValueError(f"stream must have at least one row, but got {stream.n_rows}.")
    trainer = Trainer(model, training, n_rows=stream.n_rows)
    clock = _Clock(trainer)
    stopped = _resume(trainer, checkpoint, training.device, report)
    for batch in () if stopped else stream.batches(training.batch_size, start=trainer.rows):
        done = trainer.timed_step(batch.to(training.device))
        clock.advance()
        stopped = _report(trainer, done, report)
        if stopped or trainer.diverged:
            break
        if done and checkpoint is not None:
            _save(trainer, checkpoint)
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    clock.advance()
    return _result(trainer, stream, stopped=stopped)


class _Clock:
    """Adds the time that passes to a trainer's seconds, which its checkpoints keep."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer, self._last = trainer, time.perf_counter()

    def advance(self) -> None:
        now = time.perf_counter()
        self._trainer.seconds += now - self._last
        self._last = now


def _resume(trainer: Trainer, checkpoint: Path | None, device: str, report: Report | None) -> bool:
    """Takes up a checkpoint if there is one, and reports what lies before it."""
    if checkpoint is None or not checkpoint.exists():
        return False
    trainer.load_state_dict(torch.load(checkpoint, map_location=device, weights_only=True))
    return _report(trainer, list(trainer.record.grid[: len(trainer.record.cells)]), report)


def _report(trainer: Trainer, ends: list[int], report: Report | None) -> bool:
    """Reports the windows that end at these row counts; returns whether to stop."""
    record, stopped = trainer.record, False
    for rows in ends:
        window = record.windowed(record.grid.index(rows))
        stopped = stopped or (report is not None and bool(report(rows, window)))
    return stopped


def _save(trainer: Trainer, path: Path) -> None:
    """Writes the state whole or not at all, so that a kill at any time leaves a good file."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
        torch.save(trainer.state_dict(), file)
    os.replace(file.name, path)


def _result(trainer: Trainer, stream: ClickStream, *, stopped: bool) -> TrainResult:
    record = trainer.record
    lifetime = record.lifetime
    if lifetime.rows == stream.n_rows and not lifetime.positives:
        raise ValueError(f"stream must hold a positive, but got {lifetime.rows} zeros.")
    if trainer.n_missing:
        warnings.warn(
            f"{trainer.n_missing} dense values were missing; they took the running mean.",
            stacklevel=4,
        )
    return TrainResult(
        curve={end: record.windowed(i) for i, end in enumerate(record.grid[: len(record.cells)])},
        lifetime=lifetime,
        losses=record.window_losses,
        n_missing=trainer.n_missing,
        seconds=trainer.seconds,
        qps=trainer.qps,
        stopped=stopped,
        diverged=trainer.diverged,
    )
