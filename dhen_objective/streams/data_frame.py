"""Rows of a pandas DataFrame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from dhen_objective.streams.part import Part, Source, arrow

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_ROWS = 32_768


@runtime_checkable
class DataFrame(Protocol):
    """What a pandas DataFrame has; named here as pandas need not be installed."""

    columns: Any
    iloc: Any

    def __len__(self) -> int:
        """Returns the number of rows."""

    def __getitem__(self, name: Any, /) -> Any:
        """Returns a column."""


class Frame(Source):
    """A pandas DataFrame, converted to Arrow a part at a time; its index is not read."""

    name = "DataFrame"

    def __init__(self, frame: DataFrame) -> None:
        """Keeps the frame, without a copy."""
        self._frame = frame

    def names(self) -> list[str]:
        """Returns the names of the columns."""
        return [name if isinstance(name, str) else repr(name) for name in self._frame.columns]

    def types(self) -> dict[str, pa.DataType]:
        """Returns Arrow's types of all columns but those of objects, which may differ."""
        first = self._frame.iloc[:1]
        once = [name for name in first.columns if list(first.columns).count(name) == 1]
        typed = [name for name in once if first[name].dtype != object]
        return {str(name): to_array(first[name]).type for name in typed}

    def parts(self, columns: Sequence[str]) -> Iterator[Part]:
        """Yields the rows, counted from 1."""
        pa = arrow()
        for first in range(0, len(self._frame), _ROWS):
            rows = self._frame.iloc[first : first + _ROWS]
            arrays = [to_array(rows[column]) for column in columns]
            yield Part(
                source=self.name,
                lines=np.arange(first + 1, first + 1 + len(rows)),
                rows=pa.RecordBatch.from_arrays(arrays, names=list(columns)),
            )


def to_array(values: pd.Series) -> pa.Array:
    """Returns Arrow's array; objects of several types become text, as in a CSV file."""
    pa = arrow()
    try:
        array = pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        missing = values.isna()
        text = [
            None if gone else _text(value) for value, gone in zip(values, missing, strict=True)
        ]
        array = pa.array(text, pa.binary())
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _text(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
