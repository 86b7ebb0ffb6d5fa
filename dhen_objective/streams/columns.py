"""Columns of an Arrow table as numbers, times, labels and ids, with what is wrong in them."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float64, Int64

from dhen_objective.streams.hashing import MISSING

if TYPE_CHECKING:
    import pyarrow as pa

_NUMBER = r"^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$"
_BLANK = r"^([nN][aA][nN])?$"


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
    """Reads finite numbers; null, empty text and NaN are missing, which is not wrong."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if _is_text(column):
        text = pc.fill_null(column.cast(pa.binary()), b"")
        numeric = pc.match_substring_regex(text, _NUMBER)
        wrong = pc.invert(pc.or_(numeric, pc.match_substring_regex(text, _BLANK)))
        column = pc.if_else(numeric, text, pa.scalar(None, pa.binary())).cast(pa.string())
    else:
        column = column.cast(pa.uint8()) if pa.types.is_boolean(column.type) else column
        wrong = pa.array(np.zeros(len(column), bool))
    values = _to_numpy(column.cast(pa.float64(), safe=False))
    infinite = np.isinf(values)
    values[infinite] = np.nan
    return Values(values, wrong.to_numpy(zero_copy_only=False) | infinite, "a finite number")


def labels(column: pa.Array) -> Values:
    """Reads labels, none of which may be missing."""
    values = numbers(column).values
    return Values(values, (values != 0) & (values != 1), "0 or 1")


def times(column: pa.Array, form: str | None = None) -> Values:
    """Reads times in seconds, none of which may be missing.

    Args:
        column: Numbers, timestamps, or text.
        form: How text is read, as for `strptime`, in UTC; by default it holds numbers.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if form is not None and _is_text(column):
        text = column.cast(pa.binary())
        ascii_only = pc.match_substring_regex(text, r"^[\x20-\x7e]+$")
        text = pc.if_else(ascii_only, text, pa.scalar(None, pa.binary())).cast(pa.string())
        stamps = pc.strptime(text, format=form, unit="s", error_is_null=True)
        values, rule = _to_numpy(stamps.cast(pa.int64()).cast(pa.float64())), f"a time {form!r}"
    elif pa.types.is_temporal(column.type):
        stamps = column.cast(pa.timestamp("us")).cast(pa.int64())
        values, rule = _to_numpy(stamps.cast(pa.float64(), safe=False)) / 1e6, "a time"
    else:
        values, rule = numbers(column).values, "a number"
    return Values(values, np.isnan(values), rule)


def ids(column: pa.Array, *, field: str, size: int) -> Int64[np.ndarray, " n"]:
    """Hashes categories as `stable_id` does; null and empty text are the category "missing"."""
    import pyarrow.compute as pc

    encoded = column.dictionary_encode()
    prefix, missing = f"{field}=".encode(), MISSING.encode()
    words = [prefix + (_word(value) or missing) for value in encoded.dictionary.to_pylist()]
    known = [zlib.crc32(word) % size for word in (*words, prefix + missing)]
    index = pc.fill_null(encoded.indices, len(words)).to_numpy(zero_copy_only=False)
    return np.array(known, dtype=np.int64)[index]


def _word(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _is_text(column: pa.Array) -> bool:
    import pyarrow as pa

    kinds = pa.types
    return (
        kinds.is_string(column.type)
        or kinds.is_large_string(column.type)
        or kinds.is_binary(column.type)
        or kinds.is_large_binary(column.type)
        or kinds.is_null(column.type)
    )


def _to_numpy(column: pa.Array) -> Float64[np.ndarray, " n"]:
    """Returns a copy with NaN for null."""
    import pyarrow.compute as pc

    return np.array(pc.fill_null(column, float("nan")), dtype=np.float64)
