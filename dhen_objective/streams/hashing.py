"""Stateless hashing of categories to ids: the same everywhere, always, without a vocabulary."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from decimal import Decimal
from itertools import repeat

import numpy as np
from jaxtyping import Int64, UInt64

MISSING = "missing"
"""The category of a value that is not there."""

_WHOLE = re.compile(rb"(-?(?:0|[1-9]\d*))\.0+")
_POWER = re.compile(rb"-?\d(?:\.\d+)?e\+\d{2,3}")
_TIME = re.compile(rb"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d*?)0*)?")
ODD = r"(?s)^(nan|NaN|-0|true|TRUE|false|FALSE|)$|\..*0$|e\+|^....-"
"""What, as a regular expression, all texts match that are not their own `word`."""

_SAME = {
    b"": MISSING.encode(), b"nan": MISSING.encode(), b"NaN": MISSING.encode(), b"-0": b"0",
    b"true": b"True", b"TRUE": b"True", b"false": b"False", b"FALSE": b"False",
}  # fmt: skip


def stable_id(value: object, *, field: str, size: int) -> int:
    """Returns the id of a category in [0, size).

    Python's own `hash` of a string changes with every process; CRC-32 does not. Its bits are
    mixed by the last step of MurmurHash3, as alike words would share ids too often without. The
    field's name is part of what is hashed, so that equal values of different fields are
    unrelated.

    A number, a truth value or a time has one id however it is stored or written: 5, 5.0, "5" and
    "5.0"; True, "True", "true" and "TRUE"; a date and its midnight. None, NaN and empty text are
    one category, too.

    Examples:
        >>> stable_id("GROCERY", field="department", size=1024)
        545
        >>> stable_id(5, field="shop", size=99) == stable_id("5.0", field="shop", size=99)
        True
    """
    return int(hashed_ids([value], field=field, size=size)[0])


def hashed_ids(values: Iterable[object], *, field: str, size: int) -> Int64[np.ndarray, " n"]:
    """Returns the ids of categories, as `stable_id` does."""
    return hashed_words(map(word, values), field=field, size=size)


def hashed_words(words: Iterable[bytes], *, field: str, size: int) -> Int64[np.ndarray, " n"]:
    """Returns the ids of categories of which the `word` is known."""
    begin = zlib.crc32(f"{field}=".encode())
    hashes = np.fromiter(map(zlib.crc32, words, repeat(begin)), np.uint64)
    return (_mixed(hashes) % np.uint64(size)).astype(np.int64)


def word(value: object) -> bytes:
    """Returns what is hashed: one text for each category.

    Examples:
        >>> [word(value) for value in (5.0, b"5.00", "1e+16", True, float("nan"), "08:00")]
        [b'5', b'5', b'10000000000000000', b'True', b'missing', b'08:00']
    """
    if isinstance(value, float) and value.is_integer():
        return str(int(value)).encode()
    if value is None:
        return MISSING.encode()
    if isinstance(value, Decimal):
        value = format(value, "f")
    text = value if isinstance(value, bytes) else str(value).encode()
    if text in _SAME:
        return _SAME[text]
    odd = (text[-1:] == b"0" and b"." in text) or b"e+" in text or text[4:5] == b"-"
    return _trimmed(text) if odd else text


def _trimmed(text: bytes) -> bytes:
    """Returns a number or a time without what does not change it."""
    if match := _WHOLE.fullmatch(text):
        return _SAME.get(match[1], match[1])
    if _POWER.fullmatch(text):
        value = float(text)
        return str(int(value)).encode() if value.is_integer() else text
    if match := _TIME.fullmatch(text):
        day, clock, part = match.groups()
        if part:
            return day + b" " + clock + b"." + part
        return day if clock == b"00:00:00" else day + b" " + clock
    return text


def _mixed(hashes: UInt64[np.ndarray, " n"]) -> UInt64[np.ndarray, " n"]:
    """The finalizer of MurmurHash3 (Appleby 2011): each bit depends on all."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        hashes = (hashes ^ (hashes >> np.uint64(33))) * np.uint64(factor)
    return hashes ^ (hashes >> np.uint64(33))
