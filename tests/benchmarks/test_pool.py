"""A run of the benchmarks says which versions it ran with."""

from importlib import metadata
from pathlib import Path

import pytest

from benchmarks.search.pool import versions


def test_without_git_the_versions_come_without_a_commit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = versions()
    assert found["optuna"] == metadata.version("optuna")
    assert "commit" not in found
