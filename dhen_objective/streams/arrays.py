"""Examples from arrays in memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from dhen_objective.checked import checked
from dhen_objective.ranges import check_prior
from dhen_objective.streams.base import Batch, ClickStream, check_batches
from dhen_objective.streams.columns import LARGEST
from dhen_objective.streams.leaks import warn_of_sorted

_CHECKED_ROWS = 1 << 16  # at once, so that the checks need little memory
_SAMPLED_ROWS = 1000


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
        dense: ArrayLike,
        sparse: ArrayLike,
        labels: ArrayLike,
        field_sizes: tuple[int, ...],
        prior: float,
    ) -> None:
        """Take the arrays without copying them; they must not change afterwards.

        Arrays of any order of bytes and any strides will do, also those of `np.load` with
        `mmap_mode`, which are read as they are asked for.

        Args:
            dense: Numbers of shape (n, number of features); NaN where missing. Read in float64
                unless float32 holds all numbers of their type.
            sparse: Integers of shape (n, number of fields): the ids.
            labels: 0 or 1, of shape (n,).
            field_sizes: Number of ids of each field.
            prior: Rough share of positives, as known before the first example.

        Raises:
            TypeError: If an array holds values of another kind.
            ValueError: If there are no rows, labels other than 0 and 1 or all the same, ids
                outside their field, numbers that float32 cannot hold, values that are masked,
                or arrays of another shape; or if two are of pandas and have other indices.
        """
        _check_indices(dense=dense, sparse=sparse, labels=labels)
        self._labels = _array("labels", labels, axes=1, kinds="biuf", holds="0 and 1")
        self._sparse = _array("sparse", sparse, axes=2, kinds="biu", holds="integers")
        self._dense = _array("dense", dense, axes=2, kinds="biuf", holds="real numbers")
        fits = np.can_cast(self._dense.dtype, np.float32)
        self._precision = np.float32 if fits else np.float64
        self.field_sizes = tuple(field_sizes)
        self.n_rows = len(self._labels)
        self.n_dense = self._dense.shape[1]
        self.prior = prior
        self._check_shapes()
        for first in range(0, self.n_rows, _CHECKED_ROWS):
            self._check_values(first)
        for value in (0, 1):
            if (self._labels == value).all():
                other = "positive" if value == 0 else "negative"
                raise ValueError(
                    f"labels must hold a {other}, but got {self.n_rows} "
                    f"{'zeros' if value == 0 else 'ones'}."
                )
        warn_of_sorted(self._labels)

    @property
    def identity(self) -> dict[str, Any]:
        """The class, the shape, and a checksum of evenly spaced rows, which reveals changes."""
        rows = np.unique(np.linspace(0, self.n_rows - 1, _SAMPLED_ROWS).astype(np.int64))
        checksum = 0
        for array in (self._dense, self._sparse, self._labels):
            checksum = zlib.crc32(np.ascontiguousarray(array[rows]).tobytes(), checksum)
        return {**super().identity, "checksum": checksum}

    def _check_shapes(self) -> None:
        check_prior(self.prior)
        if self.n_rows == 0:
            raise ValueError("labels must hold at least one row, but got 0.")
        lengths = (len(self._dense), len(self._sparse), len(self._labels))
        if len(set(lengths)) > 1:
            raise ValueError(f"dense, sparse and labels must be equally long, but got {lengths}.")
        if self._sparse.shape[1] != len(self.field_sizes):
            raise ValueError(
                f"sparse must have a column for each of the {len(self.field_sizes)} field_sizes, "
                f"but got the shape {self._sparse.shape}."
            )
        if any(size < 1 for size in self.field_sizes):
            raise ValueError(f"field_sizes must be positive, but got {self.field_sizes}.")
        if not self.field_sizes and not self.n_dense:
            raise ValueError("dense or sparse must have a column, but got none.")

    def _check_values(self, first: int) -> None:
        """Raise an error if a value in the next rows is out of range."""
        rows = slice(first, first + _CHECKED_ROWS)
        labels, sparse, dense = self._labels[rows], self._sparse[rows], self._dense[rows]
        wrong = (labels != 0) & (labels != 1)
        if wrong.any():
            raise ValueError(f"labels must be 0 or 1, but got {labels[wrong][0]}.")
        outside = (sparse < 0) | (sparse >= np.array(self.field_sizes, dtype=np.int64))
        if outside.any():
            row, field = np.argwhere(outside)[0]
            raise ValueError(
                f"sparse must be in [0, {self.field_sizes[field]}) in field {field}, "
                f"but got {sparse[row, field]} in row {first + row}."
            )
        large = np.abs(dense.astype(np.float64)) > LARGEST
        if large.any():
            row, column = np.argwhere(large)[0]
            raise ValueError(
                f"dense must hold finite numbers of float32, or NaN, in column {column}, "
                f"but got {dense[row, column]} in row {first + row}."
            )

    def batches(self, batch_size: int, *, start: int = 0) -> Iterator[Batch]:
        """See `ClickStream.batches`."""
        check_batches(batch_size, start)
        return self._from_row(start, batch_size)

    def _from_row(self, start: int, batch_size: int) -> Iterator[Batch]:
        for first in range(start, self.n_rows, batch_size):
            rows = slice(first, first + batch_size)
            # copies, as torch takes neither all strides and types nor arrays that are read-only
            yield Batch(
                dense=torch.from_numpy(np.array(self._dense[rows], self._precision, order="C")),
                sparse=torch.from_numpy(np.array(self._sparse[rows], np.int64, order="C")),
                labels=torch.from_numpy(np.array(self._labels[rows], np.float32)),
            )


def _check_indices(**values: Any) -> None:
    """Refuse pandas objects whose indices differ: rows are paired by position."""
    known = [(name, value.index) for name, value in values.items() if hasattr(value, "iloc")]
    for name, index in known[1:]:
        first, expected = known[0]
        if len(index) == len(expected) and not index.equals(expected):
            raise ValueError(
                f"{name} must have the index of {first}, as rows are paired by their places, but "
                "got another one; give both in the same order, or as arrays."
            )


def _array(name: str, values: ArrayLike, *, axes: int, kinds: str, holds: str) -> np.ndarray:
    """Return values as an array, without a copy if they are one.

    Args:
        name: Of the argument.
        values: What was given.
        axes: How many the array must have.
        kinds: Those of its dtype, by NumPy's letters.
        holds: The same in words.
    """
    if isinstance(values, np.ma.MaskedArray):
        if np.ma.is_masked(values):
            count = int(np.ma.getmaskarray(values).sum())
            raise ValueError(f"{name} must not be masked, but {count} values are.")
        values = values.data
    if _holds_masked(values):
        raise ValueError(f"{name} must not be masked, but holds arrays of which values are.")
    array = np.asarray(values)
    if array.dtype.kind not in kinds:
        raise TypeError(f"{name} must hold {holds}, but got the dtype {array.dtype}.")
    if array.ndim != axes:
        raise ValueError(f"{name} must have {axes} axes, but got the shape {array.shape}.")
    return array


def _holds_masked(values: object) -> bool:
    """Return True if a list, or one within it, holds masked values, which NumPy would unmask."""
    if isinstance(values, list | tuple):
        return any(_holds_masked(value) for value in values)
    return isinstance(values, np.ma.MaskedArray) and bool(np.ma.is_masked(values))
