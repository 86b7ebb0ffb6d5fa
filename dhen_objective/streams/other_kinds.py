"""A warning of columns that are of one kind in one file and of another kind in the next."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dhen_objective.streams.columns import is_text, plain
from dhen_objective.streams.hashing import MISSING, word
from dhen_objective.streams.part import Source
from dhen_objective.streams.rows import Columns

if TYPE_CHECKING:
    import pyarrow as pa

_NUMBERS = ("int", "uint", "half", "float", "double", "decimal")
_WIDTHS = [("float", "double"), ("halffloat", "double"), ("halffloat", "float")]

_TRUTHS = {b"True", b"False"}
_LETTERS = {b"t", b"f", b"y", b"n", b"yes", b"no"}
_ZEROS_IN_FRONT = re.compile(rb"0[0-9]+")
_DIGITS = re.compile(rb"[0-9]+")
_NUMBER = re.compile(rb"-?[0-9]+(\.[0-9]+)?(e[-+][0-9]+)?")
_GROUPED = re.compile(rb"-?([0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?|[0-9]{1,3}(\.[0-9]+)?)")
_TIME = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T][0-9:.]+)?( ?(?:Z|UTC|[-+][0-9:]{2,8}))?")
_OTHER_DATE = re.compile(rb"[0-9]{1,4}[./][0-9]{1,2}[./][0-9]{1,4}([ T].*)?")

_KINDS = [
    ("a truth value", "a number", "True and 1 are two categories"),
    ("a truth value", "t, f, yes or no", "True and t are two categories"),
    ("t, f, yes or no", "a number", "t and 1 are two categories"),
    ("a time", "a number", "a time and its number are two categories"),
    ("a number with commas", "a number", "1,234 and 1234 are two categories"),
    ("a time", "a date in another form", "the same day is then two categories"),
]


def warn_of_other_kinds(
    types: Mapping[str, Mapping[str, pa.DataType]], sources: Sequence[Source], columns: Columns
) -> None:
    """Warn of columns of which equal values are stored otherwise in another file.

    Of each file, the first rows are looked at.

    Args:
        types: Of each file, Arrow's types of the columns whose type is known.
        sources: The files.
        columns: What the columns mean.
    """
    if len(sources) < 2:
        return
    time = [] if columns.time is None else [columns.time]
    names = [*columns.sparse, *(name for name in time if name not in columns.sparse)]
    first = {
        where: found
        for where, source in zip(types, sources, strict=True)
        if names and (found := _first(source, names)) is not None
    }
    for name in names:
        rows = {where: plain(found.column(name)) for where, found in first.items()}
        known = {where: of.get(name) for where, of in types.items() if where in rows}
        role = "sparse" if name in columns.sparse else "time"
        if role == "sparse":
            _warn_of_kinds(name, rows)
            _warn_of_zeros(name, rows)
            _warn_of_widths(name, rows, known)
        _warn_of_zones(name, role, rows)


def _first(source: Source, names: Sequence[str]) -> pa.RecordBatch | None:
    try:
        return source.first(names) if source.names() else None
    except ValueError:  # which is told of where the row is read, if it is
        return None


def _warn_of_kinds(name: str, rows: Mapping[str, pa.Array]) -> None:
    kinds = {where: _kind(column) for where, column in rows.items()}
    for one, two, why in _KINDS:
        _warn_of_both(name, kinds, (one, two), why)


def _warn_of_both(
    name: str, kinds: Mapping[str, str], pair: tuple[str, str], why: str, role: str = "sparse"
) -> None:
    """Warn if one file is of one kind and another of the other."""
    first = {kind: where for where, kind in reversed(list(kinds.items()))}
    one, two = pair
    if one in first and two in first:
        warnings.warn(
            f"{role} {name!r} is {one} in {first[one]} and {two} in {first[two]}, "
            f"but {why}: store the same in all files.",
            stacklevel=2,
        )


def _texts(column: pa.Array) -> set[bytes]:
    """Return the texts of a column, as they are hashed, without missing ones."""
    return {word(value) for value in column.unique().to_pylist()} - {MISSING}


def _kind(column: pa.Array) -> str:
    import pyarrow as pa

    kind: Any = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "a time"
    if pa.types.is_boolean(kind):
        return "a truth value"
    if str(kind).startswith(_NUMBERS):
        return "a number"
    texts = _texts(column) if is_text(kind) else set()
    if not texts:
        return "nothing"
    if texts <= _TRUTHS:
        return "a truth value"
    if {text.lower() for text in texts} <= _LETTERS:
        return "t, f, yes or no"
    for found, pattern in (
        ("a number", _NUMBER),
        ("a number with commas", _GROUPED),
        ("a time", _TIME),
        ("a date in another form", _OTHER_DATE),
    ):
        if all(map(pattern.fullmatch, texts)):
            return found
    return "a text"


def _warn_of_zeros(name: str, rows: Mapping[str, pa.Array]) -> None:
    """Warn of codes of one length that have lost the zeros in front in another file."""
    codes = {where: texts for where, column in rows.items() if (texts := _digits(column))}
    padded = [where for where, texts in codes.items() if any(map(_ZEROS_IN_FRONT.match, texts))]
    for where in padded:
        width = _one(map(len, codes[where]))
        for other, texts in codes.items():
            if width and other not in padded and min(map(len, texts)) < width:
                warnings.warn(
                    f"sparse {name!r} has zeros in front in {where}, such as "
                    f"{min(codes[where]).decode()}, and none in {other}, such as "
                    f"{min(texts, key=len).decode()}. These are other categories, though programs "
                    "such as Excel leave out the zeros: store the same in all files.",
                    stacklevel=2,
                )
                return


def _digits(column: pa.Array) -> set[bytes]:
    """Return the texts of a column if all are digits alone."""
    texts = _texts(column)
    return texts if all(map(_DIGITS.fullmatch, texts)) else set()


def _one(values: Iterable[int]) -> int | None:
    known = set(values)
    return known.pop() if len(known) == 1 else None


def _warn_of_widths(
    name: str, rows: Mapping[str, pa.Array], types: Mapping[str, pa.DataType | None]
) -> None:
    """Warn of fractions in floats of two widths, if the files' first ones are not all whole."""
    import pyarrow as pa

    floats = {
        where: str(kind)
        for where, kind in types.items()
        if kind is not None and pa.types.is_floating(kind) and _has_fractions(rows[where])
    }
    for pair in _WIDTHS:
        _warn_of_both(name, floats, pair, "a fraction such as .1 is another number in each")


def _has_fractions(column: pa.Array) -> bool:
    values = column.drop_null().to_numpy(zero_copy_only=False).astype(float)
    return bool((values != np.floor(values))[~np.isnan(values)].any())


def _warn_of_zones(name: str, role: str, rows: Mapping[str, pa.Array]) -> None:
    """Warn of times that name their zone beside times that do not and are taken for UTC."""
    zones = {where: _zone(column) for where, column in rows.items()}
    why = "times without a zone are taken for UTC"
    _warn_of_both(name, zones, ("a time with a zone", "a time without a zone"), why, role)


def _zone(column: pa.Array) -> str:
    import pyarrow as pa

    kind: Any = column.type
    if pa.types.is_timestamp(kind):
        return f"a time {'with' if kind.tz is not None else 'without'} a zone"
    texts = set(column.unique().to_pylist() if is_text(kind) else []) - {None, "", b""}
    found = [_TIME.fullmatch(text if isinstance(text, bytes) else text.encode()) for text in texts]
    matches = [match for match in found if match is not None]
    if not texts or len(matches) < len(texts):
        return "no time"
    if all(len(match[0]) == len("2014-10-21") for match in matches):
        return "a day"
    return f"a time {'with' if any(match[1] for match in matches) else 'without'} a zone"
