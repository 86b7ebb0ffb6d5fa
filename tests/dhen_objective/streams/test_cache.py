import subprocess
from pathlib import Path

import numpy as np
import pytest

from dhen_objective.streams import cache
from dhen_objective.streams.cache import Arrays, cached, default_cache, first_rows, reading_version

ARRAYS = {"labels": np.array([0, 1, 1]), "dense": np.array([[0.5], [np.nan], [2.0]])}
NAMES = ("labels", "dense")
VERSION = reading_version()


def same(arrays: Arrays) -> bool:
    return set(arrays) == set(ARRAYS) and all(
        np.array_equal(arrays[name], ARRAYS[name], equal_nan=True) for name in ARRAYS
    )


def test_arrays_are_built_once_and_kept_whole(tmp_path: Path) -> None:
    folder, builds = tmp_path / "new", []

    def build() -> Arrays:
        builds.append(1)
        return ARRAYS

    for _ in range(2):
        assert same(cached("a", build, names=NAMES, folder=folder))
    assert builds == [1]
    assert [path.name for path in folder.iterdir()] == [f"a-{VERSION}.npz"]


def foreign(path: Path) -> None:
    np.savez(path, weights=np.ones(3))


def uneven(path: Path) -> None:
    np.savez(path, labels=np.ones(3), dense=np.ones((2, 1)))


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[data.index(np.float64(2.0).tobytes())] ^= 1  # within the values
    path.write_bytes(data)


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:200]),
    "text": lambda path: path.write_text("<html>404</html>"),
    "one bit": flipped,
    "foreign": foreign,
    "uneven": uneven,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named_and_built_anew(tmp_path: Path, damage: str) -> None:
    cached("a", lambda: ARRAYS, names=NAMES, folder=tmp_path)
    DAMAGES[damage](tmp_path / f"a-{VERSION}.npz")
    with pytest.warns(
        UserWarning, match=r"a-\w+\.npz is damaged or no cache of this stream .*anew"
    ):
        assert same(cached("a", lambda: ARRAYS, names=NAMES, folder=tmp_path))
    assert same(cached("a", dict, names=NAMES, folder=tmp_path))  # good again, nothing is built


def test_a_folder_that_cannot_be_written_is_named_and_the_arrays_are_there(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.warns(UserWarning, match=r"a-\w+\.npz could not be written, so nothing is kept"):
        assert same(cached("a", lambda: ARRAYS, names=NAMES, folder=tmp_path / "file"))


def test_what_a_killed_writer_left_is_removed_and_what_a_live_one_writes_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen(["sleep", "60"]) as writer:
        with monkeypatch.context() as patch:
            patch.setattr("os.getpid", lambda: writer.pid)
            patch.setattr(Path, "unlink", lambda *_, **__: None)  # as if it had been killed
            patch.setattr(Path, "replace", lambda *_: None)
            cached("a", lambda: ARRAYS, names=NAMES, folder=tmp_path)
        (temporary,) = tmp_path.iterdir()
        cached("b", lambda: ARRAYS, names=NAMES, folder=tmp_path)
        assert temporary.exists()
        writer.kill()
    cached("b", lambda: ARRAYS, names=NAMES, folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [f"b-{VERSION}.npz"]


def test_the_cache_lies_where_the_user_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/some/where")
    assert default_cache() == Path("/some/where/dhen_objective")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_cache() == Path.home() / ".cache/dhen_objective"


def test_the_first_rows_of_all_arrays_are_taken() -> None:
    assert {name: len(array) for name, array in first_rows(ARRAYS, 2).items()} == {
        "labels": 2, "dense": 2,
    }  # fmt: skip
    assert len(first_rows(ARRAYS, None)["labels"]) == 3
    for rows in (0, 4):
        with pytest.raises(ValueError, match=f"rows must be in \\[1, 3\\], but got {rows}"):
            first_rows(ARRAYS, rows)


def test_arrays_that_other_code_built_are_built_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = {**ARRAYS, "labels": np.array([1, 0, 0])}
    monkeypatch.setattr(cache, "reading_version", lambda: "of other code")
    cached("a", lambda: old, names=NAMES, folder=tmp_path)
    monkeypatch.undo()
    assert same(cached("a", lambda: ARRAYS, names=NAMES, folder=tmp_path))


def test_the_version_follows_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = set()
    for code in ("a = 1", "a = 2", "a = 1"):
        (tmp_path / "cache.py").write_text(code)
        monkeypatch.setattr(cache, "__file__", str(tmp_path / "cache.py"))
        versions.add(reading_version.__wrapped__())
    assert len(versions) == 2
