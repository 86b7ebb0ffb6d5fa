"""Stateless hashing of categories to ids: the same everywhere, always, without a vocabulary."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import MAX_PREC, Context, Decimal
from itertools import repeat
from math import isfinite

import numpy as np
from jaxtyping import Int64, UInt64

MISSING = b"\xff\0missing"
"""The word of a missing value; it is not valid UTF-8, so that no text equals it."""

_NUMBER = re.compile(rb"(-?)((?:0|[1-9]\d*)?)(?:\.(\d*))?")
_POWER = re.compile(
    rb"-?(?:(?:\d\.\d*[eE][-+]?|(?:0|[1-9]\d*)(?:\.\d*)?[eE][-+])\d{1,3}|[1-9][eE][1-9]\d{1,2})"
)
"""Numbers with an exponent. 1e7 and 0e5, with neither sign nor point, may be hexadecimal."""
FLOAT_DIGITS = 17
"""Digits by which any float64 can be told from all others; of those with 15, no two are one."""

_WIDE = Context(prec=MAX_PREC)
_TIME = re.compile(
    rb"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d*?)0*)?"
    rb" ?(Z|UTC|[-+]\d\d(?::?\d\d(?::\d\d)?)?)?"
)
ODD = (
    r"(?s)^(nan|NaN|-0|true|TRUE|false|FALSE|)$|\..*0$|\.$|^-?\.|^-?0\.0000"
    r"|^-?(\d(\.\d*)?[eE][-+]?|(0|[1-9]\d*)(\.\d*)?[eE][-+])\d{1,3}$|^....-|^[ \t\r\n]|[ \t\r\n]$"
    r"|^-?[\d.]{17,}$"
)
"""A regular expression that matches every text that is not its own `word`."""
ODD_MARKS, LONGEST_ODD = (b".", b"-", b"+", b" ", b"\t", b"\r", b"\n"), 5
"""A text that is longer than this and has none of these marks does not match `ODD`."""

_BYTES = (bytes, bytearray, memoryview)
_SAME = {
    b"": MISSING, b"nan": MISSING, b"NaN": MISSING, b"-0": b"0",
    b"true": b"True", b"TRUE": b"True", b"false": b"False", b"FALSE": b"False",
}  # fmt: skip


def stable_id(value: object, *, field: str, size: int) -> int:
    """Return the id of a category in [0, size).

    Python's own `hash` of a string changes with every process; CRC-32 does not. Its bits are
    mixed by the last step of MurmurHash3, since otherwise similar words would often share ids. The
    field's name is part of what is hashed, so that equal values of different fields are
    unrelated.

    A number, a truth value or a time has one id however it is stored or written: 5, 5.0, "5",
    "5.0" and " 5"; 2.5 and "2.50"; 10000000.0, "1e+07" and "1.0E7"; True, "True", "true"
    and "TRUE"; a date and its midnight; a moment in any time zone, which is UTC where none is
    named. Spaces, tabs and new lines around text do not count: pandas writes a carriage return
    without quotes, where it is the end of a line. None, NaN and empty text are one category,
    which no text shares. Truth values are no numbers here: True and 1 are two categories. Text
    with zeros or a plus in front, such as "05", is no number but a code, and so is "1e7", which
    may be hexadecimal and which no program writes for 10000000. A number with a fraction is the
    float next to it, which 0.1 and "0.10000000000000001" both are, but keeps all its digits where
    it has more than 17 and they are not the float's. An integer in a float32
    is hashed with all its digits; CSV files show at most eight of them.

    Examples:
        >>> stable_id("GROCERY", field="department", size=1024)
        545
        >>> stable_id(5, field="shop", size=99) == stable_id("5.0", field="shop", size=99)
        True
    """
    return int(hashed_ids([value], field=field, size=size)[0])


def hashed_ids(values: Iterable[object], *, field: str, size: int) -> Int64[np.ndarray, " n"]:
    """Return the ids of categories, as `stable_id` does."""
    return hashed_words(map(word, values), field=field, size=size)


def hashed_words(words: Iterable[bytes], *, field: str, size: int) -> Int64[np.ndarray, " n"]:
    """Return the ids of categories whose `word` is known."""
    if not isinstance(size, int | np.integer) or size < 1:
        raise ValueError(f"size must be an integer of at least 1, but got {size}.")
    begin = zlib.crc32(f"{field}=".encode())
    hashes = np.fromiter(map(zlib.crc32, words, repeat(begin)), np.uint64)
    return (_mixed(hashes) % np.uint64(size)).astype(np.int64)


def word(value: object) -> bytes:
    """Return the text that is hashed for a category, the same for all its spellings.

    Examples:
        >>> [word(value) for value in (5.0, b"5.00", "1e+16", True, "08:00", "2.50", " a")]
        [b'5', b'5', b'10000000000000000', b'True', b'08:00', b'2.5', b'a']
        >>> word(float("nan")) == word(None) == MISSING
        True
    """
    if isinstance(value, float | np.floating):
        if value.is_integer():
            return str(int(value)).encode()  # all digits: a float32's text has eight at most
        return MISSING if value != value else str(value).encode()
    if value is None or _is_missing(value):
        return MISSING
    if isinstance(value, Decimal):
        value = format(value, "f") if value.is_finite() else float(value)
    elif isinstance(value, str):
        value = str.__str__(value)  # of a member of an enumeration, its value
    elif isinstance(value, datetime) and value.tzinfo is not None:
        with suppress(OverflowError):  # a last day of all days remains as it is written
            value = value.astimezone(UTC)
    text = bytes(value) if isinstance(value, _BYTES) else str(value).encode()
    text = text.strip(b" \t\r\n")
    if text in _SAME:
        return _SAME[text]
    return _time(text) if text[4:5] == b"-" and text[7:8] == b"-" else _number(text)


def _is_missing(value: object) -> bool:
    """Return True for what pandas and NumPy have for a missing value of another type."""
    if isinstance(value, np.datetime64 | np.timedelta64):
        return bool(np.isnat(value))
    return type(value).__name__ in ("NAType", "NaTType")  # pandas need not be installed


def _number(text: bytes) -> bytes:
    """Return the text of a number as Python writes it, and other text unchanged.

    An integer keeps all its digits. Any other number is that of a float if it has at most 17
    digits, by which programs write floats, or if it is what the float is, rounded to its digits.
    """
    if match := _NUMBER.fullmatch(text):
        sign, whole, part = match.groups()
        if part is None or not whole + part:
            return text
        if not part.strip(b"0"):
            whole = sign + (whole or b"0")
            return _SAME.get(whole, whole)
        whole = whole or b"0"
        plain = sign + whole + b"." + part.rstrip(b"0")
        short = len(plain) < FLOAT_DIGITS  # with the point, so that no other has its float
        if short and (whole != b"0" or not part.startswith(b"0000")):
            return plain  # which Python writes without an exponent
    elif _POWER.fullmatch(text):
        plain = text
    else:
        return text
    value = float(plain)
    if value.is_integer() and plain is text:
        return str(int(value)).encode()
    shortest = repr(value).encode()
    if shortest == plain:  # as most programs write it; decimals are slow
        return plain
    return shortest if _is_float(Decimal(plain.decode()), value) else plain


def _is_float(number: Decimal, value: float) -> bool:
    """Return True if a number with a fraction was written for the float next to it."""
    if not isfinite(value) or value.is_integer():
        return False
    digits = len(number.normalize(_WIDE).as_tuple().digits)
    return digits <= FLOAT_DIGITS or number == Context(prec=digits).create_decimal(value)


def _time(text: bytes) -> bytes:
    """Return a time in UTC in its shortest form, and other text unchanged."""
    match = _TIME.fullmatch(text)
    if not match:
        return text
    day, clock, part, zone = match.groups()
    if zone and zone.strip(b"-+0:") and zone not in (b"Z", b"UTC"):
        try:
            moment = datetime.fromisoformat(b"".join((day, b"T", clock, zone)).decode())
            day, clock = str(moment.astimezone(UTC))[:19].encode().split()
        except (ValueError, OverflowError):  # no day of the calendar
            return text
    if part:
        return day + b" " + clock + b"." + part
    return day if clock == b"00:00:00" else day + b" " + clock


def _mixed(hashes: UInt64[np.ndarray, " n"]) -> UInt64[np.ndarray, " n"]:
    """Mix the bits with the finalizer of MurmurHash3 (Appleby 2011): each bit depends on all."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        hashes = (hashes ^ (hashes >> np.uint64(33))) * np.uint64(factor)
    return hashes ^ (hashes >> np.uint64(33))
