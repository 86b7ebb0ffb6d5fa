"""Learners that advance through a stream one batch at a time, and record their predictions."""

from __future__ import annotations

import math
import statistics
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from dhen_objective.adagrad import RowwiseAdagrad
from dhen_objective.checked import check_at_least, checked
from dhen_objective.config import TrainConfig
from dhen_objective.features import ClickModel
from dhen_objective.ranges import check_device
from dhen_objective.streams.base import Batch
from dhen_objective.wide import LinearPathLearner
from dhen_objective.windows import WindowedTally

_TIMED_STEPS = 1000
"""Newest steps whose median time is the speed."""

_WARMUP = 10
"""First steps of a process that the speed leaves out, where there are more."""


@contextmanager
def with_gradients() -> Iterator[None]:
    """Turn gradients on and autocast off, whatever the caller has set."""
    with (
        torch.inference_mode(mode=False),
        torch.enable_grad(),
        torch.autocast("cpu", enabled=False),
        torch.autocast("cuda", enabled=False),
    ):
        yield


class Learner(ABC):
    """A model that predicts a batch, records the predictions, then learns from it.

    Args:
        config: Reports and their windows.
        n_rows: Number of examples of the stream.

    Attributes:
        record: The sums of its predictions.
        n_missing: Dense values that were missing so far.
        seconds: Wall time of the pass so far.
        diverged: Whether a prediction was not finite.
    """

    def __init__(self, config: TrainConfig, *, n_rows: int) -> None:
        grid = report_grid(n_rows, config.n_reports)  # shorter where there are fewer rows
        self.record = WindowedTally(grid=grid, window=max(1, round(config.window * len(grid))))
        self.n_missing = 0
        self.seconds = 0.0
        self.diverged = False
        self._times: deque[float] = deque(maxlen=_TIMED_STEPS)

    @abstractmethod
    def step(self, batch: Batch) -> list[int]:
        """Predict a batch, record the predictions, then learn from it.

        Returns:
            The row counts of the grid that this batch completed.
        """

    def timed_step(self, batch: Batch) -> list[int]:
        """Do a `step` and keep how long it took, per example."""
        start = time.perf_counter()
        done = self.step(batch)
        self._times.append((time.perf_counter() - start) / len(batch))
        return done

    @property
    def qps(self) -> float:
        """Return examples per second in the median of the newest timed steps; NaN without any."""
        steady = list(self._times)[_WARMUP:] or list(self._times)
        return 1 / statistics.median(steady) if steady else math.nan

    @property
    def rows(self) -> int:
        """Return the number of examples that were learned from."""
        return self.record.lifetime.rows


@checked
class Trainer(Learner):
    """A model with its optimizers and its record, advanced one batch at a time."""

    def __init__(self, model: ClickModel, config: TrainConfig, *, n_rows: int) -> None:
        super().__init__(config, n_rows=n_rows)
        check_device(config.device)
        self.model = model.to(config.device)
        table = model.features.table.weight
        assert isinstance(table, nn.Parameter)
        left_alone = {table, *(model.wide.parameters() if model.wide is not None else ())}
        others = [p for p in model.parameters() if p not in left_alone]
        self.embeddings = RowwiseAdagrad(
            table, lr=config.embedding_lr, start=config.embedding_start
        )
        self.wide = (
            None if model.wide is None else LinearPathLearner(model.wide, lr=config.wide_lr)
        )
        self.adam = torch.optim.Adam(others, lr=config.lr, fused=True)
        self._kind, self._autocast = torch.device(config.device).type, config.autocast

    def step(self, batch: Batch) -> list[int]:
        """Do a `Learner.step`; a batch whose loss is not finite is left out."""
        # Without a cache: one outlives the step, with old weights, if a user's autocast context
        # lies around the training.
        with torch.autocast(
            self._kind, torch.bfloat16, enabled=self._autocast, cache_enabled=False
        ):
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
        self.embeddings.step(len(batch))
        if self.wide is not None:
            features = self.model.features
            dense, rows = features.norm(batch.dense), features.rows(batch.sparse)
            self.wide.step(dense, rows, batch.labels, logits)
        self.n_missing += self.model.features.norm.observe(batch.dense)
        return done

    def state_dict(self) -> dict[str, Any]:
        """Return all that the next step depends on."""
        return {
            "model": self.model.state_dict(),
            "adam": self.adam.state_dict(),
            "embeddings": self.embeddings.sums,
            "wide": {} if self.wide is None else self.wide.state_dict(),
            "record": self.record.state_dict(),
            "n_missing": self.n_missing,
            "seconds": self.seconds,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.model.load_state_dict(state["model"])
        self.adam.load_state_dict(state["adam"])
        self.embeddings.sums.copy_(state["embeddings"])
        if self.wide is not None:
            self.wide.load_state_dict(state["wide"])
        self.record.load_state_dict(state["record"])
        self.n_missing = state["n_missing"]
        self.seconds = state["seconds"]


def report_grid(n_rows: int, n_reports: int) -> tuple[int, ...]:
    """Return evenly spaced row counts that end with the last row.

    Examples:
        >>> report_grid(10, 4)
        (2, 5, 8, 10)
    """
    check_at_least(1, n_rows=n_rows, n_reports=n_reports)
    return tuple(sorted({round(n_rows * (i + 1) / n_reports) for i in range(n_reports)} - {0}))
