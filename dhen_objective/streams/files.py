"""Rows of CSV and Parquet files in order, a part at a time, with their line numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int

from dhen_objective.streams.malformed import MalformedRow, MalformedRows

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as pads

_BLOCK = 4 << 20
_PARQUET_ROWS = 32_768
_MOST_UNREPORTED = 100_000  # in one stretch; beyond it Arrow raises, so that memory stays bounded


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
        import pyarrow.dataset
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
    `malformed`; an empty line is a row of missing values.

    Args:
        paths: The files.
        layout: Of text files; None for Parquet.
        columns: The columns to read.
        malformed: Counts the rows that were yielded, and those that could not be.
    """
    wide = _WrongWidths()
    table = _open(paths, layout, columns, wide)
    for fragment in table.get_fragments():
        wide.numbers.clear()
        line = 1 if layout is None or layout.names is not None else 2
        batches = fragment.to_batches(
            schema=table.schema,
            columns=list(columns),
            batch_size=_PARQUET_ROWS,
            batch_readahead=1,
            fragment_readahead=1,
            use_threads=False,
        )
        name = Path(fragment.path).name
        for rows in batches:
            lines = wide.skip(line, len(rows))
            wide.report(name, before=int(lines[-1]) + 1 if len(lines) else line, to=malformed)
            line = int(lines[-1]) + 1 if len(lines) else line
            malformed.read += len(rows)
            yield Part(name, lines, rows)
        wide.report(name, before=None, to=malformed)


def column_names(paths: Sequence[Path], layout: CSV | None) -> list[str]:
    """Returns the names of the first file's columns."""
    return list(_open(paths[:1], layout, (), _WrongWidths()).schema.names)


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


def _open(
    paths: Sequence[Path], layout: CSV | None, columns: Sequence[str], wide: _WrongWidths
) -> pads.Dataset:
    pa = arrow()
    names = [str(path) for path in paths]
    if layout is None:
        return pa.dataset.dataset(names, format="parquet")
    csv = pa.csv
    layout_names = list(layout.names) if layout.names is not None else None
    form = pa.dataset.CsvFileFormat(
        parse_options=csv.ParseOptions(
            delimiter=layout.delimiter,
            quote_char='"' if layout.quotes else False,
            ignore_empty_lines=False,
            invalid_row_handler=wide,
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.binary()), strings_can_be_null=False
        ),
        read_options=csv.ReadOptions(
            column_names=layout_names, block_size=_BLOCK, use_threads=False
        ),
    )
    return pa.dataset.dataset(names, format=form)
