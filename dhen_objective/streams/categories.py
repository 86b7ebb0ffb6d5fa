"""Columns of an Arrow table as the ids of categories."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64, Int64

from dhen_objective.streams.columns import EXACT, is_text, plain
from dhen_objective.streams.hashing import (
    FLOAT_DIGITS,
    LONGEST_ODD,
    ODD,
    ODD_MARKS,
    hashed_words,
    word,
)
from dhen_objective.streams.odd_texts import warn_of_odd_texts

if TYPE_CHECKING:
    import pyarrow as pa

_WHOLE = re.compile(rb"-?[0-9]{16,20}")
_SHORTENED = re.compile(rb"-?[0-9]\.[0-9]{5}[eE]\+?(?:0?[6-9]|[1-9][0-9])")
"""Large integers as Excel shows them and C's %g writes them, with six digits."""

_PADDED = re.compile(rb"-?[0-9]+\.[0-9]*[1-9]0+")
_FRACTION = re.compile(rb"\s*-?[0-9]*\.[0-9]*[1-9]0*\s*")
_DECIMAL_COMMA = re.compile(rb"-?[0-9]+,0|")

_NULLS = frozenset((b"\\N", b"NULL", b"null", b"<NA>", b"NaT", b"#N/A"))
"""Missing values in files of databases, pandas and Excel. NA, None and N/A may be categories."""


def ids(column: pa.Array, *, field: str, size: int) -> Int64[np.ndarray, " n"]:
    """Return the ids of categories, as `stable_id` does; hash each category once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = _used(column) if pa.types.is_dictionary(column.type) else _encoded(plain(column))
    words = [*_words(column.dictionary, field), word(None)]
    index = pc.fill_null(column.indices.cast(pa.int64()), len(words) - 1)
    known = hashed_words(words, field=field, size=size)
    return known[index.to_numpy(zero_copy_only=False)]


def _encoded(column: pa.Array) -> pa.Array:
    """Return the column with each value once; halffloats by bits, as Arrow before 26 cannot."""
    import pyarrow as pa

    if not pa.types.is_float16(column.type):
        return column.dictionary_encode()
    bits = column.view(pa.uint16()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(bits.indices, bits.dictionary.view(pa.float16()))


def _used(column: pa.DictionaryArray) -> pa.DictionaryArray:
    """Return a column without categories of no row, as a filter leaves them behind."""
    import pyarrow as pa

    index = column.indices.drop_null().to_numpy(zero_copy_only=False)
    used = np.zeros(len(column.dictionary), bool)
    used[index] = True
    if used.all():
        return column
    place = pa.array(np.cumsum(used) - 1)
    indices = place.take(column.indices)
    categories = plain(column.dictionary).filter(pa.array(used))
    return pa.DictionaryArray.from_arrays(indices, categories)


def _words(column: pa.Array, field: str) -> list[bytes]:
    """Return the word of each value; see `hashing.word`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(column.type):
        _warn_of_lost_digits(np.abs(_numbers(column)), EXACT[str(column.type)], field)
    if pa.types.is_float16(column.type) or pa.types.is_float32(column.type):
        # .1 in float32 is written .1, but is another number in Python's float
        values = column.to_numpy(zero_copy_only=False)
        return [word(None if np.isnan(value) else value) for value in values]
    column = plain(column)
    if not is_text(column.type):
        values = column.to_pylist()
        words = [word(value) for value in values]
        if pa.types.is_decimal(column.type):
            texts = [b"" if value is None else format(value, "f").encode() for value in values]
            _warn_of_one_float(texts, words, field)
        return words
    padded: dict[bytes, bytes] = {}
    column = pc.fill_null(column.cast(pa.large_binary()), b"")
    words = column.to_numpy(zero_copy_only=False).tolist()
    if nulls := _NULLS.intersection(words):
        _warn_of_null(min(nulls).decode(), field)
    _warn_of_decimal_commas(words, field)
    warn_of_odd_texts(words, field)
    rewritten: list[int] = []
    odd, texts = _odd(column, words).tolist(), words.copy()
    for i in odd:  # all others are their own words
        text, words[i] = words[i], word(words[i])
        if _PADDED.fullmatch(text):
            padded[words[i]] = text
        if _SHORTENED.fullmatch(text):
            _warn_of_six_digits(text, field)
        of_float = text.endswith(b".0") or b"e" in text.lower()
        if of_float and _WHOLE.fullmatch(words[i]):
            rewritten.append(abs(int(words[i])))
    _warn_of_one_float([texts[i] for i in odd], [words[i] for i in odd], field)
    if rewritten:
        _warn_of_lost_digits(np.array(rewritten, float), EXACT["double"], field)
    if padded and (both := padded.keys() & set(column.to_pylist())):
        _warn_of_versions(min(both).decode(), padded[min(both)].decode(), field)
    return words


def _odd(column: pa.Array, words: list[bytes]) -> Int64[np.ndarray, " _"]:
    """Return the positions of texts that may not be their own words."""
    import pyarrow.compute as pc

    candidates, every = np.arange(len(column)), b"".join(words)
    if not any(mark in every for mark in ODD_MARKS):  # in most columns, and found out fast
        short = pc.less_equal(pc.binary_length(column), LONGEST_ODD)
        candidates, column = candidates[short.to_numpy(zero_copy_only=False)], column.filter(short)
    odd = pc.match_substring_regex(column, ODD)
    return candidates[odd.to_numpy(zero_copy_only=False)]


def _warn_of_null(text: str, field: str) -> None:
    warnings.warn(
        f"sparse {field!r} has the text {text}, by which databases and other programs mean a "
        "missing value. Here it is a category, other than that of null in Parquet files and "
        f"DataFrames: give CSV(null=({text!r},)), or a table in which it is missing.",
        stacklevel=2,
    )


def _warn_of_versions(short: str, padded: str, field: str) -> None:
    warnings.warn(
        f"sparse {field!r} has both {short} and {padded}, which are one number and so one "
        "category. Where they are two, such as versions, write a letter in front of each.",
        stacklevel=2,
    )


def _warn_of_one_float(texts: Iterable[bytes], words: Iterable[bytes], field: str) -> None:
    """Warn of two numbers of so many digits that the same float is next to both."""
    numbers: dict[bytes, bytes] = {}
    for text, of in zip(texts, words, strict=True):
        if len(text) < FLOAT_DIGITS or not _FRACTION.fullmatch(text):
            continue
        number = text.strip().rstrip(b"0")
        other = numbers.setdefault(of, number)
        if other != number and Decimal(other.decode()) != Decimal(number.decode()):
            warnings.warn(
                f"sparse {field!r} has both {other.decode()} and {number.decode()}, which are one "
                "float and so one category. Where they are two, write a letter in front of each.",
                stacklevel=2,
            )
            return


def _warn_of_decimal_commas(texts: Sequence[bytes], field: str) -> None:
    """Warn where all texts are whole numbers with a comma, as pandas writes a float column."""
    if not all(map(_DECIMAL_COMMA.fullmatch, texts)) or not any(texts):
        return
    warnings.warn(
        f"sparse {field!r} has whole numbers with a decimal comma, such as "
        f"{max(texts, key=len).decode()}. They are other categories than the same numbers without "
        "it: write them with a point, or as integers.",
        stacklevel=2,
    )


def _warn_of_six_digits(text: bytes, field: str) -> None:
    warnings.warn(
        f"sparse {field!r} has numbers such as {text.decode()}, of which a program may have "
        "shown six digits: all that begin with these are then one category. Write them as whole "
        "numbers.",
        stacklevel=2,
    )


def _numbers(column: pa.Array) -> Float64[np.ndarray, " n"]:
    return column.to_numpy(zero_copy_only=False).astype(np.float64)


def _warn_of_lost_digits(values: Float64[np.ndarray, " n"], exact: int, field: str) -> None:
    """Warn of integers that were stored as floats and have more digits than a float holds."""
    doubtful = values[(values >= exact) & (values < 2.0**64)]
    doubtful = doubtful[doubtful == np.floor(doubtful)]
    if len(doubtful):
        warnings.warn(
            f"sparse {field!r} has whole numbers from {exact:,} on that were stored as floats, "
            f"such as {int(doubtful[0])}. Their last digits may be lost, and their ids are then "
            "those of other numbers: store them as integers or text.",
            stacklevel=2,
        )
