"""Rows of a pandas DataFrame."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from dhen_objective.streams.part import Part, Source, arrow

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_ROWS = 32_768


@runtime_checkable
class DataFrame(Protocol):
    """The interface of a pandas DataFrame; pandas itself need not be installed."""

    columns: Any
    iloc: Any

    def __len__(self) -> int:
        """Return the number of rows."""

    def __getitem__(self, name: Any, /) -> Any:
        """Return a column."""


class Frame(Source):
    """A pandas DataFrame, converted to Arrow a part at a time; its index is not read."""

    name = "DataFrame"

    def __init__(self, frame: DataFrame) -> None:
        """Keep the frame, without a copy."""
        self._frame = frame

    def keep(self, columns: Sequence[str]) -> None:
        """Copy these columns, so that later changes of the frame have no effect."""
        self._frame = self._frame[list(columns)].copy()  # arrays below a frame may be others'

    def names(self) -> list[str]:
        """Return the names of the columns; describe those that are not text."""
        return [
            name if isinstance(name, str) else f"{name!r} (a name that is {type(name).__name__})"
            for name in self._frame.columns
        ]

    def types(self) -> dict[str, pa.DataType]:
        """Return Arrow's types of the columns; of objects none, as it depends on the rows."""
        first = self._frame.iloc[:1]
        once = [name for name in first.columns if list(first.columns).count(name) == 1]
        typed = [name for name in once if first[name].dtype != object]
        return {name: self._column(first[name]).type for name in typed if isinstance(name, str)}

    def first(self, columns: Sequence[str]) -> pa.RecordBatch | None:
        """Return the first rows."""
        return next((part.rows for part in self.parts(columns)), None)

    def parts(self, columns: Sequence[str]) -> Iterator[Part]:
        """Yield the rows, counted from 1."""
        pa = arrow()
        for first in range(0, len(self._frame), _ROWS):
            rows = self._frame.iloc[first : first + _ROWS]
            arrays = [self._column(rows[column]) for column in columns]
            yield Part(
                source=self.name,
                lines=np.arange(first + 1, first + 1 + len(rows)),
                rows=pa.RecordBatch.from_arrays(arrays, names=list(columns)),
            )

    def _column(self, values: pd.Series) -> pa.Array:
        try:
            return to_array(values)
        except UnicodeEncodeError as error:
            raise ValueError(
                f"{self.name}: {values.name!r} must be text that UTF-8 can hold, but got half of "
                f"a pair of surrogates in {error.object!r}."
            ) from error
        except arrow().ArrowNotImplementedError as error:  # complex and long double
            raise ValueError(
                f"{self.name}: {values.name!r} must be text, numbers of at most 64 bits, truth "
                f"values or times, but got the dtype {values.dtype}."
            ) from error


def to_array(values: pd.Series) -> pa.Array:
    """Return Arrow's array; objects of several types become text, as in a CSV file.

    Where types are mixed, Arrow would turn times into dates and truth values into numbers.

    Raises:
        UnicodeEncodeError: If text has half of a pair of surrogates.
    """
    pa = arrow()
    if str(values.dtype) == "category":
        return _categorical(values)
    if values.dtype == object:
        return _objects(values)
    if hasattr(values.dtype, "fill_value"):  # of pandas' sparse columns
        sparse: Any = values.sparse
        return to_array(sparse.to_dense())
    if isinstance(values.dtype, np.dtype) and not values.dtype.isnative:
        values = values.astype(values.dtype.newbyteorder("="))
    array = pa.array(values, from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _categorical(values: pd.Series) -> pa.Array:
    pa = arrow()
    values = values.cat.remove_unused_categories()  # which a filter leaves behind
    codes = values.cat.codes.to_numpy()
    categories = to_array(values.cat.categories.to_series(name=values.name))
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), categories)


def _objects(values: pd.Series) -> pa.Array:
    """Return objects of one type as that type, those of several types as text."""
    pa = arrow()
    if set(map(type, values.tolist())) <= {str, type(None)}:  # the usual case, and the fast one
        return pa.array(values, from_pandas=True)
    known = values.notna().to_numpy()
    kinds = set(map(type, values[known].tolist()))
    numpy = any(issubclass(kind, np.generic) for kind in kinds)
    if len(kinds) <= 1 and not numpy and _same_zone(values[known], kinds):
        try:
            return _of_one_type(values, kinds)
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            pass  # such as whole numbers beyond 64 bits
    _check_texts(kinds, values.name)
    texts = [_text(value) if there else None for value, there in zip(values, known, strict=True)]
    return pa.array(texts, pa.binary())


def _check_texts(kinds: Iterable[type], name: object) -> None:
    """Refuse objects whose text differs between processes or does not show the entire object.

    The text of an object is by default its address, that of a set has no order, and long arrays
    are abridged.

    Raises:
        ValueError: If there are such objects.
    """
    for kind in kinds:
        plain = issubclass(kind, str | bytes | bytearray | memoryview)
        nameless = all(getattr(kind, of) is getattr(object, of) for of in ("__str__", "__repr__"))
        if nameless or (issubclass(kind, Collection) and not plain):
            raise ValueError(
                f"DataFrame: {name!r} must hold text, numbers, truth values or times, "
                f"but got objects of the type {kind.__name__}."
            )


def _same_zone(times: pd.Series, kinds: set[type]) -> bool:
    """Return True if all objects are times with a zone, or none is."""
    if not any(hasattr(kind, "tzinfo") for kind in kinds):
        return True
    return len({time.tzinfo is None for time in times}) == 1


def _of_one_type(values: pd.Series, kinds: set[type]) -> pa.Array:
    """Return objects of one type, and missing ones; times of pandas keep their nanoseconds."""
    pa = arrow()
    if not any(hasattr(kind, "nanosecond") for kind in kinds):
        return pa.array(values, from_pandas=True)
    import pandas as pd

    times = [value if known else None for value, known in zip(values, values.notna(), strict=True)]
    unit = "ns" if any(time is not None and time.nanosecond for time in times) else "us"
    exact = [None if time is None else time.as_unit(unit, round_ok=False) for time in times]
    return pa.array(pd.to_datetime(pd.Series(exact), utc=True), from_pandas=True)


def _text(value: object) -> bytes:
    """Return a value's text; that of a large number has all its digits."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, str):
        return str.__str__(value).encode()  # of a member of an enumeration, its value
    if isinstance(value, np.floating) and value.is_integer():
        value = int(value)
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f").encode()
    return str(float(value) if isinstance(value, Decimal) else value).encode()
