"""What a stream is: labelled examples in time order, read lazily in batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from dhen_objective.checked import check_at_least, check_between, checked


@checked
@dataclass(frozen=True, kw_only=True)
class Batch:
    """Consecutive examples of a stream.

    Attributes:
        dense: Dense features; NaN where missing.
        sparse: One id for each sparse field.
        labels: 0 or 1.

    Raises:
        ValueError: If a label is neither 0 nor 1.
    """

    dense: Float32[Tensor, "b n"]
    sparse: Int64[Tensor, "b f"]
    labels: Float32[Tensor, " b"]

    def __post_init__(self) -> None:
        wrong = (self.labels != 0) & (self.labels != 1)
        if wrong.any():
            raise ValueError(f"labels must be 0 or 1, but got {float(self.labels[wrong][0])}.")

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, first: int, last: int) -> Batch:
        """Returns the examples from `first` up to `last`, without a copy."""
        return Batch(
            dense=self.dense[first:last],
            sparse=self.sparse[first:last],
            labels=self.labels[first:last],
        )

    @staticmethod
    def join(parts: Sequence[Batch]) -> Batch:
        """Returns the examples of all parts, one after the other."""
        if len(parts) == 1:
            return parts[0]
        return Batch(
            dense=torch.cat([part.dense for part in parts]),
            sparse=torch.cat([part.sparse for part in parts]),
            labels=torch.cat([part.labels for part in parts]),
        )

    def to(self, device: str) -> Batch:
        """Returns the batch on a device."""
        if device == "cpu":
            return self
        return Batch(
            dense=self.dense.to(device, non_blocking=True),
            sparse=self.sparse.to(device, non_blocking=True),
            labels=self.labels.to(device, non_blocking=True),
        )


class ClickStream(ABC):
    """Labelled examples in time order, read in batches of any size from any row.

    Attributes:
        n_rows: Number of examples.
        field_sizes: Number of ids of each sparse field, after hashing.
        n_dense: Number of dense features.
        prior: Rough share of positives, as known before the first example; a model's output
            starts around it.
    """

    n_rows: int
    field_sizes: tuple[int, ...]
    n_dense: int
    prior: float

    @abstractmethod
    def batches(self, batch_size: int, *, start: int = 0) -> Iterator[Batch]:
        """Yields the examples from row `start` on; only the last batch may be shorter."""


@checked
class ArrayStream(ClickStream):
    """A stream over arrays in memory, in the order of their rows.

    Examples:
        >>> stream = ArrayStream(
        ...     dense=np.zeros((4, 0), np.float32),
        ...     sparse=np.array([[0], [1], [1], [0]]),
        ...     labels=np.array([0, 1, 1, 0]),
        ...     field_sizes=(2,),
        ...     prior=0.5,
        ... )
        >>> [len(batch) for batch in stream.batches(3)]
        [3, 1]
    """

    def __init__(
        self,
        *,
        dense: Float[np.ndarray, "n d"],
        sparse: np.ndarray,
        labels: np.ndarray,
        field_sizes: tuple[int, ...],
        prior: float,
    ) -> None:
        """Takes the arrays without copying them where their types fit.

        Args:
            dense: Dense features; NaN where missing.
            sparse: Ids, one column for each field.
            labels: 0 or 1.
            field_sizes: Number of ids of each field.
            prior: Rough share of positives, as known before the first example.

        Raises:
            ValueError: If there are no rows, no positives, other labels than 0 and 1, ids
                outside their field, or arrays of unequal length.
        """
        for size in field_sizes:
            check_at_least(1, field_sizes=size)
        check_between(0, 1, prior=prior)
        if len(labels) == 0:
            raise ValueError("labels must hold at least one row, but got 0.")
        if not len(dense) == len(sparse) == len(labels):
            lengths = (len(dense), len(sparse), len(labels))
            raise ValueError(f"dense, sparse and labels must be equally long, but got {lengths}.")
        wrong = (labels != 0) & (labels != 1)
        if wrong.any():
            raise ValueError(f"labels must be 0 or 1, but got {labels[wrong][0]}.")
        if not labels.any():
            raise ValueError(f"labels must hold a positive, but got {len(labels)} zeros.")
        outside = (sparse < 0) | (sparse >= np.array(field_sizes, dtype=np.int64))
        if outside.any():
            row, field = np.argwhere(outside)[0]
            raise ValueError(
                f"sparse must be in [0, {field_sizes[field]}) in field {field}, "
                f"but got {sparse[row, field]}."
            )
        self.n_rows = len(labels)
        self.field_sizes = tuple(field_sizes)
        self.n_dense = dense.shape[1]
        self.prior = prior
        self._dense = torch.as_tensor(dense, dtype=torch.float32)
        self._sparse = torch.as_tensor(sparse)
        self._labels = torch.as_tensor(labels, dtype=torch.float32)

    def batches(self, batch_size: int, *, start: int = 0) -> Iterator[Batch]:
        """Yields the examples from row `start` on; only the last batch may be shorter."""
        for first in range(start, self.n_rows, batch_size):
            rows = slice(first, first + batch_size)
            yield Batch(
                dense=self._dense[rows],
                sparse=self._sparse[rows].long(),
                labels=self._labels[rows],
            )


def regroup(parts: Iterable[Batch], batch_size: int, *, start: int = 0) -> Iterator[Batch]:
    """Yields the examples of parts of any size in batches of one size, from row `start` on."""
    kept: list[Batch] = []
    for part in parts:
        skipped = min(start, len(part))
        start -= skipped
        kept.append(part.rows(skipped, len(part)))
        while sum(map(len, kept)) >= batch_size:
            joined = Batch.join(kept)
            whole = len(joined) - len(joined) % batch_size
            for first in range(0, whole, batch_size):
                yield joined.rows(first, first + batch_size)
            kept = [joined.rows(whole, len(joined))]
    rest = Batch.join(kept) if kept else None
    if rest is not None and len(rest):
        yield rest
