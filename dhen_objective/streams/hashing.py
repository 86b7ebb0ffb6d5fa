"""Stateless hashing of categories to ids: the same everywhere, always, without a vocabulary."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

MISSING = "missing"
"""The category of a value that is not there."""


def stable_id(value: object, *, field: str, size: int) -> int:
    """Returns the id of a category in [0, size).

    Python's own `hash` of a string changes with every process; CRC-32 does not. The field's name
    is part of what is hashed, so that equal values of different fields are unrelated.

    Examples:
        >>> stable_id("GROCERY", field="department", size=1024)
        950
    """
    return zlib.crc32(f"{field}={value}".encode()) % size


def stable_ids(values: Iterable[object], *, field: str, size: int) -> dict[object, int]:
    """Returns the id of each value, for values that occur often."""
    return {value: stable_id(value, field=field, size=size) for value in values}
