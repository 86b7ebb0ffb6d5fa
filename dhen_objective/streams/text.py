"""Rows of a CSV file."""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool

from dhen_objective.streams.layout import CSV
from dhen_objective.streams.opening import open_bytes
from dhen_objective.streams.part import Part, Source, arrow
from dhen_objective.streams.records import Records, find_records
from dhen_objective.streams.suspects import escaped_letter, may_be_rows

if TYPE_CHECKING:
    import pyarrow as pa

_BLOCK = 4 << 20
_HEADER_BLOCK = 64 << 10
_LONGEST_ROW = 64 << 20
"""Bytes beyond which a row is taken for one whose quote is not closed."""

_ABOUT_QUOTES = (
    "Where quotes are plain letters, give layout=CSV(quotes=False); where a backslash escapes "
    r'them, CSV(escape="\\").'
)
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
        """Opens nothing yet."""
        self._path, self._layout = path, layout
        self.name = path.name
        self._warned = self._swallowed = False

    def names(self) -> list[str]:
        """Returns the names of the columns; none for a file without any row.

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
        """Returns none: all is text, which any role can be read from."""
        return {}

    def parts(self, columns: Sequence[str]) -> Iterator[Part]:
        """Yields the rows of a block of text each, as bytes.

        Raises:
            ValueError: If a quote is not closed, or anything but a delimiter follows a closing
                one; the rows before are yielded.
        """
        names = self.names()
        if not names:
            return
        header = self._layout.names is None
        for block, records, line in self._blocks(_BLOCK):
            found = records.widths > 0
            if header and found.any():
                found[found.argmax()] = header = False
            good = found & (records.widths == len(names))
            lines = line + records.lines
            torn = np.flatnonzero(found & ~good)
            rows = self._read(block, records, good, names, columns)
            if not self._warned and not block.isascii():
                self._warn_of_other_codes(rows)
            if not self._swallowed:
                self._warn_of_swallowed_rows(block, records, line, len(names))
            yield Part(
                source=self.name,
                lines=lines[good],
                rows=rows,
                torn=list(zip(lines[torn].tolist(), records.widths[torn].tolist(), strict=True)),
                width=len(names),
            )

    def _blocks(self, first: int) -> Iterator[tuple[bytes, Records, int]]:
        """Yields blocks of whole rows, and the number of each block's first line.

        Args:
            first: How many bytes are read at first.
        """
        with open_bytes(self._path) as file:
            block, line = b"", 1
            more = self._start(file.read(first))
            while True:
                block += more
                records = find_records(block, self._layout, last=not more)
                fault = records.fault and f"{records.fault}. {_ABOUT_QUOTES}"
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

    def _without_escaped_nulls(self, block: bytes, records: Records) -> tuple[bytes, list[str]]:
        """Replaces marks of a missing value that have an escape; refuses and tells of others.

        Raises:
            ValueError: If a value is an escaped N alone, which would be the category N.
        """
        block, null = _without_escaped_nulls(block, records, self._layout)
        mark = f"{self._layout.escape}N"
        if next(_values(block, records, self._layout, [mark]), None) is not None:
            raise ValueError(
                f"null must name {mark}, which is a missing value in files of databases, where "
                f"escape is given, but got {self._layout.null} for {self._path}, which has it."
            )
        pair = escaped_letter(block[: records.used], self._layout)
        if pair is not None:
            warnings.warn(
                f"{self._path} has {pair!r}, an escape before a letter or digit: it is read as "
                f"{pair[1:]!r}. PostgreSQL means tabs and new lines by some, and programs that "
                "do not escape the escape mean both characters.",
                stacklevel=2,
            )
        return block, null

    def _warn_of_other_codes(self, rows: pa.RecordBatch) -> None:
        """Tells once of text that is no UTF-8: in another file, or in Parquet, its ids differ."""
        pa = arrow()
        for name in rows.schema.names:
            try:
                rows.column(name).cast(pa.string())
            except pa.ArrowInvalid:
                self._warned = True
                warnings.warn(
                    f"{self._path} has text in {name!r} that is not in UTF-8. It is taken as it "
                    "is: the ids of letters beyond ASCII differ from those of the same text in "
                    "UTF-8, as in Parquet files and DataFrames.",
                    stacklevel=2,
                )
                return

    def _warn_of_swallowed_rows(
        self, block: bytes, records: Records, line: int, width: int
    ) -> None:
        """Tells once of rows that two stray quotes may have made one value of."""
        lines = np.diff(np.append(records.lines, records.used_lines))
        for row in np.flatnonzero((lines > 1) & (records.widths == width)):
            text = block[records.starts[row] : records.ends[row]]
            if may_be_rows(text, self._layout.delimiter.encode(), width):
                self._swallowed = True
                warnings.warn(
                    f"{self._path}:{line + records.lines[row]}: a value in quotes has new lines, "
                    "and each of its lines could be a row of its own. It is taken for one row. "
                    f"{_ABOUT_QUOTES}",
                    stacklevel=2,
                )
                return

    def _start(self, block: bytes) -> bytes:
        """Returns the first block without the mark of UTF-8."""
        if block.startswith(_UTF_16) or b"\0" in block[:1024]:
            raise ValueError(
                f"{self._path} must be text in UTF-8 or another code that extends ASCII, but "
                "holds zero bytes or the mark of UTF-16."
            )
        return block.removeprefix(_BOM)

    def _header(self, row: bytes) -> list[str]:
        layout = self._layout
        text = row.decode("utf-8", "replace").rstrip("\r\n")
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
        """Reads the good rows of a block."""
        pa = arrow()
        keys = [str(names.index(column)) for column in columns]  # names could be alike
        count = int(good.sum())
        if not count:
            nothing = [pa.array([], pa.binary())] * len(columns)
            return pa.RecordBatch.from_arrays(nothing, names=list(columns))
        layout, null = self._layout, list(self._layout.null)
        if layout.escape is not None:
            block, null = self._without_escaped_nulls(block, records)
        text = memoryview(block)[: records.used]
        if not good.all():
            kept = np.repeat(good, records.ends - records.starts)
            text = memoryview(np.frombuffer(text, np.uint8)[kept])
        if text[: len(_BOM)] == _BOM:  # letters of a row, which Arrow would take for the file's
            text = memoryview(b"".join([b"\n", text]))
        table = pa.csv.read_csv(
            pa.BufferReader(text),
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
            convert_options=pa.csv.ConvertOptions(
                include_columns=keys,
                column_types=dict.fromkeys(keys, pa.binary()),
                strings_can_be_null=bool(null),
                null_values=null,
            ),
        )
        if len(table) != count:
            line = int(records.lines[good.argmax()]) + 1
            raise ValueError(
                f"{self._path}: {count} rows were found in a block that begins {line} lines "
                f"after the last one, but {len(table)} were read."
            )
        (rows,) = table.rename_columns(list(columns)).combine_chunks().to_batches()
        return _without_spaced_nulls(rows, null)


def _joined(block: bytes, records: Records) -> bool:
    """Returns whether a row begins with the mark of UTF-8; a line within quotes may do so."""
    if block.isascii() or _BOM not in block:
        return False
    marks = [match.start() for match in re.finditer(_BOM, block)]
    return bool(np.isin(marks, records.starts).any())


def _before_zeros(block: bytes, records: Records) -> bytes:
    """Returns the rows before the one that holds the first zero byte."""
    before = np.searchsorted(records.ends, block.index(b"\0"), side="right")
    return block[: records.ends[before - 1] if before else 0]


def _without_spaced_nulls(rows: pa.RecordBatch, null: Sequence[str]) -> pa.RecordBatch:
    """Makes also those marks null that have spaces around them, or zeros after the point.

    A column of numbers gets these zeros where one value of it is missing.
    """
    if not null:
        return rows
    import pyarrow.compute as pc

    pa = arrow()
    marks = "|".join(map(re.escape, null))
    numbers = [mark for mark in null if re.fullmatch(r"[-+]?[0-9]+(\.[0-9]+)?", mark)]
    zeros = "|".join(re.escape(mark) + (r"0*" if "." in mark else r"\.0*") for mark in numbers)
    marks = f"{marks}|{zeros}" if zeros else marks
    spaced = rf"^([ \t]+({marks})[ \t]*|({marks})[ \t]+{'|' + zeros if zeros else ''})$"
    columns = [
        pc.if_else(pc.match_substring_regex(column, spaced), pa.scalar(None, column.type), column)
        for column in rows.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=rows.schema.names)


def _without_escaped_nulls(block: bytes, records: Records, layout: CSV) -> tuple[bytes, list[str]]:
    r"""Replaces texts like \N by as many zero bytes: unescaped, they would be plain letters."""
    escape = layout.escape or ""
    marks = [text for text in layout.null if escape in text]
    null = [text for text in layout.null if escape not in text]
    changed = bytearray(block)
    for first, end in _values(block, records, layout, marks):
        changed[first:end] = bytes(end - first)
    return bytes(changed), [*null, *("\0" * len(mark.encode()) for mark in marks)]


def _values(
    block: bytes, records: Records, layout: CSV, texts: Sequence[str]
) -> Iterator[tuple[int, int]]:
    """Yields where values without quotes are one of these texts."""
    if not texts:
        return
    edge = re.escape(layout.delimiter).encode() + rb"\r\n"
    choices = b"|".join(re.escape(text.encode()) for text in texts)
    quoted = records.quoted
    for match in re.finditer(rb"(?<![^%b])(?:%b)(?![^%b])" % (edge, choices, edge), block):
        first, end = match.span()
        if quoted is None or first == 0 or not quoted[first - 1]:
            yield first, end
