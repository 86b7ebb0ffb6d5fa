"""Columns of an Arrow table as numbers and labels, with a mask of the wrong values."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float64

if TYPE_CHECKING:
    import pyarrow as pa

_NUMBER = r"^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$"
_BLANK = r"^([nN][aA][nN])?$"
_TRUTH = dict.fromkeys((b"true", b"True", b"TRUE"), b"1") | dict.fromkeys(
    (b"false", b"False", b"FALSE"), b"0"
)

EXACT = {"halffloat": 2**11, "float": 2**24, "double": 2**53}
"""Up to these, floats of a type represent each integer exactly."""

LARGEST = float(np.nextafter(2.0**128 - 2.0**103, 0.0))
"""The largest value of a feature: beyond it, a float32 is infinite.

It is above the largest float32, which programs write as 3.4028235e+38, rounded up.
"""


@dataclass(frozen=True)
class Values:
    """A column as numbers.

    Attributes:
        values: The numbers; NaN where missing or wrong.
        wrong: Where the column breaks its rule.
        rule: What each value must be.
    """

    values: Float64[np.ndarray, " n"]
    wrong: Bool[np.ndarray, " n"]
    rule: str


def numbers(column: pa.Array) -> Values:
    """Return finite numbers, and true and false as 1 and 0.

    Null, empty text and NaN are missing, which is not wrong. Spaces around a number are allowed.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    column = plain(column)
    if is_text(column.type):
        text = column.cast(pa.binary())
        plainly = _plain_numbers(text)
        if plainly is not None:
            return Values(plainly, np.zeros(len(plainly), bool), "a finite number")
        text = pc.fill_null(text, b"")
        numeric, wrong = _numeric(text)
        if pc.any(wrong).as_py():
            text = _cleaned(text)
            numeric, wrong = _numeric(text)
        column = pc.if_else(numeric, text, pa.scalar(None, pa.binary())).cast(pa.string())
    else:
        column = column.cast(pa.uint8()) if pa.types.is_boolean(column.type) else column
        wrong = pa.array(np.zeros(len(column), bool))
    values = _to_numpy(column.cast(pa.float64(), safe=False))
    infinite = np.isinf(values)
    values[infinite] = np.nan
    return Values(values, wrong.to_numpy(zero_copy_only=False) | infinite, "a finite number")


def _plain_numbers(text: pa.Array) -> Float64[np.ndarray, " n"] | None:
    """Return the numbers if every text is one or empty, the usual and fast case; else None."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pc.not_equal(text, b"")
    try:
        numbers = pc.if_else(known, text, pa.scalar(None, text.type)).cast(pa.string())
        numbers = numbers.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    values = _to_numpy(numbers)
    missing = numbers.is_null().to_numpy(zero_copy_only=False)
    return values if np.isfinite(values[~missing]).all() else None


def _numeric(text: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return where text is a number, and where it is neither a number nor blank."""
    import pyarrow.compute as pc

    numeric = pc.match_substring_regex(text, _NUMBER)
    return numeric, pc.invert(pc.or_(numeric, pc.match_substring_regex(text, _BLANK)))


def _cleaned(text: pa.Array) -> pa.Array:
    """Return text without spaces around it, and with 1 and 0 for true and false."""
    import pyarrow as pa

    cleaned = [value.strip(b" \t") for value in text.to_numpy(zero_copy_only=False)]
    return pa.array([_TRUTH.get(value, value) for value in cleaned], pa.binary())


def features(column: pa.Array) -> Values:
    """Return numbers that a float32 can hold."""
    read = numbers(column)
    wrong = read.wrong | (np.abs(read.values) > LARGEST)
    return Values(np.where(wrong, np.nan, read.values), wrong, "a finite number of float32")


def labels(column: pa.Array) -> Values:
    """Return labels, none of which may be missing."""
    values = numbers(column).values
    wrong = (values != 0) & (values != 1)
    return Values(values, wrong | _rounded(plain(column)), "0 or 1")


def _rounded(column: pa.Array) -> Bool[np.ndarray, " n"]:
    """Return where a number other than 0 and 1 could be rounded to 0 or 1 by a float."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not (is_text(column.type) or pa.types.is_decimal(column.type)):
        return np.zeros(len(column), bool)
    wrong = [value for value in pc.unique(column).to_pylist() if not _is_zero_or_one(value)]
    found = pc.is_in(column, value_set=pa.array(wrong, column.type))
    return np.asarray(found.to_numpy(zero_copy_only=False), bool)


def _is_zero_or_one(value: bytes | str | Decimal | None) -> bool:
    """Return True if a number is exactly 0 or 1, and for anything that is no number."""
    try:
        text = value.decode() if isinstance(value, bytes) else value
        return text is None or Decimal(text) in (0, 1)
    except (UnicodeDecodeError, InvalidOperation):
        return True


def plain(column: pa.Array) -> pa.Array:
    """Return a column without a dictionary, and of a type that all functions take."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind: Any = column.type
    if str(kind) in ("string_view", "binary_view"):
        return column.cast(pa.large_binary())
    if _is_uuid(kind):
        return pa.array([v if v is None else str(v) for v in column.to_pylist()], pa.string())
    if pa.types.is_decimal(kind) and kind.bit_width < 128:
        return column.cast(pa.decimal128(kind.precision, kind.scale))
    return column


def _is_uuid(kind: pa.DataType) -> bool:
    return getattr(kind, "extension_name", "") == "arrow.uuid"


def is_text(kind: pa.DataType) -> bool:
    """Return True for the types of text, of bytes, and of a column without any value."""
    kinds = ("string", "large_string", "binary", "large_binary", "string_view", "binary_view")
    return str(kind) in (*kinds, "null")


def refusal(role: str, kind: pa.DataType) -> str | None:
    """Return why a column of a type cannot play a role; None if it can.

    Args:
        role: "label", "dense", "counts", "sparse" or "time".
        kind: Arrow's type.
    """
    import pyarrow as pa

    types: Any = pa.types
    if types.is_dictionary(kind):
        kind = kind.value_type
    number = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
    if number or is_text(kind) or (types.is_boolean(kind) and role != "time"):
        return None
    stamp = types.is_timestamp(kind) or types.is_date(kind)
    if (stamp and role in ("time", "sparse")) or (_is_uuid(kind) and role == "sparse"):
        return None
    expected = {
        "time": "a number, a timestamp, a date or text",
        "sparse": "text, a number, a truth value, a timestamp or a date",
    }.get(role, "a number, a truth value or text")
    return f"must be {expected}, but got the type {kind}."


def _to_numpy(column: pa.Array) -> Float64[np.ndarray, " n"]:
    """Return a copy with NaN for null."""
    import pyarrow.compute as pc

    return np.array(pc.fill_null(column, float("nan")), dtype=np.float64)
