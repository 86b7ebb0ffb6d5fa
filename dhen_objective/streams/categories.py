"""Columns of an Arrow table as the ids of categories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int64

from dhen_objective.streams.columns import is_text, plain
from dhen_objective.streams.hashing import hashed_ids

if TYPE_CHECKING:
    import pyarrow as pa


def ids(column: pa.Array, *, field: str, size: int) -> Int64[np.ndarray, " n"]:
    """Hashes categories as `stable_id` does, each one once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_dictionary(column.type):
        column = plain(column).dictionary_encode()
    values = [*_values(column.dictionary), None]
    index = pc.fill_null(column.indices.cast(pa.int64()), len(values) - 1)
    known = hashed_ids(values, field=field, size=size)
    return known[index.to_numpy(zero_copy_only=False)]


def _values(column: pa.Array) -> list[Any]:
    """Returns the values as Python has them."""
    import pyarrow as pa

    if pa.types.is_float16(column.type) or pa.types.is_float32(column.type):
        # .1 in float32 is written .1, but is another number in Python's float
        shortest = column.to_numpy(zero_copy_only=False)
        return [None if np.isnan(value) else str(value) for value in shortest]
    column = plain(column)
    if is_text(column.type):
        return column.cast(pa.large_binary()).to_numpy(zero_copy_only=False).tolist()
    return column.to_pylist()
