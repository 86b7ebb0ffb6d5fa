"""Rows of CSV and Parquet files in order, a part at a time, with their line numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int

from dhen_objective.checked import checked
from dhen_objective.streams.malformed import MalformedRow, MalformedRows

if TYPE_CHECKING:
    import pyarrow as pa

_BLOCK = 4 << 20
_PARQUET_ROWS = 32_768
_MOST_UNREPORTED = 100_000  # in one stretch; beyond it Arrow raises, so that memory stays bounded


@checked
@dataclass(frozen=True, kw_only=True)
class CSV:
    """How a text file is laid out; a name that ends in .gz or .bz2 is decompressed.

    Attributes:
        delimiter: Between two columns.
        names: Names of the columns of a file without a header; by default there is one.
        quotes: Whether a column may stand in double quotes.
    """

    delimiter: str = ","
    names: tuple[str, ...] | None = None
    quotes: bool = True

    def __post_init__(self) -> None:
        if len(self.delimiter) != 1:
            raise ValueError(f"delimiter must be one character, but got {self.delimiter!r}.")


@dataclass(frozen=True)
class Part:
    """Consecutive rows of one file.

    Attributes:
        path: The file.
        lines: Line or row number of each row.
        rows: The columns that were asked for.
    """

    path: str
    lines: Int[np.ndarray, " n"]
    rows: pa.RecordBatch


def arrow() -> Any:
    """Returns pyarrow.

    Raises:
        ImportError: If it is not installed.
    """
    try:
        import pyarrow.csv
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError(
            'Streams from files need pyarrow: pip install "optuna-predictor-rl[data]".'
        ) from error
    return pyarrow


def read_files(
    paths: Sequence[Path], layout: CSV | None, columns: Sequence[str], malformed: MalformedRows
) -> Iterator[Part]:
    """Yields the rows of the files, one file after the other, at constant memory.

    Text is yielded as bytes, whatever it holds. Rows with too few or too many columns go to
    `malformed`; an empty line is a row of missing values. A file is read as its rows are asked
    for; `pyarrow.dataset` would read up to a gigabyte ahead.

    Args:
        paths: The files.
        layout: Of text files; None for Parquet.
        columns: The columns to read.
        malformed: Counts the rows that were yielded, and those that could not be.
    """
    for path in paths:
        wide = _WrongWidths()
        line = 1 if layout is None or layout.names is not None else 2
        batches = _parquet(path, columns) if layout is None else _text(path, layout, columns, wide)
        for rows in batches:
            lines = wide.skip(line, len(rows))
            line = int(lines[-1]) + 1 if len(lines) else line
            wide.report(path.name, before=line, to=malformed)
            malformed.read += len(rows)
            yield Part(path.name, lines, rows)
        wide.report(path.name, before=None, to=malformed)


def _parquet(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yields batches; holds one row group of the file."""
    with arrow().parquet.ParquetFile(path) as file:
        yield from file.iter_batches(
            batch_size=_PARQUET_ROWS, columns=list(columns), use_threads=False
        )


def _text(
    path: Path, layout: CSV, columns: Sequence[str], wide: _WrongWidths
) -> Iterator[pa.RecordBatch]:
    """Yields batches of a block of text each, decompressed."""
    pa = arrow()
    convert = pa.csv.ConvertOptions(
        include_columns=list(columns),
        include_missing_columns=True,
        column_types=dict.fromkeys(columns, pa.binary()),
        strings_can_be_null=False,
    )
    with (
        pa.input_stream(path, compression="detect") as file,
        _open_text(file, layout, convert, wide) as reader,
    ):
        yield from reader


def column_names(path: Path, layout: CSV | None) -> list[str]:
    """Returns the names of a file's columns."""
    pa = arrow()
    if layout is None:
        return list(pa.parquet.read_schema(path).names)
    with (
        pa.input_stream(path, compression="detect") as file,
        _open_text(file, layout, pa.csv.ConvertOptions(), _WrongWidths()) as reader,
    ):
        return list(reader.schema.names)


class _WrongWidths:
    """Line numbers of a text file's rows with the wrong number of columns.

    Arrow reads ahead, so they are known before the rows around them are yielded.
    """

    def __init__(self) -> None:
        self.numbers: dict[int, tuple[int, int]] = {}

    def __call__(self, row: Any) -> str:
        self.numbers[row.number] = (row.actual_columns, row.expected_columns)
        return "skip" if len(self.numbers) <= _MOST_UNREPORTED else "error"

    def skip(self, first: int, count: int) -> Int[np.ndarray, " n"]:
        """Returns the lines of the next `count` good rows from line `first` on."""
        lines = np.arange(first, first + count + len(self.numbers))
        return lines[~np.isin(lines, list(self.numbers))][:count] if self.numbers else lines

    def report(self, path: str, *, before: int | None, to: MalformedRows) -> None:
        """Hands over the rows up to a line; None for all that are left."""
        for line in sorted(self.numbers):
            if before is None or line < before:
                reason = _wrong_width(*self.numbers.pop(line))
                to.read += 1
                to.add(partial(MalformedRow, path, line, reason))


def _wrong_width(actual: int, expected: int) -> str:
    return f"a row must have {expected} columns, but got {actual}"


def _open_text(file: Any, layout: CSV, convert: Any, wide: _WrongWidths) -> Any:
    csv = arrow().csv
    return csv.open_csv(
        file,
        read_options=csv.ReadOptions(
            column_names=None if layout.names is None else list(layout.names),
            block_size=_BLOCK,
            use_threads=False,
        ),
        parse_options=csv.ParseOptions(
            delimiter=layout.delimiter,
            quote_char='"' if layout.quotes else False,
            ignore_empty_lines=False,
            invalid_row_handler=wide,
        ),
        convert_options=convert,
    )
