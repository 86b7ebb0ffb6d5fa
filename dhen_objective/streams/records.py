"""The rows of a CSV text: where they begin and end, and their lines and columns.

Arrow, which then reads the values, does not report a quote that is never closed, counts lines
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
_WINDOW = 512 << 10
"""Bytes that are looked at together; their masks fit in a processor's cache."""

Positions = Int[np.ndarray, " _"]
Mask = Bool[np.ndarray, " _"]


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
        quoted: Which bytes are in quotes, the opening quote included; None if none are.
    """

    starts: Positions
    ends: Positions
    lines: Positions
    widths: Positions
    used: int
    used_lines: int
    fault: str | None
    quoted: Mask | None


def find_records(block: bytes, layout: CSV, *, last: bool) -> Records:
    """Find the rows of a block that begins with a row.

    Args:
        block: The text.
        layout: Of the text.
        last: Whether the file ends with the block.
    """
    found: list[Records] = []
    used, size, ended = 0, _WINDOW, False
    while not ended:
        ended = used + size >= len(block)
        window = _in_window(block[used : used + size], layout, last=last and ended)
        found.append(window)
        used += window.used
        size = _WINDOW if window.used else 2 * size  # or a row of many windows would take long
        ended = ended or window.fault is not None
    return _joined(found)


def _joined(windows: list[Records]) -> Records:
    """Return the rows of consecutive windows, with offsets from the start of the block."""
    if len(windows) == 1:
        return windows[0]
    used = np.cumsum([0, *(window.used for window in windows)]).tolist()
    lines = np.cumsum([0, *(window.used_lines for window in windows)]).tolist()
    quoted = None
    if any(window.quoted is not None for window in windows):
        quoted = np.zeros(used[-1], bool)
        for first, window in zip(used, windows, strict=False):
            if window.quoted is not None:
                quoted[first : first + window.used] = window.quoted[: window.used]
    return Records(
        starts=_moved([window.starts for window in windows], used),
        ends=_moved([window.ends for window in windows], used),
        lines=_moved([window.lines for window in windows], lines),
        widths=np.concatenate([window.widths for window in windows]),
        used=used[-1],
        used_lines=lines[-1],
        fault=windows[-1].fault,
        quoted=quoted,
    )


def _moved(parts: list[Positions], by: list[int]) -> Positions:
    return np.concatenate([part + first for part, first in zip(parts, by, strict=False)])


def _in_window(block: bytes, layout: CSV, *, last: bool) -> Records:
    """Find the rows of a part of a block."""
    text = np.frombuffer(block, np.uint8)
    escaped = _escaped(text, layout)
    new_lines = _new_lines(block, text, last=last)
    ends = _without(new_lines, escaped)
    delimiters = _without(text == ord(layout.delimiter), escaped)
    quoted, cut, fault = None, len(text), None
    if layout.quotes and b'"' in block:
        quotes = _without(text == _QUOTE, escaped)
        pair = _quoted if layout.escape is None else _quoted_one_by_one
        quoted, cut, fault = pair(quotes, ends | delimiters, block, last=last)
        outside = ~quoted
        ends, delimiters = ends & outside, delimiters & outside
    bounds = np.flatnonzero(ends[:cut]) + 1
    if last and fault is None and len(text) > (bounds[-1] if len(bounds) else 0):
        bounds = np.append(bounds, len(text))  # the file's last row, without a new line
    starts = np.concatenate([[0], bounds[:-1]]) if len(bounds) else bounds
    used = int(bounds[-1]) if len(bounds) else 0
    before = np.searchsorted(np.flatnonzero(new_lines), np.append(starts, used))
    widths = _counts(delimiters[:used], starts) + 1
    first = text[np.minimum(starts, len(text) - 1)]
    widths[(first == _LF) | (first == _CR)] = 0
    return Records(starts, bounds, before[:-1], widths, used, int(before[-1]), fault, quoted)


def _counts(marks: Mask, starts: Positions) -> Positions:
    """Return the number of marks from each start up to the next."""
    if not len(starts):
        return starts
    return np.add.reduceat(marks.view(np.int8), starts, dtype=np.int32)


def _without(mask: Mask, escaped: Positions) -> Mask:
    if not len(escaped):
        return mask
    mask = mask.copy()
    mask[escaped] = False
    return mask


def _escaped(text: UInt8[np.ndarray, " _"], layout: CSV) -> Positions:
    """Return the offsets of the bytes that an escape precedes."""
    if layout.escape is None:
        return np.zeros(0, np.int64)
    found = np.flatnonzero(text == ord(layout.escape))
    if not len(found):
        return found
    # in a run of escapes, each second one is escaped itself
    begins = np.concatenate([[True], np.diff(found) > 1])
    first = found[begins][np.cumsum(begins) - 1]
    escaped = found[(found - first) % 2 == 0] + 1
    return escaped[escaped < len(text)]


def _new_lines(block: bytes, text: UInt8[np.ndarray, " _"], *, last: bool) -> Mask:
    r"""Return which bytes are \n, or \r that no \n follows."""
    found = text == _LF
    if b"\r" in block:
        alone = text == _CR
        alone[:-1] &= ~found[1:]
        alone[-1] &= last  # or the next block may begin with \n
        found |= alone
    return found


def _quoted(
    quotes: Mask, separators: Mask, block: bytes, *, last: bool
) -> tuple[Mask, int, str | None]:
    """Return which bytes are in quotes, where the complete part ends, and the fault there."""
    quoted = _odd(quotes)
    # nearly always: quotes stand beside separators or, when doubled, beside quotes
    well = separators | quotes
    well |= np.frombuffer(block, np.uint8) == _CR
    wrong = (quotes & quoted)[1:] & ~well[:-1]  # opening ones, and what is before them
    wrong |= (quotes & ~quoted)[:-1] & ~well[1:]  # closing ones, and what is after them
    if wrong.any() or (last and quoted[-1]):
        return _quoted_one_by_one(quotes, separators, block, last=last)
    cut = len(block)
    if quoted[-1]:
        cut = block.rfind(b'"')
    elif quotes[-1] and not last:  # the quote may be doubled in the next block
        cut = block.rfind(b'"', 0, -1)
    return quoted, cut, None


def _odd(marks: Mask) -> Mask:
    """Return where the number of marks so far is odd; `np.cumsum` is slower.

    The marks are bits of words of 64. A word that is XORed with itself shifted by 1 has in each
    bit whether of the last two marks one is set; shifted by 2 after that, of the last four, and
    so on.
    """
    bits = np.packbits(marks, bitorder="little")
    words = np.zeros(-(-len(bits) // 8), "<u8")
    words.view(np.uint8)[: len(bits)] = bits
    for shift in (1, 2, 4, 8, 16, 32):
        words ^= words << np.uint64(shift)
    odd_words = (words >> np.uint64(63)).astype(bool)
    odd_before = np.logical_xor.accumulate(odd_words) ^ odd_words
    words[odd_before] ^= ~np.uint64(0)
    odd = np.unpackbits(words.view(np.uint8), bitorder="little", count=len(marks))
    return odd.view(bool)


def _after_spaces(quote: int, separators: Mask, block: bytes) -> bool:
    """Return True if there are only spaces between a separator and a quote.

    Programs that write a space after each comma mean a quoted value, which may hold new lines.
    """
    place = quote - 1
    while place >= 0 and not separators[place]:
        if block[place] not in _SPACES:
            return False
        place -= 1
    return True


def _quoted_one_by_one(
    quotes: Mask, separators: Mask, block: bytes, *, last: bool
) -> tuple[Mask, int, str | None]:
    """Do the same as `_quoted` for quotes that are plain letters, wrong, or cut by the end."""
    around: list[int] = []
    places = np.flatnonzero(quotes).tolist()
    cut, fault, i = len(block), None, 0
    while i < len(places):
        first = places[i]
        if first and not separators[first - 1]:
            if _after_spaces(first, separators, block):
                cut, fault = first, "a quote must not follow spaces at the start of a value"
                break
            i += 1  # a letter of a value that is not quoted
            continue
        end = i + 1
        while end + 1 < len(places) and places[end + 1] == places[end] + 1:
            end += 2
        if end >= len(places):
            cut, fault = first, "a quote is opened and never closed" if last else None
            break
        after = places[end] + 1
        if after == len(block) and not last:
            cut = first  # the quote may be doubled in the next block
            break
        if after < len(block) and not separators[after] and block[after] != _CR:
            cut, fault = first, "a closing quote must be followed by a delimiter or a new line"
            break
        around += [first, places[end]]
        i = end + 1
    marks = np.zeros(len(block), bool)
    marks[around] = True
    return _odd(marks), cut, fault
