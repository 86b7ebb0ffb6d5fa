"""One pass over a stream with progressive validation: predict, record, then update."""

from __future__ import annotations

import math
import operator
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from dhen_objective.checked import checked
from dhen_objective.checkpoints import Checkpoint
from dhen_objective.config import DHENConfig, TrainConfig
from dhen_objective.features import ClickModel
from dhen_objective.metrics import Tally
from dhen_objective.model import DHEN
from dhen_objective.ranges import check_prior
from dhen_objective.streams.base import ClickStream, matching
from dhen_objective.trainer import Learner, Trainer, with_gradients

Report = Callable[[int, Tally], bool | None]
"""A function of the rows seen and the newest window; a true value stops the training."""


@checked
@dataclass(frozen=True, kw_only=True)
class TrainResult:
    """The result of one pass over a stream.

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
        """Return the number of examples seen."""
        return self.lifetime.rows

    @property
    def last_window(self) -> Tally:
        """Return the sums over the newest window; over no rows if none was finished."""
        return self.curve[max(self.curve)] if self.curve else Tally()

    @property
    def normalized_entropy(self) -> float:
        """Return the normalized entropy of the newest window."""
        return self.last_window.normalized_entropy

    @checked
    def is_lost(self, prior: float) -> bool:
        """Return whether the pass diverged, also where its predictions stayed finite.

        Args:
            prior: Share of positives that one would predict without a model.

        Returns:
            True if a prediction was not finite, or if the newest window's log loss is more than
            twice that of the prior and a tenth of a nat: a model that learns less than nothing
            stays far below that.
        """
        check_prior(prior)
        window = self.last_window
        negatives = window.rows - window.positives
        known = -window.positives * math.log(prior) - negatives * math.log1p(-prior)
        return self.diverged or window.loss > 2 * known + 0.1 * window.rows


@checked
@with_gradients()
def train(
    stream: ClickStream,
    config: DHENConfig | None = None,
    training: TrainConfig | None = None,
    *,
    report: Report | None = None,
    checkpoint: Path | None = None,
) -> TrainResult:
    """Train a network in one pass over a stream, as it would be online.

    Every example is predicted before it is learned from, so the predictions of the pass are its
    validation. All randomness comes from the seed: the global random state is neither used nor
    moved. Weights are float32, and gradients are on, whatever torch is set to outside. The number
    of threads is left as it is; since sums are rounded in another order, curves of other numbers
    of threads, processors or versions of torch differ in their last digits.

    Args:
        stream: The examples, in time order.
        config: The architecture; by default the default one.
        training: Learning rates, batch size, reports; by default the default ones.
        report: Called at each row count of the grid with the newest window; may stop the pass.
        checkpoint: File that holds the state at the last row count of the grid. If it is there,
            the pass continues from it, with the same curve as if it had never stopped; `report`
            is called again for what lies before. It is removed when the pass ends. If the file is
            damaged, of another training, or of other rows than the stream has now, a warning says
            so and the file is replaced.

    Returns:
        The curve and what else was measured. A prediction that is not finite ends the pass and
        is marked as `diverged`.

    Raises:
        ValueError: If the stream has no rows, yields other numbers of rows or features than it
            says, or an id outside its field, or, read to its end, has only labels of one kind; if
            the folder of `checkpoint` is not there.
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
@with_gradients()
def train_model(
    model: ClickModel,
    stream: ClickStream,
    training: TrainConfig | None = None,
    *,
    report: Report | None = None,
    checkpoint: Path | None = None,
) -> TrainResult:
    """Train any model in place as `train` does; `training.seed` has no effect.

    By default the training is `model.own_training()`, with the model's own learning rates. Only a
    model with the same initial weights continues a checkpoint: build it with the same seed.

    Raises:
        ValueError: See `train`; also if the model was built for other fields than the stream's.
    """
    training = training or model.own_training()
    _check_fits(model, stream)
    trainer = Trainer(model, training, n_rows=check_rows(stream))
    saved = None if checkpoint is None else Checkpoint(checkpoint, trainer, stream, training)
    return learn(trainer, stream, training, report=report, saved=saved)


def _check_fits(model: ClickModel, stream: ClickStream) -> None:
    """Refuse a model for fewer ids: an id beyond its field would be read as one of the next."""
    ours, given = model.features.field_sizes, tuple(stream.field_sizes)
    if len(ours) != len(given) or any(map(operator.lt, ours, given)):
        raise ValueError(f"model must have the stream's field_sizes {given}, but got {ours}.")


def check_rows(stream: ClickStream) -> int:
    """Return the number of rows of a stream.

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
    saved: Checkpoint | None = None,
) -> TrainResult:
    """Train a learner on a stream in one pass; see `train`."""
    start = time.perf_counter()
    batches = stream.batches(training.batch_size) if saved is None else saved.resume()
    start -= learner.seconds  # of a state that was taken up, whose reports are repeated
    stopped = _report(learner, learner.record.grid[: len(learner.record.cells)], report)
    left = matching(batches, stream, seen=learner.rows, most=training.batch_size)
    for batch in () if stopped else left:
        done = learner.timed_step(batch.to(training.device))
        learner.seconds = time.perf_counter() - start
        stopped = _report(learner, done, report)
        if stopped or learner.diverged:
            break
        if done and saved is not None:
            saved.save()
    if saved is not None:
        saved.remove()
    learner.seconds = time.perf_counter() - start
    return _result(learner, stream, stopped=stopped)


def _report(learner: Learner, ends: Sequence[int], report: Report | None) -> bool:
    """Report the windows that end at these row counts and return whether to stop."""
    record, stopped = learner.record, False
    for rows in ends:
        window = record.windowed(record.grid.index(rows))
        stopped = stopped or (report is not None and bool(report(rows, window)))
    return stopped


def _result(learner: Learner, stream: ClickStream, *, stopped: bool) -> TrainResult:
    record = learner.record
    lifetime = record.lifetime
    if lifetime.rows == stream.n_rows and lifetime.positives in (0, lifetime.rows):
        absent, only = ("positive", "zeros") if not lifetime.positives else ("negative", "ones")
        raise ValueError(f"stream must hold a {absent}, but got {lifetime.rows} {only}.")
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
