"""A reader of data compressed in several parts, which detects damage in each of them."""

from __future__ import annotations

import io
from bz2 import BZ2Decompressor
from collections.abc import Callable
from lzma import LZMADecompressor
from typing import IO, Any

_READ = 1 << 16


class Members(io.RawIOBase):
    """The content of consecutive compressed members, as parallel compressors write them.

    Python's own readers silently ignore anything after a member that is not a member itself:
    where the first byte of a member is damaged, the rest of the file would be lost.
    """

    def __init__(
        self,
        raw: IO[bytes],
        *,
        new: Callable[[], BZ2Decompressor | LZMADecompressor],
        padding: bool = False,
    ) -> None:
        """Read nothing yet.

        Args:
            raw: The compressed data.
            new: Makes what decompresses one member.
            padding: Whether zero bytes, a multiple of four, may follow a member, as in xz.
        """
        self._raw, self._new, self._padding = raw, new, padding
        self._member = new()
        self._rest = b""
        self._ended = False

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill the buffer by one step of decompression; return the bytes written, 0 at the end.

        Raises:
            EOFError: If the last member is cut.
            OSError: If a member is damaged, or is followed by anything but a member.
            lzma.LZMAError: Likewise.
        """
        view = memoryview(buffer).cast("B")
        while True:
            if self._ended:
                return 0
            if self._member.eof:
                self._next_member()
                continue
            if self._member.needs_input and not self._rest:
                self._rest = self._raw.read(_READ)
                if not self._rest:
                    raise EOFError("it ends before the end of its last part")
            content = self._member.decompress(self._rest, len(view))
            self._rest = b""
            if content:
                view[: len(content)] = content
                return len(content)

    def _next_member(self) -> None:
        """Go to the next member, if there is one."""
        rest, zeros = self._member.unused_data, 0
        while True:
            kept = rest.lstrip(b"\0") if self._padding else rest
            zeros += len(rest) - len(kept)
            rest = kept or self._raw.read(_READ)
            if kept or not rest:
                break
        if zeros % 4:
            raise OSError(f"{zeros} zero bytes follow a part, which is no multiple of 4")
        self._member, self._rest, self._ended = self._new(), rest, not rest
