"""A warning of files that hold the same, however they are compressed."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dhen_objective.streams.columns import is_text, plain
from dhen_objective.streams.opening import open_bytes
from dhen_objective.streams.parquet import ParquetFile
from dhen_objective.streams.part import Source

if TYPE_CHECKING:
    import pyarrow as pa

_COMPARED = 1000
"""Size in bytes from which equal files are taken for copies."""

_START = 4096
"""Bytes of text by which files are looked up that may be equal."""


def warn_of_same_content(
    paths: Sequence[Path], sources: Sequence[Source], columns: Sequence[str]
) -> None:
    """Warn of files with equal content, whose rows are read twice.

    Texts are compared without their compression, Parquet files by their rows. Small files are not
    compared, since they may well hold the same few rows by accident.

    Args:
        paths: The files; none for a DataFrame.
        sources: The same files as sources, whose columns were checked.
        columns: The columns that are read.
    """
    alike: dict[object, list[int]] = {}
    for i, (path, source) in enumerate(zip(paths, sources, strict=False)):
        start = _start(path, source, columns)
        if start is None:
            continue
        earlier = alike.setdefault(start, [])
        for other in earlier:
            if isinstance(source, ParquetFile):
                same = _same_rows(sources[other], source, columns)
            else:
                same = _same_text(paths[other], path) and _has_rows(source)
            if same:
                warnings.warn(
                    f"paths name {paths[other]} and {path}, which hold the same: "
                    "their rows are read twice.",
                    stacklevel=2,
                )
                return
        earlier.append(i)


def _start(path: Path, source: Source, columns: Sequence[str]) -> object | None:
    """Return what files that are equal have in common; None for one that is not compared."""
    try:
        if isinstance(source, ParquetFile):
            begin = repr(rows.to_pydict()).encode() if (rows := source.first(columns)) else b""
            key: object = source.n_rows(), zlib.crc32(begin)
        else:
            with open_bytes(path) as file:
                key = begin = _read(file, _START)
    except ValueError:  # damaged, which is told of where it is read
        return None
    return key if len(begin) >= _COMPARED else None


def _read(file: Any, size: int = 1 << 20) -> bytes:
    """Return as many bytes as there are up to a size, which one `read` need not return."""
    content = b""
    while len(content) < size and (more := file.read(size - len(content))):
        content += more
    return content


def _has_rows(source: Source) -> bool:
    return any(len(part.rows) for part in source.parts(source.names()[:1]))


def _same_text(one: Path, other: Path) -> bool:
    """Return True if two files hold the same text."""
    try:
        with open_bytes(one) as first, open_bytes(other) as second:
            while True:
                ours, theirs = _read(first), _read(second)
                if ours != theirs or not ours:
                    return ours == theirs
    except ValueError:
        return False


def _same_rows(one: Source, other: Source, columns: Sequence[str]) -> bool:
    """Return True if two files with as many rows have the same, whatever their row groups."""
    first, second = _parts(one, columns), _parts(other, columns)
    ours = next(first, None)
    theirs = next(second, None)
    try:
        while ours is not None and theirs is not None:
            rows = min(len(ours), len(theirs))
            for name in columns:
                if not _equal(ours.column(name)[:rows], theirs.column(name)[:rows]):
                    return False
            ours, theirs = (
                part[rows:] if len(part) > rows else next(others, None)
                for part, others in ((ours, first), (theirs, second))
            )
    except ValueError:
        return False
    return ours is None and theirs is None


def _parts(source: Source, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    return (part.rows for part in source.parts(columns) if len(part.rows))


def _equal(one: pa.Array, other: pa.Array) -> bool:
    return bool(_exact(one).equals(_exact(other)))


def _exact(column: pa.Array) -> pa.Array:
    """Return a column whose equal values are equal: NaN by its bits, texts of one type."""
    import pyarrow as pa

    column = plain(column)
    if is_text(column.type):
        return column.cast(pa.large_binary())
    if pa.types.is_floating(column.type):
        bits = {16: pa.int16(), 32: pa.int32(), 64: pa.int64()}
        return column.view(bits[column.type.bit_width])
    return column
