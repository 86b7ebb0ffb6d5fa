"""The list of benchmarks is complete, and each of them can be asked for its options."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import Benchmark, find_benchmarks, listing, main

ROOT = Path(__file__).parents[2]
FOUND = find_benchmarks()


@pytest.mark.parametrize("script", FOUND, ids=lambda found: f"{found.folder} {found.name}")
def test_a_benchmark_shows_its_options_says_what_it_measures_and_how_long_it_takes(
    script: Benchmark, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.setenv("POLARS_MAX_THREADS", "1")  # set by one of them, and undone here
    with pytest.raises(SystemExit) as exit_:
        main([script.folder, script.name, "--help"])
    assert exit_.value.code == 0
    usage = f"usage: python -m benchmarks {script.folder} {script.name}"
    assert " ".join(capsys.readouterr().out.split()).startswith(usage)
    assert script.sentence.endswith((".", "?"))
    assert script.duration


def test_every_script_is_listed_and_no_helper() -> None:
    texts = {
        f"benchmarks.{path.parent.name}.{path.stem}": path.read_text()
        for path in (ROOT / "benchmarks").glob("*/*.py")
        if path.stem != "__init__"
    }
    listed = {f"benchmarks.{found.folder}.{found.name}" for found in FOUND}
    assert len(listed) >= 26
    for name in set(texts) - listed:  # a module that nothing uses would be a script
        assert any(name in text for other, text in texts.items() if other != name), name
    for found in FOUND:
        assert f"  {found.name} " in listing()


def test_without_arguments_the_command_lists_the_benchmarks() -> None:
    command = [sys.executable, "-m", "benchmarks"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == listing() + "\n"


def test_an_unknown_name_is_answered_by_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "nothing"]) == 2
    assert "search\n" in capsys.readouterr().err
