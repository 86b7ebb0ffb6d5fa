"""Fingerprints, by which the examples of two passes over a stream are compared."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from dhen_objective.streams.base import Batch, ClickStream

_CYCLE = 1009
"""Rows after which the weights of the sums are the same again."""

_TOLERANCE = 1e-6
"""Relative difference that another processor can make to the numbers of a stream."""


@dataclass(frozen=True)
class Fingerprint:
    """Checksums of the examples of a full pass, in order, independent of the batch size.

    Attributes:
        ids: Checksum of the sparse ids.
        labels: Checksum of the labels.
        missing: Number of dense values that are missing.
        total: Weighted sum of the other dense values; weights differ by row and by column.
        size: The same sum of their absolute values.
    """

    ids: int = 0
    labels: int = 0
    missing: int = 0
    total: float = 0.0
    size: float = 0.0

    def and_then(self, batch: Batch, first: int) -> Fingerprint:
        """Return the fingerprint with a batch added, whose first example is row `first`."""
        known = torch.isfinite(batch.dense)
        values = torch.where(known, batch.dense, 0.0).double().cpu()
        rows = torch.arange(first, first + len(batch), dtype=torch.float64, device="cpu")
        weighted = values * (1 + rows % _CYCLE / _CYCLE).unsqueeze(1)
        columns = torch.arange(1, values.shape[1] + 1, dtype=torch.float64, device="cpu")
        return Fingerprint(
            ids=zlib.crc32(batch.sparse.cpu().contiguous().numpy().data, self.ids),
            labels=zlib.crc32(batch.labels.cpu().contiguous().numpy().data, self.labels),
            missing=self.missing + known.numel() - int(known.sum()),
            total=self.total + float(weighted.sum(0) @ columns),
            size=self.size + float(weighted.abs().sum(0) @ columns),
        )

    def same(self, other: Fingerprint) -> bool:
        """Return True if the examples are the same up to rounding."""
        exact = (self.ids, self.labels, self.missing) == (other.ids, other.labels, other.missing)
        slack = _TOLERANCE * max(self.size, other.size)
        return exact and all(
            math.isclose(one, two, rel_tol=0, abs_tol=slack)
            for one, two in ((self.total, other.total), (self.size, other.size))
        )


class Fingerprinted(ClickStream):
    """A stream that takes the fingerprint of what is read from it.

    Attributes:
        fingerprint: Of the newest pass that was read to its end; None before there is one.
    """

    def __init__(self, stream: ClickStream) -> None:
        """Read nothing yet."""
        self._stream = stream
        self.n_rows, self.n_dense = stream.n_rows, stream.n_dense
        self.field_sizes, self.prior = stream.field_sizes, stream.prior
        self.fingerprint: Fingerprint | None = None

    @property
    def identity(self) -> dict[str, Any]:
        """The identity of the wrapped stream."""
        return self._stream.identity

    def batches(self, batch_size: int, *, start: int = 0) -> Iterator[Batch]:
        """See `ClickStream.batches`; a pass that starts later leaves the fingerprint as it was."""
        batches = self._stream.batches(batch_size, start=start)
        return self._all(batches) if start == 0 else batches

    def _all(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        rows, found = 0, Fingerprint()
        for batch in batches:
            found = found.and_then(batch, rows)
            rows += len(batch)
            yield batch
        self.fingerprint = found
