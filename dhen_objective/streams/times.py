"""Columns of an Arrow table as times, with a mask of the wrong values."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float64

from dhen_objective.streams.columns import EXACT, Values, is_text, numbers, plain

if TYPE_CHECKING:
    import pyarrow as pa

_FIRST_SECOND, _LAST_SECOND = 1e8, 1.99e9
"""Numbers between these, 1973 and 2033, are seconds since 1970. Milliseconds, days, and dates
written as 20141021 or 2014102105 lie outside."""

_DIGITS = dict.fromkeys("mdHMSyUWV", 2) | dict.fromkeys("wu", 1) | {"Y": 4, "G": 4, "j": 3}
"""Number of digits that a directive of `strptime` writes, for those that always write as many."""

_FULL_YEAR = ("%Y", "%G", "ISO8601")
_ROLLS_OVER, _INEXACT = re.compile("%[jUW]"), re.compile("%[fzZ]")
"""Directives with which pandas takes day 366 for the first day of the next year, and directives
that pandas writes otherwise than it reads them."""

_MANY_TIMES = 100
"""Number of times from which counts of seconds do not all look like dates by accident."""

_RELATIVE = (b"now", b"today")
"""Texts that pandas takes for the time at which it reads them."""


def times(column: pa.Array, form: str | None = None, *, calendar: bool = False) -> Values:
    """Return times in seconds, none of which may be missing.

    With a format, a number is read as its text in a CSV file. Where the format has digits alone,
    zeros that a number lost in front of it are put back, and `.0` behind it is left out.

    Args:
        column: Numbers, timestamps, or text.
        form: How text is read, as for `strptime`, in UTC; by default it holds numbers.
        calendar: Whether a number must be a likely count of seconds since 1970.
    """
    import pyarrow as pa

    column = plain(column)
    if pa.types.is_temporal(column.type):
        values, rule = _seconds(column), "a time"
    elif form is not None:
        column = column if is_text(column.type) else _whole_texts(column)
        values, rule = _parsed(column.cast(pa.binary()), form), f"a time {form!r}"
    else:
        values, rule = numbers(column).values, "a number"
        if calendar:
            likely = (values >= _FIRST_SECOND) & (values < _LAST_SECOND)
            values = np.where(likely, values, np.nan)
            _warn_of_dates(values)
            rule = "in seconds from 1973 to 2033 where calendar is true"
    return Values(values, np.isnan(values), rule)


def _warn_of_dates(seconds: Float64[np.ndarray, " n"]) -> None:
    """Warn of numbers whose digits are all those of a date and a time of day, without seconds."""
    times = np.unique(seconds[~np.isnan(seconds)]).astype(np.int64)
    if len(times) < _MANY_TIMES:
        return
    month, day, hour, minute = (times // 10**i % 100 for i in (6, 4, 2, 0))
    dates = (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (hour < 24) & (minute < 60)
    if dates.all():
        warnings.warn(
            f"times such as {times[0]} are taken for seconds since 1970, but all of them have the "
            'digits of year, month, day, hour and minute. If they are these, give time_format="'
            '%y%m%d%H%M".',
            stacklevel=2,
        )


def check_format(form: str, *, calendar: bool) -> None:
    """Check that a format can be read, and that it has a year if a calendar needs one.

    Raises:
        ValueError: If it is "mixed", which guesses day and month; has an unknown directive, hours
            of twelve without their half of the day or the other way round, or, for a calendar,
            no year.
    """
    import pandas as pd

    if form == "ISO8601":
        return
    if form == "mixed":
        raise ValueError('time_format must be one format for all times, but got "mixed".')
    codes = set(re.findall(r"%(.)", form))
    if ("I" in codes) != ("p" in codes):
        raise ValueError(f"time_format must have %I and %p together, but got {form!r}.")
    if calendar and not codes & set("YyGcxs"):
        raise ValueError(f"time_format must have a year where calendar is true, but got {form!r}.")
    try:
        pd.to_datetime(pd.Series(["x"]), format=form, errors="coerce")
    except ValueError as error:
        raise ValueError(
            f"time_format must be one of strptime, but got {form!r}: {error}"
        ) from error


def number_refusal(form: str | None, kind: pa.DataType) -> str | None:
    """Return why numbers cannot be read by a format; None if they can.

    A number has lost the zeros in front of it, so the format must say how many digits it has; in
    ISO 8601 the year comes first, which has no such zero.
    """
    import pyarrow as pa

    types: Any = pa.types
    kind = kind.value_type if types.is_dictionary(kind) else kind
    number = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
    if form is None or form == "ISO8601" or not number or _width(form) is not None:
        return None
    return (
        f"must be text, a timestamp or a date where time_format is {form!r}, which does not have "
        f"a known number of digits alone, but got the type {kind}."
    )


def _width(form: str) -> int | None:
    """Return the number of digits that a format writes; None if it is not digits alone."""
    if not re.fullmatch(rf"(%[{''.join(_DIGITS)}]|[0-9])+", form):
        return None
    return sum(_DIGITS.get(code, 1) for code in re.findall(r"%(.)|[0-9]", form))


def _whole_texts(column: pa.Array) -> pa.Array:
    """Return integers as text, and null for all other numbers."""
    import pyarrow as pa

    kind = column.type
    if not pa.types.is_floating(kind):
        text = column.cast(pa.string())
        return text if pa.types.is_integer(kind) else _without_zeros(text)
    values = numbers(column).values
    whole = (values == np.floor(values)) & (np.abs(values) <= EXACT[str(kind)])
    return pa.array(np.where(whole, values, 0).astype(np.int64), mask=~whole).cast(pa.string())


def _without_zeros(text: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    return pc.replace_substring_regex(text, r"\.0*$", "")


def _seconds(column: pa.Array) -> Float64[np.ndarray, " n"]:
    """Return timestamps or dates as seconds, whose integer part is exact."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type if pa.types.is_timestamp(column.type) else pa.timestamp("s")
    stamps = column.cast(kind).cast(pa.int64())
    units = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
    whole, rest = np.divmod(pc.fill_null(stamps, 0).to_numpy(zero_copy_only=False), units)
    # the last nanoseconds of an hour must not be rounded into the next
    seconds = whole + np.minimum(rest / units, 1 - 2.0**-20)
    return np.where(stamps.is_null().to_numpy(zero_copy_only=False), np.nan, seconds)


def _parsed(column: pa.Array, form: str) -> Float64[np.ndarray, " n"]:
    """Parse times with pandas, since Arrow's `strptime` takes 31 February for 3 March."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = column.dictionary_encode()
    width = _width(form)
    texts = [_readable(text, form, width) for text in encoded.dictionary.to_pylist()]
    stamps = pd.to_datetime(pd.Series(texts, dtype=object), format=form, errors="coerce", utc=True)
    if _ROLLS_OVER.search(form) and not _INEXACT.search(form):
        written = stamps.dt.strftime(form)
        same = [_numbers(a) == _numbers(b) for a, b in zip(texts, written, strict=True)]
        stamps = stamps.where(np.array(same, bool))
    known = np.append(_seconds(pa.array(stamps, from_pandas=True)), np.nan)
    index = pc.fill_null(encoded.indices.cast("int64"), len(texts))
    return known[index.to_numpy(zero_copy_only=False)]


def _numbers(text: object) -> list[int]:
    return [int(digits) for digits in re.findall("[0-9]+", str(text))]


def _readable(text: bytes, form: str, width: int | None) -> str | None:
    """Return text in the form that pandas reads; None if it cannot be a time."""
    bare = text.strip().lower()
    if not text.isascii() or bare in _RELATIVE or bare.startswith(b"-"):
        return None  # pandas takes -2014 for a year before Christ
    if width is None:
        if form == "ISO8601" and text.endswith(b" UTC"):  # as BigQuery writes it
            text = text.removesuffix(b" UTC") + b"Z"
        return text.decode()
    digits = re.fullmatch(rb"([0-9]+)(\.0*)?", text)
    filled = digits[1].decode().zfill(width) if digits else ""
    lost = filled[:1] == "0" and form.startswith(_FULL_YEAR)  # a year of four digits has no zero
    return filled if len(filled) == width and not lost else None
