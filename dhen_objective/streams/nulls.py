"""Marks of a missing value in CSV text that Arrow alone would not recognize."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dhen_objective.streams.layout import CSV
from dhen_objective.streams.part import arrow
from dhen_objective.streams.records import Records

if TYPE_CHECKING:
    import pyarrow as pa


def without_spaced_nulls(rows: pa.RecordBatch, null: Sequence[str]) -> pa.RecordBatch:
    """Make marks of a missing value null that have spaces around or zeros after the point.

    Programs add these zeros to a column of integers if one of its values is missing.
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


def without_escaped_nulls(
    block: bytes, records: Records, layout: CSV, path: Path
) -> tuple[bytes, list[str]]:
    r"""Replace texts like \N by as many zero bytes: unescaped, they would be plain letters.

    Args:
        block: The text.
        records: Its rows.
        layout: Of the text.
        path: The file, for the message.

    Returns:
        The block, of the same length, and what stands for a missing value in it.

    Raises:
        ValueError: If a value is an escaped N alone that `layout.null` does not name: it would be
            the category N.
    """
    escape = layout.escape or ""
    marks = [text for text in layout.null if escape in text]
    null = [text for text in layout.null if escape not in text]
    changed = bytearray(block)
    for first, end in _values(block, records, layout, marks):
        changed[first:end] = bytes(end - first)
    block, mark = bytes(changed), f"{escape}N"
    if next(_values(block, records, layout, [mark]), None) is not None:
        raise ValueError(
            f"null must name {mark}, which is a missing value in files of databases, where "
            f"escape is given, but got {layout.null} for {path}, which has it."
        )
    return block, [*null, *("\0" * len(mark.encode()) for mark in marks)]


def bare(texts: Sequence[str], layout: CSV) -> re.Pattern[bytes]:
    """Return the pattern of values without quotes that are one of these texts.

    Within quotes it may match a part of a value, such as that of "a,NA,b".
    """
    edge = re.escape(layout.delimiter).encode() + rb"\r\n"
    choices = b"|".join(re.escape(text.encode()) for text in texts)
    return re.compile(rb"(?<![^%b])(?:%b)(?![^%b])" % (edge, choices, edge))


def _values(
    block: bytes, records: Records, layout: CSV, texts: Sequence[str]
) -> Iterator[tuple[int, int]]:
    """Yield the offsets at which unquoted values that are one of these texts begin and end."""
    if not texts:
        return
    quoted = records.quoted
    rows = block[: records.used]  # what is behind them is of the next block
    for match in bare(texts, layout).finditer(rows):
        first, end = match.span()
        if quoted is None or first == 0 or not quoted[first - 1]:
            yield first, end
