from pathlib import Path

import numpy as np
import pytest

from dhen_objective.streams.cache import Arrays, cached, default_cache, first_rows

ARRAYS = {"labels": np.array([0, 1, 1]), "dense": np.array([[0.5], [np.nan], [2.0]])}


def test_arrays_are_built_once_and_kept_whole(tmp_path: Path) -> None:
    folder, builds = tmp_path / "new", []

    def build() -> Arrays:
        builds.append(1)
        return ARRAYS

    for _ in range(2):
        arrays = cached("a-v1", build, folder=folder)
        assert all(np.array_equal(arrays[n], ARRAYS[n], equal_nan=True) for n in ("labels",))
        np.testing.assert_array_equal(arrays["dense"], ARRAYS["dense"])
    assert builds == [1]
    assert [path.name for path in folder.iterdir()] == ["a-v1.npz"]


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
