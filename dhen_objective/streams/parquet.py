"""Rows of a Parquet file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dhen_objective.streams.part import Part, Source, arrow

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 32_768
_FIRST = 256
"""Number of rows of `first`."""

_DAY = 86_400_000_000
"""In microseconds."""


class ParquetFile(Source):
    """A Parquet file, read a row group at a time."""

    def __init__(self, path: Path) -> None:
        """Open nothing yet."""
        self._path = path
        self.name = path.name

    def names(self) -> list[str]:
        """Return the names of the columns.

        Raises:
            ValueError: If the file is damaged or no Parquet.
        """
        with self._open() as file:
            return list(file.schema_arrow.names)

    def types(self) -> dict[str, pa.DataType]:
        """Return Arrow's types of all columns, also of extension types that are not loaded.

        Without pandas, Arrow reads periods of pandas as the integers that they are stored as.
        """
        with self._open() as file:
            schema = file.schema_arrow
        named = _pandas_types(schema)
        return {field.name: _with_extension(field, named.get(field.name, "")) for field in schema}

    def first(self, columns: Sequence[str]) -> pa.RecordBatch | None:
        """Return the first rows, of the first row group that has any."""
        with self._open() as file:
            batches = file.iter_batches(_FIRST, columns=list(columns), use_threads=False)
            return next((batch for batch in batches if len(batch)), None)

    def parts(self, columns: Sequence[str]) -> Iterator[Part]:
        """Yield the rows; one row group of the file is in memory at a time.

        `pyarrow.dataset` would read up to a gigabyte ahead.
        """
        first = 1
        with self._open() as file:
            for rows in self._batches(file, list(columns)):
                lines = np.arange(first, first + len(rows))
                first += len(rows)
                yield Part(source=self.name, lines=lines, rows=rows)

    def _batches(self, file: Any, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows, with times of 96 bits in microseconds where nanoseconds would overflow.

        Arrow silently turns times before 1677 and after 2262, such as 9999-12-31 for "no end",
        into others.
        """
        batches = file.iter_batches(_ROWS, columns=columns, use_threads=False)
        schema = [file.schema.column(i) for i in range(len(file.schema))]
        old = {column.path for column in schema if column.physical_type == "INT96"}
        names = [name for name in columns if name in old]
        if not names:
            yield from batches
            return
        with self._open(coerce_int96_timestamp_unit="us") as other:
            coarse = other.iter_batches(_ROWS, columns=names, use_threads=False)
            for rows, safe in zip(batches, coarse, strict=True):
                for name in names:
                    times = _widened(rows.column(name), safe.column(name))
                    rows = rows.set_column(rows.schema.names.index(name), name, times)
                yield rows

    @contextmanager
    def _open(self, **options: Any) -> Iterator[Any]:
        pa = arrow()
        try:
            with pa.parquet.ParquetFile(
                self._path, page_checksum_verification=True, **options
            ) as file:  # of the pages that have a checksum, as those of Spark
                yield file
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, FileNotFoundError | PermissionError):
                raise
            problem = str(error).split("\n")[0]
            raise ValueError(
                f"{self._path} must be a whole Parquet file (for text, give "
                f"layout=CSV(...)), but could not be read: {problem}"
            ) from error


def _widened(fine: pa.Array, coarse: pa.Array) -> pa.Array:
    """Return times in microseconds if some do not fit into 64 bits of nanoseconds.

    Arrow before version 26 wrote times before 1970 with a negative time of day. In microseconds
    every Arrow reads it as unsigned, 584 years late; in nanoseconds it wraps to the right time.
    """
    pa = arrow()
    numbers = (times.cast("int64").fill_null(0).to_numpy() for times in (fine, coarse))
    nanoseconds, microseconds = numbers
    beyond = np.abs(microseconds) > (2**63 - 1) // 1000
    late = beyond & (microseconds > 0) & (microseconds <= 2**64 // 1000)
    late &= microseconds % _DAY != 0  # of 2262 to 2554, midnights are likelier than what is late
    if not (beyond & ~late).any():
        return fine
    microseconds = np.where(late, nanoseconds // 1000, microseconds)
    missing = coarse.is_null().to_numpy(zero_copy_only=False)
    return pa.array(microseconds, coarse.type, mask=missing)


def _pandas_types(schema: pa.Schema) -> dict[str, str]:
    """Return the types that pandas has stored in a file's metadata, by column."""
    try:
        notes = json.loads((schema.metadata or {})[b"pandas"])
        return {str(note["field_name"]): str(note["numpy_type"]) for note in notes["columns"]}
    except (KeyError, TypeError, ValueError):  # none, or of a writer with other notes
        return {}


def _with_extension(field: pa.Field, pandas_type: str) -> pa.DataType:
    """Return the type of a column; an extension type for extensions and for periods of pandas."""
    pa = arrow()
    name = (field.metadata or {}).get(b"ARROW:extension:name", b"").decode(errors="replace")
    storage = field.type
    if isinstance(storage, pa.BaseExtensionType):
        name, storage = storage.extension_name, storage.storage_type
    elif not name and pandas_type.startswith("period"):
        name = "pandas.period"
    if not name:
        return storage

    base: Any = pa.ExtensionType

    class Extension(base):  # type: ignore[misc]
        def __arrow_ext_serialize__(self) -> bytes:
            return b""

    return Extension(storage, name)
