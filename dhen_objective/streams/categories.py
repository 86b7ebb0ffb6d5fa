"""Columns of an Arrow table as the ids of categories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int64

from dhen_objective.streams.columns import is_text, plain
from dhen_objective.streams.hashing import LONGEST_ODD, ODD, ODD_MARKS, hashed_words, word

if TYPE_CHECKING:
    import pyarrow as pa


def ids(column: pa.Array, *, field: str, size: int) -> Int64[np.ndarray, " n"]:
    """Hashes categories as `stable_id` does, each one once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_dictionary(column.type):
        column = plain(column).dictionary_encode()
    words = [*_words(column.dictionary), word(None)]
    index = pc.fill_null(column.indices.cast(pa.int64()), len(words) - 1)
    known = hashed_words(words, field=field, size=size)
    return known[index.to_numpy(zero_copy_only=False)]


def _words(column: pa.Array) -> list[bytes]:
    """Returns the word of each value."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_float16(column.type) or pa.types.is_float32(column.type):
        # .1 in float32 is written .1, but is another number in Python's float
        values = column.to_numpy(zero_copy_only=False)
        return [word(None if np.isnan(value) else value) for value in values]
    column = plain(column)
    if not is_text(column.type):
        return [word(value) for value in column.to_pylist()]
    column = pc.fill_null(column.cast(pa.large_binary()), b"")
    words = column.to_numpy(zero_copy_only=False).tolist()
    for i in _odd(column, words).tolist():  # all others are their own words
        words[i] = word(words[i])
    return words


def _odd(column: pa.Array, words: list[bytes]) -> Int64[np.ndarray, " _"]:
    """Returns which texts may not be their own words."""
    import pyarrow.compute as pc

    candidates, every = np.arange(len(column)), b"".join(words)
    if not any(mark in every for mark in ODD_MARKS):  # in most columns, and found out fast
        short = pc.less_equal(pc.binary_length(column), LONGEST_ODD)
        candidates, column = candidates[short.to_numpy(zero_copy_only=False)], column.filter(short)
    odd = pc.match_substring_regex(column, ODD)
    return candidates[odd.to_numpy(zero_copy_only=False)]
