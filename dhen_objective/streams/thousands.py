"""A warning of numbers whose point may stand between thousands."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from dhen_objective.streams.columns import is_text, plain

if TYPE_CHECKING:
    import pyarrow as pa

_POINTED = r"^[ \t]*[-+]?[1-9][0-9]{0,2}\.[0-9]{3}[ \t]*$"
_MANY, _SOME = 100, 20


def warn_of_thousands(column: pa.Array, values: Float64[np.ndarray, " n"], *, name: str) -> None:
    """Warn where all numbers with a point look like 1.234, and others are whole and below 1,000.

    Programs that write 1.234 for a thousand and more write smaller numbers as 999. Of numbers
    with three decimals that are written as short as possible, a tenth has a zero less.

    Args:
        column: As it is stored; nothing is looked at unless it is text.
        values: The same as numbers.
        name: Of the column.
    """
    if not is_text(plain(column[:0]).type):
        return
    size = np.abs(values)
    with_point = np.floor(size) < size
    if with_point.sum() < _MANY:
        return
    some = size[with_point][: 10 * _MANY]
    thousandths = 1000 * some
    if some.min() < 1 or np.abs(thousandths - np.round(thousandths)).max() > 1e-6:
        return  # nearly always
    if _all_look_so(plain(column)):
        warnings.warn(
            f"{name} has numbers with three decimals, such as {some[0]:.3f}, beside whole ones "
            "below 1,000. The point is taken for that of decimals; where it stands between "
            "thousands, write the numbers without it.",
            stacklevel=2,
        )


def _all_look_so(column: pa.Array) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    text = column.cast(pa.large_binary()).drop_null()
    pointed = pc.match_substring(text, b".")
    whole = text.filter(pc.match_substring_regex(text, "^[ \t]*[-+]?[0-9]{1,3}[ \t]*$"))
    looks_so = pc.match_substring_regex(text.filter(pointed), _POINTED)
    others = len(text) - len(looks_so) - len(whole) - pc.sum(pc.equal(text, b"")).as_py()
    return pc.all(looks_so).as_py() and not others and pc.count_distinct(whole).as_py() >= _SOME
