"""Files opened for reading, decompressed, whose first bytes say which format they have."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

from dhen_objective.streams.members import Members

_UNREADABLE = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError)

_NO_TABLE = {
    b"ARROW1": "an Arrow (Feather) file",
    b"ORC": "an ORC file",
    b"Obj\x01": "an Avro file",
    b"SQLite format 3": "a SQLite database",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy file",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"\xd0\xcf\x11\xe0": "an Excel file",
}
_PARQUET = b"PAR1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_BZIP2 = re.compile(rb"BZh[1-9]")
_BZIP2_WHOLE = re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)")

_LOOKED_AT = 4096
"""Number of bytes at the start of a file from which its format is recognized."""

_CODECS = {b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4"}

_CONTROL = frozenset(range(32)) - frozenset(b"\t\n\v\f\r")


def is_parquet(path: Path) -> bool:
    """Return True if a file is Parquet, regardless of its name.

    Raises:
        ValueError: If it is neither Parquet nor text.
    """
    with path.open("rb") as file:
        start = file.read(_LOOKED_AT)
    if _is_text(start):
        return False  # its header may begin with ORC or PAR1
    for magic, what in _NO_TABLE.items():
        if start.startswith(magic):
            raise ValueError(f"{path} must be CSV or Parquet, but is {what}.")
    return start.startswith(_PARQUET)


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that may be compressed by gzip, bzip2, xz, zip, Zstandard or LZ4.

    Its first bytes, not its name, say how it is compressed.

    Raises:
        ValueError: From here or while it is read: if the compressed data are damaged or end too
            early, or if a zip archive holds more than one file.
    """
    with path.open("rb") as raw:
        start = raw.read(_LOOKED_AT)
        raw.seek(0)
        compressed = False
        try:
            with _decompressed(raw, start, path) as file:
                compressed = file is not raw
                yield file
        except _UNREADABLE as error:
            if not compressed and not start.startswith(_ZIP):
                raise
            raise ValueError(
                f"{path} must be whole, but its compression is damaged: {error}."
            ) from error


@contextmanager
def _decompressed(raw: IO[bytes], start: bytes, path: Path) -> Iterator[IO[bytes]]:
    if start.startswith(_ZIP):
        with zipfile.ZipFile(raw) as archive:
            members = [member for member in archive.namelist() if not _by_the_way(member)]
            if len(members) != 1:
                raise ValueError(f"{path} must hold one file, but holds {members[:5]}.")
            with archive.open(members[0]) as file:
                yield file
        return
    with _opener(start)(raw) as file:
        yield file


def _by_the_way(member: str) -> bool:
    """Return True for a folder, and for files that macOS and Windows add by themselves."""
    folders, _, name = member.rpartition("/")
    return (
        name in ("", ".DS_Store", "Thumbs.db", "desktop.ini")
        or name.startswith("._")
        or "__MACOSX" in folders.split("/")
    )


def _opener(start: bytes) -> Any:
    if start.startswith(b"\x1f\x8b"):
        return gzip.open
    if _BZIP2_WHOLE.match(start) or (_BZIP2.match(start) and not _is_text(start)):
        return partial(_members, new=bz2.BZ2Decompressor)
    if start.startswith(b"\xfd7zXZ\x00"):
        return partial(_members, new=_new_xz, padding=True)
    codec = _CODECS.get(_first_frame(start)[:4])
    if codec is not None:
        import pyarrow as pa

        return lambda raw: pa.CompressedInputStream(raw, codec)
    return _as_it_is


def _first_frame(start: bytes) -> bytes:
    """Return what follows the frames of Zstandard and LZ4 that are to be skipped.

    Programs such as pzstd begin with one, of the size of the next.
    """
    while start[1:4] == b"\x2a\x4d\x18" and start[0] >> 4 == 5:
        start = start[8 + int.from_bytes(start[4:8], "little") :]
    return start


def _is_text(start: bytes) -> bool:
    return _CONTROL.isdisjoint(start)


def _new_xz() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ)


def _members(
    raw: IO[bytes],
    *,
    new: Callable[[], bz2.BZ2Decompressor | lzma.LZMADecompressor],
    padding: bool = False,
) -> io.BufferedReader:
    return io.BufferedReader(Members(raw, new=new, padding=padding))


@contextmanager
def _as_it_is(raw: IO[bytes]) -> Iterator[IO[bytes]]:
    yield raw
