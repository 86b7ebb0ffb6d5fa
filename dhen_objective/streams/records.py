"""Where the rows of a CSV text begin and end: rows, lines and columns counted by the standard.

Arrow, which then reads the values, does not tell of a quote that is never closed, counts lines
wrongly after new lines in quotes, and cannot say which rows are too wide if they hold bytes
other than UTF-8. The counts here come from the positions of quotes, delimiters and new lines, all
found by numpy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int, UInt8

from dhen_objective.streams.layout import CSV

_QUOTE, _LF, _CR = b'"\n\r'
_SPACES = b" \t"

Positions = Int[np.ndarray, " _"]


@dataclass(frozen=True)
class Records:
    """The rows that end within a block of text.

    Attributes:
        starts: Offset of the first byte of each row.
        ends: Offset after the last byte of each row and the new line behind it.
        lines: Number of lines before each row.
        widths: Number of columns of each row; 0 for an empty line, which is no row.
        used: Offset at which the rest of the block begins.
        used_lines: Number of lines before it.
        fault: What is wrong with the quotes of the row that begins there, if anything.
        quoted: Offsets of the quotes around values: the opening ones, and the closing ones.
    """

    starts: Positions
    ends: Positions
    lines: Positions
    widths: Positions
    used: int
    used_lines: int
    fault: str | None
    quoted: tuple[Positions, Positions]


def find_records(block: bytes, layout: CSV, *, last: bool) -> Records:
    """Finds the rows of a block that begins with a row.

    Args:
        block: The text.
        layout: Of the text.
        last: Whether the file ends with the block.
    """
    text = np.frombuffer(block, np.uint8)
    escaped = _escaped(text, layout)
    newlines = _newlines(text, last=last)
    ends = _without(newlines, escaped)
    delimiters = _without(np.flatnonzero(text == ord(layout.delimiter)), escaped)
    opening, closing, cut, fault = _none(), _none(), len(text), None
    if layout.quotes and b'"' in block:
        quotes = _without(np.flatnonzero(text == _QUOTE), escaped)
        separators = np.zeros(len(text), bool)
        separators[ends] = separators[delimiters] = True
        pair = _quoted if layout.escape is None else _quoted_one_by_one
        opening, closing, cut, fault = pair(quotes, separators, text, last=last)
        ends = ends[(ends < cut) & ~_inside(ends, opening, closing)]
        delimiters = delimiters[~_inside(delimiters, opening, closing)]
    bounds = ends + 1
    if last and fault is None and len(text) > (bounds[-1] if len(bounds) else 0):
        bounds = np.append(bounds, len(text))  # the file's last row, without a new line
    starts = np.concatenate([[0], bounds[:-1]]) if len(bounds) else bounds
    used = int(bounds[-1]) if len(bounds) else 0
    before = np.searchsorted(newlines, np.append(starts, used))
    widths = np.diff(np.searchsorted(delimiters, np.append(starts, used))) + 1
    first = text[np.minimum(starts, len(text) - 1)]
    widths[(first == _LF) | (first == _CR)] = 0
    return Records(
        starts, bounds, before[:-1], widths, used, int(before[-1]), fault, (opening, closing)
    )


def _none() -> Positions:
    return np.zeros(0, np.int64)


def _without(positions: Positions, escaped: Positions) -> Positions:
    return positions[~np.isin(positions, escaped)] if len(escaped) else positions


def _escaped(text: UInt8[np.ndarray, " _"], layout: CSV) -> Positions:
    """Returns the offsets of bytes whose meaning is taken by the one before."""
    if layout.escape is None:
        return _none()
    found = np.flatnonzero(text == ord(layout.escape))
    if not len(found):
        return found
    # in a run of escapes, each second one is escaped itself
    begins = np.concatenate([[True], np.diff(found) > 1])
    first = found[begins][np.cumsum(begins) - 1]
    return found[(found - first) % 2 == 0] + 1


def _newlines(text: UInt8[np.ndarray, " _"], *, last: bool) -> Positions:
    r"""Returns the offsets of \n, and of \r that no \n follows."""
    found = np.flatnonzero(text == _LF)
    returns = np.flatnonzero(text == _CR)
    if len(returns):
        if returns[-1] == len(text) - 1 and not last:
            returns = returns[:-1]  # the next block may begin with \n
        following = text[np.minimum(returns + 1, len(text) - 1)]
        alone = returns[following != _LF]
        found = np.sort(np.concatenate([found, alone]))
    return found


def _inside(
    positions: Positions, opening: Positions, closing: Positions
) -> Bool[np.ndarray, " _"]:
    return np.searchsorted(opening, positions) > np.searchsorted(closing, positions)


def _quoted(
    quotes: Positions,
    separators: Bool[np.ndarray, " _"],
    text: UInt8[np.ndarray, " _"],
    *,
    last: bool,
) -> tuple[Positions, Positions, int, str | None]:
    """Returns opening and closing quotes, where what is whole ends, and the fault there."""
    n = len(text)
    opening, closing, cut = quotes[0::2], quotes[1::2], n
    # nearly always: each first quote follows a separator, or, when doubled, a quote
    before = np.maximum(opening - 1, 0)
    after = np.minimum(closing + 1, n - 1)
    starts_well = (opening == 0) | separators[before] | (text[before] == _QUOTE)
    ends_well = (closing == n - 1) | separators[after] | (text[after] == _QUOTE)
    ends_well |= text[after] == _CR
    if not (starts_well.all() and ends_well.all()) or (last and len(opening) > len(closing)):
        return _quoted_one_by_one(quotes, separators, text, last=last)
    if not last and len(closing) and closing[-1] == n - 1:
        closing = closing[:-1]  # the quote may be doubled in the next block
    if len(opening) > len(closing):
        opening, cut = opening[:-1], int(opening[-1])
    return opening, closing, cut, None


def _after_spaces(
    quote: int, separators: Bool[np.ndarray, " _"], text: UInt8[np.ndarray, " _"]
) -> bool:
    """Returns whether there are only spaces between a separator and a quote.

    Who writes a space after each comma means a quoted value, which may hold new lines.
    """
    place = quote - 1
    while place >= 0 and not separators[place]:
        if text[place] not in _SPACES:
            return False
        place -= 1
    return True


def _quoted_one_by_one(
    found: Positions,
    separators: Bool[np.ndarray, " _"],
    text: UInt8[np.ndarray, " _"],
    *,
    last: bool,
) -> tuple[Positions, Positions, int, str | None]:
    """As `_quoted`, where quotes stand within plain values, are wrong, or are cut by the end."""
    opening: list[int] = []
    closing: list[int] = []
    quotes = found.tolist()
    cut, fault, i = len(text), None, 0
    while i < len(quotes):
        first = quotes[i]
        if first and not separators[first - 1]:
            if _after_spaces(first, separators, text):
                cut, fault = first, "a quote must not follow spaces at the start of a value"
                break
            i += 1  # a letter of a value that is not quoted
            continue
        end = i + 1
        while end + 1 < len(quotes) and quotes[end + 1] == quotes[end] + 1:
            end += 2
        if end >= len(quotes):
            cut, fault = first, "a quote is opened and never closed" if last else None
            break
        after = quotes[end] + 1
        if after == len(text) and not last:
            cut = first  # the quote may be doubled in the next block
            break
        if after < len(text) and not separators[after] and text[after] != _CR:
            cut, fault = first, "a closing quote must be followed by a delimiter or a new line"
            break
        opening.append(first)
        closing.append(quotes[end])
        i = end + 1
    return np.array(opening, np.int64), np.array(closing, np.int64), cut, fault
