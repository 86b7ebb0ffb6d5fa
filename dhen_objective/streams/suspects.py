"""Signs that a text has another layout than the given one, of which readers are warned."""

from __future__ import annotations

import re

from dhen_objective.streams.layout import CSV


def may_be_rows(text: bytes, delimiter: bytes, width: int) -> bool:
    """Return True if each line of a row could be a row of its own, with values of the same kinds.

    This happens where two quotes in different rows are plain letters, each at an end of a value.

    Args:
        text: Of the row.
        delimiter: Between its values.
        width: Number of columns of a row.
    """
    lines = text.rstrip(b"\r\n").splitlines()
    if any(line.count(delimiter) != width - 1 for line in lines):
        return False
    rows = [[value.strip(b' \t"') for value in line.split(delimiter)] for line in lines]
    columns = [[value for value in column if value] for column in zip(*rows, strict=True)]
    return all(len({_is_number(value) for value in column}) < 2 for column in columns)


def _is_number(value: bytes) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def escaped_letter(block: bytes, layout: CSV) -> str | None:
    r"""Return an escape and the letter or digit behind it; None if there is none.

    Programs mean different things by them: PostgreSQL writes a new line as `\n`, and a program
    that does not escape the escape itself writes a folder as `C:\new`.
    """
    escape = re.escape((layout.escape or "").encode())
    if not re.search(escape + rb"[A-Za-z0-9]", block):
        return None
    for match in re.finditer(escape + rb"(?s:(.))", block):  # from the left: escapes go in pairs
        if match[1].isalnum():
            return match[0].decode()
    return None
