"""Whether the tests next to a module notice that it changed.

The process that calls this imports the libraries once and forks for each run of pytest, so that a
run takes what its tests take. It must not import the packages under test itself.
"""

import importlib
import os
import resource
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from benchmarks.tests.sample import ROOT

# Tests of whole searches, for what no test of a module notices.
WHOLE = {
    "optuna_predictor_rl": (
        "tests/optuna_predictor_rl/test_recorded_suggestions.py",
        "tests/optuna_predictor_rl/test_search_guard.py",
    ),
    "dhen_objective": ("tests/dhen_objective",),
}

LIBRARIES = (
    "torch",
    "scipy.stats",
    "optuna",
    "hypothesis",
    "pandas",
    "pyarrow",
    "plotly",
    "sklearn",
)

_ALL = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
_HANGING = 600  # seconds of wall time: a test that hangs in native code outlasts pytest's limit


@dataclass(frozen=True)
class Answer:
    """What a run of the tests said.

    Attributes:
        noticed: True if a test failed, or hung.
        by: The first test that failed; empty if none did.
        seconds: Processor time of the tests.
    """

    noticed: bool
    by: str
    seconds: float


def _processor_time(*of: int) -> float:
    """Return the processor time of this process, of those that it waited for, or of both."""
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, of))


class _Budget:
    """Ends the run once its processor time is spent, and keeps the name of the first failure."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._start = 0.0
        self.failed = ""

    def pytest_collection_finish(self) -> None:
        self._start = _processor_time(*_ALL)

    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        if _processor_time(*_ALL) - self._start > self._seconds:
            item.session.shouldstop = "its time is spent"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid


def tests_of(path: str) -> list[list[str]]:
    """Return the tests to run for a module, and those to run if these pass.

    First come its mirror, the examples of its docstrings, and tests of its room that import it.
    Then come the others of its room and those elsewhere that import it, and then whole searches.
    """
    package, *folders = Path(path).parts[:-1]
    name = ".".join(Path(path).with_suffix("").parts)
    near = Path("tests", package, *folders)
    mirror = near / f"test_{Path(path).stem}.py"
    importing = [
        str(test.relative_to(ROOT))
        for test in sorted((ROOT / "tests" / package).rglob("test_*.py"))
        if f"from {name} import" in test.read_text()
    ]
    in_room = [test for test in importing if Path(test).parent == near]
    return [
        [each for each in dict.fromkeys(tests) if (ROOT / each).exists()]
        for tests in (
            [str(mirror), path, *in_room],
            [str(near), *importing],
            WHOLE[package],
        )
    ]


def import_libraries() -> None:
    """Import what tests import, so that a fork of this process has it."""
    for name in LIBRARIES:
        importlib.import_module(name)


def copy_repository(to: Path) -> None:
    """Copy the files that git has or would have."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)


def write(path: Path, text: str) -> None:
    """Write a module, with another time than each earlier text of it had: Python reads it anew."""
    previous = path.stat().st_mtime
    path.write_text(text)
    os.utime(path, (previous + 2, previous + 2))


def try_tests(copy: Path, path: str, seconds: float) -> Answer:
    """Run a module's tests in a copy of the repository, the near ones first."""
    spent = 0.0
    for tests in tests_of(path):
        answer = run_tests(copy, tests, seconds)
        spent += answer.seconds
        if answer.noticed:
            break
    return replace(answer, seconds=round(spent, 1))


def run_tests(copy: Path, tests: list[str], seconds: float) -> Answer:
    """Run tests in a copy of the repository until one fails, or their processor time is spent."""
    read, result = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        os.setsid()
        code = int(pytest.ExitCode.INTERNAL_ERROR)
        try:
            code = _run_in_child(copy, tests, seconds, result)
        except Exception as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(code)  # nothing of the parent may run twice
    os.close(result)
    before = _processor_time(resource.RUSAGE_CHILDREN)
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(child, signal.SIGKILL))
    signal.alarm(_HANGING)
    with os.fdopen(read) as pipe:
        failed = pipe.read()
    _, status = os.waitpid(child, 0)
    signal.alarm(0)
    spent = _processor_time(resource.RUSAGE_CHILDREN) - before
    code = os.waitstatus_to_exitcode(status)
    if code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR) and not failed:
        raise RuntimeError(f"pytest ends with {pytest.ExitCode(code)!r} on {tests}.")
    hung = code < 0
    return Answer(hung or bool(failed), failed or ("it hangs" if hung else ""), round(spent, 1))


def _run_in_child(copy: Path, tests: list[str], seconds: float, result: int) -> int:
    os.chdir(copy)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    for name in [name for name in sys.modules if name.split(".")[0] in ("benchmarks", "tests")]:
        del sys.modules[name]  # the copy's own, if a test wants it
    sys.path[:] = [str(copy), *(path for path in sys.path if Path(path or ".").resolve() != ROOT)]
    importlib.invalidate_caches()
    budget = _Budget(seconds)
    arguments = [
        "-x",
        "-q",
        "-o",
        "timeout=200",
        "-W",
        "ignore::pytest.PytestAssertRewriteWarning",
    ]
    code = int(pytest.main([*arguments, *tests], plugins=[budget]))
    os.write(result, budget.failed.encode())
    return code
