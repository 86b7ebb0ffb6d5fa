"""Files are told by what is in them, and none is read in part without a word."""

import bz2
import gzip
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from dhen_objective.streams import CSV, Columns, TableStream
from dhen_objective.streams.opening import is_parquet, open_bytes

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "gz": gzip.compress,
}
PARTS = [bytes([letter]) * 70_000 for letter in b"abc"]


def content(path: Path, step: int = 1000) -> bytes:
    with open_bytes(path) as file:
        return b"".join(iter(lambda: file.read(step), b""))


@pytest.mark.parametrize("kind", COMPRESS)
def test_parts_that_follow_each_other_are_read_as_one(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a"
    for parts in ([], [b""], PARTS, [b"", *PARTS, b""]):
        path.write_bytes(b"".join(COMPRESS[kind](part) for part in parts) or b"")
        assert content(path) == b"".join(parts)


@pytest.mark.parametrize("kind", COMPRESS)
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_later_part_that_is_damaged_is_named(tmp_path: Path, kind: str, at: int) -> None:
    path = tmp_path / "a"
    first, second = COMPRESS[kind](PARTS[0]), bytearray(COMPRESS[kind](PARTS[1]))
    second[at] ^= 1
    path.write_bytes(first + second)
    with pytest.raises(ValueError, match=f"{path} must be whole, but its compression is damaged"):
        content(path)


@pytest.mark.parametrize("codec", ["zstd", "lz4"])
def test_a_file_may_begin_with_a_frame_that_is_to_be_skipped(tmp_path: Path, codec: str) -> None:
    held = pa.BufferOutputStream()
    with pa.CompressedOutputStream(held, codec) as file:
        file.write(b"a,b\n1,2\n")
    path = tmp_path / "a.csv"
    skipped = b"\x50\x2a\x4d\x18\x04\0\0\0" + b"\x15\0\0\0"  # as pzstd begins
    path.write_bytes(2 * skipped + held.getvalue().to_pybytes())
    assert content(path) == b"a,b\n1,2\n"


@pytest.mark.parametrize("kind", COMPRESS)
@pytest.mark.parametrize("rest", [b"x", b"junk at the end of it"])
def test_bytes_that_are_no_part_are_named(tmp_path: Path, kind: str, rest: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(COMPRESS[kind](PARTS[0]) + rest)
    with pytest.raises(ValueError, match=f"{path} must be whole, but its compression is damaged"):
        content(path)


@pytest.mark.parametrize("kind", COMPRESS)
def test_a_later_part_that_is_cut_is_named(tmp_path: Path, kind: str) -> None:
    path, parts = tmp_path / "a", COMPRESS[kind](PARTS[0]) + COMPRESS[kind](PARTS[1])
    for cut in (1, 10, len(COMPRESS[kind](PARTS[1])) - 1):
        path.write_bytes(parts[:-cut])
        with pytest.raises(ValueError, match=f"{path} must be whole"):
            content(path)


@pytest.mark.parametrize("zeros", [4, 8, 1 << 17])
def test_padding_of_xz_is_no_damage(tmp_path: Path, zeros: int) -> None:
    path, padding = tmp_path / "a", bytes(zeros)
    one, other = map(lzma.compress, PARTS[:2])
    path.write_bytes(one + padding + other + padding)
    assert content(path, 1 << 20) == PARTS[0] + PARTS[1]
    path.write_bytes(one + padding + b"\0" + other)
    with pytest.raises(ValueError, match=f"{zeros + 1} zero bytes follow a part"):
        content(path)


@pytest.mark.parametrize("start", ["PK", "ORC", "PAR1", "ARROW1", "BZh1", "Rar!"])
def test_a_header_may_begin_like_another_kind_of_file(tmp_path: Path, start: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{start},y\na,0\nb,1\n")
    columns = Columns(label="y", sparse={start: 9})
    assert TableStream(path, columns, prior=0.5, layout=CSV()).n_rows == 2


def test_an_orc_file_is_still_told(tmp_path: Path) -> None:
    orc = pytest.importorskip("pyarrow.orc")
    path = tmp_path / "a.orc"
    for values in ([0, 1], list(range(9999))):
        orc.write_table(pa.table({"y": values}), path)
        with pytest.raises(ValueError, match=r"must be CSV or Parquet, but is an ORC file"):
            is_parquet(path)


def test_what_macos_adds_to_an_archive_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name in ("day/", "day/.DS_Store", ".DS_Store", "__MACOSX/day/._a.csv", "day/._a.csv"):
            file.writestr(name, "x")
        file.writestr("day/a.csv", "y\n1\n")
    assert content(path) == b"y\n1\n"


def test_an_archive_of_nothing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    zipfile.ZipFile(path, "w").close()
    with pytest.raises(ValueError, match=r"must hold one file, but holds \[\]"):
        content(path)
