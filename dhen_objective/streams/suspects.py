"""Signs that a text has another layout or encoding than assumed, and warnings of them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dhen_objective.streams.layout import CSV
from dhen_objective.streams.nulls import bare
from dhen_objective.streams.part import arrow
from dhen_objective.streams.records import Records

if TYPE_CHECKING:
    import pyarrow as pa

NNull = Callable[[list[str], bool], list[int]]
"""Counts the nulls of each column where these marks stand for one: in quotes, too, or not."""

ABOUT_QUOTES = (
    "Where quotes are plain letters, give layout=CSV(quotes=False); where a backslash escapes "
    r'them, CSV(escape="\\").'
)


class Suspects:
    """Warnings that a text file may have another layout or encoding than the given one."""

    def __init__(self, path: Path, layout: CSV) -> None:
        """Suspect nothing yet."""
        self._path, self._layout = path, layout
        self._warned_of_codes = self._warned_of_rows = self._warned_of_escapes = False
        self._warned_of_letters = self._warned_of_marks = self._warned_of_nulls = False

    def warn_of_other_codes(self, block: bytes, rows: pa.RecordBatch) -> None:
        """Warn once of text that is not UTF-8, whose ids differ from those in a Parquet file."""
        if self._warned_of_codes or block.isascii():
            return
        pa = arrow()
        for name in rows.schema.names:
            try:
                rows.column(name).cast(pa.string())
            except pa.ArrowInvalid:
                self._warned_of_codes = True
                warnings.warn(
                    f"{self._path} has text in {name!r} that is not in UTF-8. It is taken as it "
                    "is: the ids of letters beyond ASCII differ from those of the same text in "
                    "UTF-8, as in Parquet files and DataFrames.",
                    stacklevel=2,
                )
                return

    def warn_of_bare_marks(self, text: memoryview, rows: pa.RecordBatch, n_null: NNull) -> None:
        """Warn once of NA without quotes where a text would have them, as R writes it."""
        if self._warned_of_marks or not bare(["NA"], self._layout).search(text):
            return
        import pyarrow.compute as pc

        suspects = [pc.any(pc.equal(column, b"NA")).as_py() for column in rows.columns]
        if not any(suspects):
            return
        for name, count in zip(rows.schema.names, n_null(["NA"], False), strict=True):
            if count:
                self._warned_of_marks = True
                warnings.warn(
                    f"{self._path} has NA without quotes in {name!r}, where text is in quotes: "
                    "R means a missing value by it. Here it is a text, and as a category another "
                    "than that of null in Parquet files and DataFrames: give CSV(null=('NA',)).",
                    stacklevel=2,
                )
                return

    def warn_of_quoted_nulls(self, text: memoryview, n_null: NNull) -> None:
        """Warn once of marks of a missing value of which some are in quotes and others are not."""
        words = [mark for mark in self._layout.null if not re.search("[0-9]", mark)]
        in_quotes = b"|".join(b'"%b"' % re.escape(mark.encode()) for mark in words)
        if self._warned_of_nulls or not words or not re.search(in_quotes, text):
            return
        if not bare(words, self._layout).search(text):
            return
        without_quotes = n_null(words, False)
        if any(without_quotes) and without_quotes != n_null(words, True):
            self._warned_of_nulls = True
            warnings.warn(
                f"{self._path} has texts of null = {self._layout.null} in quotes and without. "
                "All are taken as missing, but R and databases mean a text by those in quotes, "
                "such as the country NA: write another text for what is missing.",
                stacklevel=2,
            )

    def warn_of_swallowed_rows(
        self, block: bytes, records: Records, line: int, width: int
    ) -> None:
        """Warn once of a value that may be several rows, joined by two stray quotes."""
        if self._warned_of_rows:
            return
        lines = np.diff(np.append(records.lines, records.used_lines))
        for row in np.flatnonzero((lines > 1) & (records.widths == width)):
            text = block[records.starts[row] : records.ends[row]]
            if may_be_rows(text, self._layout.delimiter.encode(), width):
                self._warned_of_rows = True
                warnings.warn(
                    f"{self._path}:{line + records.lines[row]}: a value in quotes has new lines, "
                    "and each of its lines could be a row of its own. It is taken for one row. "
                    f"{ABOUT_QUOTES}",
                    stacklevel=2,
                )
                return

    def warn_of_escaped_quotes(self, block: bytes, records: Records) -> None:
        r"""Warn once of `\"` in a value without quotes, which keeps the backslash."""
        plain = self._layout.quotes and self._layout.escape is None
        if self._warned_of_escapes or not plain or b'\\"' not in block:
            return
        quoted = records.quoted
        for match in re.finditer(rb'\\"', block[: records.used]):  # the rest is of the next block
            if quoted is None or not quoted[match.start()]:
                self._warned_of_escapes = True
                warnings.warn(
                    f'{self._path} has \\" in a value without quotes, of which both characters '
                    r'are taken. Where a backslash escapes quotes, give CSV(escape="\\").',
                    stacklevel=2,
                )
                return

    def warn_of_escaped_letter(self, block: bytes) -> None:
        """Warn once of a letter or digit behind an escape."""
        pair = None if self._warned_of_letters else escaped_letter(block, self._layout)
        if pair is not None:
            self._warned_of_letters = True
            warnings.warn(
                f"{self._path} has {pair!r}, an escape before a letter or digit: it is read as "
                f"{pair[1:]!r}. PostgreSQL means tabs and new lines by some, and programs that "
                "do not escape the escape mean both characters.",
                stacklevel=2,
            )


def all_quoted(row: str, delimiter: str) -> bool:
    """Return True if all values of a row are in quotes."""
    value = '"(?:[^"]|"")*"'
    return re.fullmatch(f"{value}(?:{re.escape(delimiter)}{value})*", row) is not None


def may_be_rows(text: bytes, delimiter: bytes, width: int) -> bool:
    """Return True if each line of a row could be a row of its own, with values of the same kinds.

    This happens where two quotes in different rows are plain letters, each at an end of a value.

    Args:
        text: Of the row.
        delimiter: Between its values.
        width: Number of columns of a row.
    """
    lines = text.rstrip(b"\r\n").splitlines()
    if any(line.count(delimiter) != width - 1 for line in lines):
        return False
    rows = [[value.strip(b' \t"') for value in line.split(delimiter)] for line in lines]
    columns = [[value for value in column if value] for column in zip(*rows, strict=True)]
    return all(len({_is_number(value) for value in column}) < 2 for column in columns)


def _is_number(value: bytes) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def escaped_letter(block: bytes, layout: CSV) -> str | None:
    r"""Return an escape and the letter or digit behind it; None if there is none.

    Programs mean different things by them: PostgreSQL writes a new line as `\n`, and a program
    that does not escape the escape itself writes a folder as `C:\new`.
    """
    escape = re.escape((layout.escape or "").encode())
    if not re.search(escape + rb"[A-Za-z0-9]", block):
        return None
    for match in re.finditer(escape + rb"(?s:(.))", block):  # from the left: escapes go in pairs
        if match[1].isalnum():
            return match[0].decode()
    return None
