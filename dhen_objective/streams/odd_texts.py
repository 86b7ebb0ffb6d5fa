"""A warning of categories around which something stands that other files do not have."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence

_AROUND_ALL = (
    (re.compile(rb"'.*'", re.S), "single quotes around them; write double quotes, or none"),
    (re.compile(rb"b('.*'|\".*\")", re.S), "the b of Python's bytes; decode them first"),
)
_INVISIBLE = b"\xc2\xa0", b"\xe2\x80\x8b", b"\xef\xbb\xbf"
"""Spaces that do not break a line, spaces without a width, and marks of UTF-8."""

_ADDRESS = re.compile(rb"<.* at 0x[0-9a-fA-F]+>", re.S)


def warn_of_odd_texts(texts: Sequence[bytes], field: str) -> None:
    """Warn of categories that would be others without what stands around them.

    Args:
        texts: Each category once.
        field: Of the column.
    """
    known = [text for text in texts if text]
    if not known:
        return
    for pattern, what in _AROUND_ALL:
        if pattern.fullmatch(known[0]) and all(map(pattern.fullmatch, known)):
            _warn(field, known[0], what)
    every = b"\n".join(known)
    if any(mark in every for mark in _INVISIBLE):
        found = [
            text for text in known if text.startswith(_INVISIBLE) or text.endswith(_INVISIBLE)
        ]
        if found:
            _warn(field, found[0], "spaces or marks around them that one does not see")
    if b" at 0x" in every:
        addresses = list(filter(_ADDRESS.fullmatch, known))
        if addresses:
            what = "addresses of objects, which differ from process to process"
            _warn(field, addresses[0], what)


def _warn(field: str, text: bytes, what: str) -> None:
    warnings.warn(
        f"sparse {field!r} has categories such as {text.decode(errors='replace')!r}, with {what}. "
        "They are taken as they are, and are other categories than without.",
        stacklevel=2,
    )
