"""Fingerprints, by which the examples of two passes over a stream are compared."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

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
        missing: Number of values that are missing of each dense feature.
        first: The first of the other values of each dense feature; 0 if there is none.
        totals: For each feature, the sum of what its values differ from the first, weighted by
            row. Were the values themselves summed, times would hide all changes beside them.
        sizes: The same sums of the absolute differences and a small share of the first.
    """

    ids: int = 0
    labels: int = 0
    missing: tuple[int, ...] = ()
    first: tuple[float, ...] = ()
    totals: tuple[float, ...] = ()
    sizes: tuple[float, ...] = ()

    def and_then(self, batch: Batch, first: int) -> Fingerprint:
        """Return the fingerprint with a batch added, whose first example is row `first`."""
        values = batch.dense.double().cpu().numpy()
        known, nothing = np.isfinite(values), (0,) * values.shape[1]
        missing = np.array(self.missing or nothing)
        here = values[known.argmax(0), np.arange(values.shape[1])]
        here = np.where(known.any(0), here, 0.0)
        begun = np.where(missing < first, np.array(self.first or nothing), here)
        apart = np.where(known, values - begun, 0.0)
        rounded = np.where(known, _TOLERANCE * np.abs(begun), 0.0)
        weights = 1 + np.arange(first, first + len(batch)) % _CYCLE / _CYCLE
        return Fingerprint(
            ids=zlib.crc32(batch.sparse.cpu().contiguous().numpy().data, self.ids),
            labels=zlib.crc32(batch.labels.cpu().contiguous().numpy().data, self.labels),
            missing=tuple((missing + (~known).sum(0)).tolist()),
            first=tuple(begun.tolist()),
            totals=tuple((self.totals or nothing) + weights @ apart),
            sizes=tuple((self.sizes or nothing) + weights @ (np.abs(apart) + rounded)),
        )

    def same(self, other: Fingerprint) -> bool:
        """Return True if the examples are the same up to rounding."""
        exact = (self.ids, self.labels, self.missing) == (other.ids, other.labels, other.missing)
        if not exact or not np.allclose(self.first, other.first, rtol=_TOLERANCE, atol=0):
            return False
        slack = _TOLERANCE * np.maximum(self.sizes, other.sizes)
        pairs = (self.totals, other.totals), (self.sizes, other.sizes)
        return all(bool((np.abs(np.subtract(*pair)) <= slack).all()) for pair in pairs)


class Fingerprinted(ClickStream):
    """A stream that takes fingerprints of what is read from it.

    Attributes:
        fingerprint: Of the newest pass that was read to its end; None before there is one.
        begun: Those of the first rows of the newest pass, by their number, also where it ended
            early.
    """

    def __init__(self, stream: ClickStream, *, at: Iterable[int] = ()) -> None:
        """Read nothing yet.

        Args:
            stream: What is read.
            at: Numbers of first rows of which fingerprints are kept.
        """
        self._stream = stream
        self.n_rows, self.n_dense = stream.n_rows, stream.n_dense
        self.field_sizes, self.prior = stream.field_sizes, stream.prior
        self.fingerprint: Fingerprint | None = None
        self.begun: dict[int, Fingerprint] = {}
        self._at = sorted(at)

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
        self.begun = begun = {}
        for batch in batches:
            first, last = rows, rows + len(batch)
            ends = [end for end in self._at if first < end < last]
            for end in (*ends, last):
                found = found.and_then(batch.rows(rows - first, end - first), rows)
                rows = end
                if rows in self._at:
                    begun[rows] = found
            yield batch
        self.fingerprint = found
