"""The interface of a stream: labelled examples in time order, read lazily in batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from dhen_objective.checked import check_at_least, checked


@checked
@dataclass(frozen=True, kw_only=True)
class Batch:
    """Consecutive examples of a stream.

    Attributes:
        dense: Dense features; NaN where missing. In float64 where float32 could not tell them
            apart: large values that differ little, such as times.
        sparse: One id for each sparse field.
        labels: 0 or 1.

    Raises:
        ValueError: If a label is neither 0 nor 1, or the parts are not equally long.
    """

    dense: Float[Tensor, "b n"]
    sparse: Int64[Tensor, "b f"]
    labels: Float32[Tensor, " b"]

    def __post_init__(self) -> None:
        lengths = (len(self.dense), len(self.sparse), len(self.labels))
        if len(set(lengths)) > 1:
            raise ValueError(f"dense, sparse and labels must be equally long, but got {lengths}.")
        wrong = (self.labels != 0) & (self.labels != 1)
        if wrong.any():
            raise ValueError(f"labels must be 0 or 1, but got {float(self.labels[wrong][0])}.")

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, first: int, last: int) -> Batch:
        """Return the examples from `first` up to, not including, `last`, without a copy."""
        return Batch(
            dense=self.dense[first:last],
            sparse=self.sparse[first:last],
            labels=self.labels[first:last],
        )

    @staticmethod
    def join(parts: Sequence[Batch]) -> Batch:
        """Return the examples of all parts, one after the other."""
        if len(parts) == 1:
            return parts[0]
        return Batch(
            dense=torch.cat([part.dense for part in parts]),
            sparse=torch.cat([part.sparse for part in parts]),
            labels=torch.cat([part.labels for part in parts]),
        )

    def to(self, device: str | torch.device) -> Batch:
        """Return the batch on a device."""
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

    @property
    def identity(self) -> dict[str, Any]:
        """The source of the examples, as plain JSON values, which checkpoints store.

        By default the class and the shape. A stream of files adds `files`, one mapping for each
        with its `path`, size in `bytes` and time of change in `modified_ns`.
        """
        return {
            "kind": type(self).__name__,
            "rows": int(self.n_rows),
            "fields": [int(size) for size in self.field_sizes],
            "dense": int(self.n_dense),
            "prior": float(self.prior),
        }

    @abstractmethod
    def batches(self, batch_size: int, *, start: int = 0) -> Iterator[Batch]:
        """Yield the examples from row `start` on; only the last batch may be shorter.

        Raises:
            TypeError: If the batch size or `start` is no integer.
            ValueError: If the batch size is not positive, or `start` is negative.
        """


def matching(
    batches: Iterable[Batch], stream: ClickStream, *, seen: int = 0, most: int | None = None
) -> Iterator[Batch]:
    """Yield a stream's batches, and raise an error if they contradict the stream's attributes.

    Otherwise one column would be broadcast to several features, and an id beyond its field would
    be read as one of the next field.

    Args:
        batches: What the stream yields.
        stream: What it says.
        seen: Number of examples before these.
        most: Size of the batches that were asked for; by default any will do.

    Raises:
        ValueError: If a batch has other columns, an id outside its field or more examples than
            were asked for, or there are not `n_rows` examples in all.
    """
    sizes = torch.tensor(stream.field_sizes, dtype=torch.int64, device="cpu")
    for batch in batches:
        _check_widths(batch, stream)
        if most is not None and len(batch) > most:
            raise ValueError(
                f"stream must yield batches of at most batch_size = {most} examples, "
                f"but got {len(batch)}."
            )
        outside = (batch.sparse < 0) | (batch.sparse >= sizes.to(batch.sparse.device))
        if outside.any():
            row, field = outside.nonzero()[0].tolist()
            raise ValueError(
                f"sparse must be in [0, {sizes[field]}) in field {field}, but got "
                f"{batch.sparse[row, field]} in row {seen + row}."
            )
        seen += len(batch)
        if not len(batch):
            continue  # nothing to learn from, and no mean over it
        if seen > stream.n_rows:
            break
        yield batch
    if seen != stream.n_rows:
        more = " or more" if seen > stream.n_rows else ""
        raise ValueError(
            f"stream must yield its n_rows = {stream.n_rows} examples, but got {seen}{more}."
        )


def _check_widths(batch: Batch, stream: ClickStream) -> None:
    widths = batch.dense.shape[1], batch.sparse.shape[1]
    expected = stream.n_dense, len(stream.field_sizes)
    if widths != expected:
        raise ValueError(
            f"stream must yield n_dense = {expected[0]} dense and {expected[1]} sparse features, "
            f"as many as field_sizes, but got {widths[0]} and {widths[1]}."
        )


def check_batches(batch_size: object, start: object) -> None:
    """Refuse a batch size below 1, a negative first row, and what is no whole number."""
    for name, value, least in (("batch_size", batch_size, 1), ("start", start, 0)):
        if not isinstance(value, int | np.integer) or isinstance(value, bool):
            kind = type(value).__name__
            raise TypeError(f"{name} must be int, but got {value!r} ({kind}).")
        check_at_least(least, **{name: int(value)})


def regroup(parts: Iterable[Batch], batch_size: int, *, start: int = 0) -> Iterator[Batch]:
    """Yield the examples of parts of any size in batches of one size, from row `start` on."""
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
