"""Rows of a CSV file."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool

from dhen_objective.streams.layout import CSV
from dhen_objective.streams.nulls import without_escaped_nulls, without_spaced_nulls
from dhen_objective.streams.opening import open_bytes
from dhen_objective.streams.part import Part, Source, arrow
from dhen_objective.streams.records import Records, find_records
from dhen_objective.streams.suspects import ABOUT_QUOTES, Suspects, all_quoted

if TYPE_CHECKING:
    import pyarrow as pa

_BLOCK = 4 << 20
_HEADER_BLOCK = 64 << 10
_LONGEST_ROW = 64 << 20
"""Size in bytes beyond which a row is taken for one whose quote is not closed."""

_ZEROS = "a text must not hold zero bytes, as a crash of the machine leaves behind."

_JOINED = (
    "a row must not begin with the mark of UTF-8, as where files that begin with it were joined."
)
_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class TextFile(Source):
    """A text file, read a block at a time; empty lines are skipped.

    A row with too few or too many columns is torn: it is left out and listed.
    """

    def __init__(self, path: Path, layout: CSV) -> None:
        """Open nothing yet."""
        self._path, self._layout = path, layout
        self.name = path.name
        self._suspects = Suspects(path, layout)
        self._quoted_header = False

    def names(self) -> list[str]:
        """Return the names of the columns; none for a file without any row.

        Raises:
            ValueError: If the file is no text, or its header has a quote that is not closed.
        """
        if self._layout.names is not None:
            return list(self._layout.names)
        for block, records, _ in self._blocks(_HEADER_BLOCK):
            for row in np.flatnonzero(records.widths):
                return self._header(block[records.starts[row] : records.ends[row]])
        return []

    def types(self) -> dict[str, pa.DataType]:
        """Return no types: every column is text, which any role can be read from."""
        return {}

    def parts(self, columns: Sequence[str]) -> Iterator[Part]:
        """Yield the rows of one block of text after another, as bytes.

        Raises:
            ValueError: If a quote is not closed, or anything but a delimiter follows a closing
                one; the rows before are yielded.
        """
        yield from self._parts(columns, _BLOCK)

    def first(self, columns: Sequence[str]) -> pa.RecordBatch | None:
        """Return the first rows."""
        parts = (part.rows for part in self._parts(columns, _HEADER_BLOCK) if len(part.rows))
        return next(parts, None)

    def _parts(self, columns: Sequence[str], first: int) -> Iterator[Part]:
        """Yield the rows; see `_blocks`."""
        names = self.names()
        if not names:
            return
        header = self._layout.names is None
        for block, records, line in self._blocks(first):
            found = records.widths > 0
            if header and found.any():
                found[found.argmax()] = header = False
            good = found & (records.widths == len(names))
            lines = line + records.lines
            torn = np.flatnonzero(found & ~good)
            rows = self._read(block, records, good, names, columns)
            self._suspects.warn_of_other_codes(block, rows)
            self._suspects.warn_of_swallowed_rows(block, records, line, len(names))
            self._suspects.warn_of_escaped_quotes(block, records)
            yield Part(
                source=self.name,
                lines=lines[good],
                rows=rows,
                torn=list(zip(lines[torn].tolist(), records.widths[torn].tolist(), strict=True)),
                width=len(names),
            )

    def _blocks(self, first: int) -> Iterator[tuple[bytes, Records, int]]:
        """Yield blocks of complete rows, and the number of each block's first line.

        Args:
            first: How many bytes are read at first.
        """
        with open_bytes(self._path) as file:
            block, line = b"", 1
            more = self._start(file.read(first))
            while True:
                block += more
                records = find_records(block, self._layout, last=not more)
                fault = records.fault and f"{records.fault}. {ABOUT_QUOTES}"
                if _joined(block, records):
                    raise ValueError(f"{self._path}: {_JOINED}")
                if b"\0" in more:
                    block, fault = _before_zeros(block, records), _ZEROS
                    records = find_records(block, self._layout, last=True)
                if len(records.starts):
                    yield block, records, line
                line += records.used_lines
                if fault is not None:
                    raise ValueError(f"{self._path}:{line}: {fault}")
                if not more:
                    return
                block = block[records.used :]
                more = file.read(_BLOCK)
                if len(block) > _LONGEST_ROW:
                    raise ValueError(
                        f"{self._path}:{line}: a row must have at most {_LONGEST_ROW >> 20} MiB, "
                        "but a longer one begins here; is a quote not closed?"
                    )

    def _start(self, block: bytes) -> bytes:
        """Return the first block without the byte order mark; refuse UTF-16."""
        if block.startswith(_UTF_16) or b"\0" in block[:1024]:
            raise ValueError(
                f"{self._path} must be text in UTF-8 or another code that extends ASCII, but "
                "holds zero bytes or the mark of UTF-16."
            )
        return block.removeprefix(_BOM)

    def _header(self, row: bytes) -> list[str]:
        layout = self._layout
        text = row.decode("utf-8", "replace").rstrip("\r\n")
        self._quoted_header = layout.quotes and all_quoted(text, layout.delimiter)
        (names,) = csv.reader(
            [text],
            delimiter=layout.delimiter,
            escapechar=layout.escape,
            quoting=csv.QUOTE_MINIMAL if layout.quotes else csv.QUOTE_NONE,
        )
        return names

    def _read(
        self,
        block: bytes,
        records: Records,
        good: Bool[np.ndarray, " n"],
        names: Sequence[str],
        columns: Sequence[str],
    ) -> pa.RecordBatch:
        """Read the well-formed rows of a block."""
        pa = arrow()
        keys = [str(names.index(column)) for column in columns]  # names could be alike
        count = int(good.sum())
        if not count:
            nothing = [pa.array([], pa.binary())] * len(columns)
            return pa.RecordBatch.from_arrays(nothing, names=list(columns))
        layout, null = self._layout, list(self._layout.null)
        if layout.escape is not None:
            block, null = without_escaped_nulls(block, records, layout, self._path)
            self._suspects.warn_of_escaped_letter(block[: records.used])
        text = memoryview(block)[: records.used]
        if not good.all():
            kept = np.repeat(good, records.ends - records.starts)
            text = memoryview(np.frombuffer(text, np.uint8)[kept])
        if text[: len(_BOM)] == _BOM:  # letters of a row, which Arrow would take for the file's
            text = memoryview(b"".join([b"\n", text]))
        read = partial(
            pa.csv.read_csv,
            read_options=pa.csv.ReadOptions(
                column_names=[str(i) for i in range(len(names))],
                block_size=len(text) + 1,
                use_threads=False,
            ),
            parse_options=pa.csv.ParseOptions(
                delimiter=layout.delimiter,
                quote_char='"' if layout.quotes else False,
                escape_char=layout.escape or False,
                newlines_in_values=True,
            ),
        )
        options = partial(
            pa.csv.ConvertOptions,
            include_columns=keys,
            column_types=dict.fromkeys(keys, pa.binary()),
            strings_can_be_null=True,
        )
        table = read(pa.BufferReader(text), convert_options=options(null_values=null))
        if len(table) != count:
            line = int(records.lines[good.argmax()]) + 1
            raise ValueError(
                f"{self._path}: {count} rows were found in a block that begins {line} lines "
                f"after the last one, but {len(table)} were read."
            )
        (rows,) = table.rename_columns(list(columns)).combine_chunks().to_batches()

        def n_null(marks: list[str], quoted: bool) -> list[int]:
            convert = options(null_values=marks, quoted_strings_can_be_null=quoted)
            again = read(pa.BufferReader(text), convert_options=convert)
            return [column.null_count for column in again.columns]

        if layout.quotes and layout.escape is None:
            self._suspects.warn_of_quoted_nulls(text, n_null)
            if self._quoted_header:
                self._suspects.warn_of_bare_marks(text, rows, n_null)
        return without_spaced_nulls(rows, null)


def _joined(block: bytes, records: Records) -> bool:
    """Return whether a row begins with the mark of UTF-8; a line within quotes may do so."""
    if block.isascii() or _BOM not in block:
        return False
    marks = [match.start() for match in re.finditer(_BOM, block)]
    return bool(np.isin(marks, records.starts).any())


def _before_zeros(block: bytes, records: Records) -> bytes:
    """Return the rows before the one that holds the first zero byte."""
    before = np.searchsorted(records.ends, block.index(b"\0"), side="right")
    return block[: records.ends[before - 1] if before else 0]
