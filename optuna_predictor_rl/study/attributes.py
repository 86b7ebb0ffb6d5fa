"""Reading of attributes that anybody with access to the storage may have written."""

from __future__ import annotations

import sys


def as_number(value: object) -> float | None:
    """A stored number, infinite and NaN included; None if it is anything else.

    Example:
        >>> as_number(3), as_number("3"), as_number(True), as_number(10**400)
        (3.0, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        return None
    return float(value)
