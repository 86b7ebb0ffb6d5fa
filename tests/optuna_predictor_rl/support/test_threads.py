"""Fitting on one thread leaves all settings as they were, whoever else fits meanwhile."""

import ctypes
import shutil
import sys
import threading
import types
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import scipy.linalg  # loads SciPy's BLAS
import threadpoolctl
import torch

from optuna_predictor_rl.support.threads import one_thread


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    assert scipy.linalg
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    with threadpoolctl.threadpool_limits(2, "blas"):
        yield
    torch.set_num_threads(before)


def of_blas() -> dict[str, int]:
    """Return the number of threads of each BLAS library."""
    return {
        pool["filepath"]: pool["num_threads"]
        for pool in threadpoolctl.threadpool_info()
        if pool["user_api"] == "blas"
    }


def in_a_thread(script: list[threading.Event], seen: list[int]) -> threading.Thread:
    """Start a thread that goes in and out of `one_thread`, at two events."""

    def run() -> None:
        script[0].wait(10)
        with one_thread():
            seen.append(torch.get_num_threads())
            script[1].set()
            script[2].wait(10)
        seen.append(torch.get_num_threads())

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def number_of_a_new_thread() -> int:
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.parametrize("main_leaves_first", [True, False])
def test_threads_that_overlap_leave_the_number_that_the_first_found(
    main_leaves_first: bool,
) -> None:
    start, entered, leave = (threading.Event() for _ in range(3))
    seen: list[int] = []
    blas = of_blas()
    assert set(blas.values()) == {2}
    other = in_a_thread([start, entered, leave], seen)
    with ExitStack() as inside:
        inside.enter_context(one_thread())
        start.set()
        assert entered.wait(10)
        if main_leaves_first:
            inside.close()
        assert set(of_blas().values()) == {1}
        leave.set()
        other.join(10)
    assert seen == [1, 2]
    assert torch.get_num_threads() == 2
    assert number_of_a_new_thread() == 2
    assert of_blas() == blas


def test_an_error_inside_restores_the_number() -> None:
    with pytest.raises(RuntimeError), one_thread():
        raise RuntimeError
    assert set(of_blas().values()) == {2}
    assert torch.get_num_threads() == number_of_a_new_thread() == 2


def test_one_inside_the_other_restores_the_number() -> None:
    with one_thread(), one_thread():
        assert torch.get_num_threads() == 1
        assert set(of_blas().values()) == {1}
    assert set(of_blas().values()) == {2}
    assert torch.get_num_threads() == number_of_a_new_thread() == 2


def test_libraries_with_numbers_of_their_own_get_them_back() -> None:
    library, *others = of_blas()
    with threadpoolctl.threadpool_limits({library: 1}):
        before = of_blas()
        assert sorted(before.values()) == [1] + [2] * len(others)
        with one_thread():
            assert set(of_blas().values()) == {1}
        assert of_blas() == before


def test_a_number_that_is_set_while_a_search_runs_is_kept() -> None:
    with threadpoolctl.threadpool_limits(1, "blas"):
        training = ExitStack()
        with one_thread():
            training.enter_context(threadpoolctl.threadpool_limits(2, "blas"))
        assert set(of_blas().values()) == {2}
        training.close()


def test_a_limit_around_a_search_in_another_thread_is_restored() -> None:
    start, entered, leave = (threading.Event() for _ in range(3))
    with threadpoolctl.threadpool_limits(2, "blas"):
        other = in_a_thread([start, entered, leave], [])
        start.set()
        assert entered.wait(10)
        assert set(of_blas().values()) == {1}
        leave.set()
        other.join(10)
        assert set(of_blas().values()) == {2}


def test_a_library_that_is_loaded_later_is_limited_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with one_thread():
        (library, *_) = [path for path in of_blas() if "openblas" in path] or [""]
    if not library:
        pytest.skip("NumPy and SciPy have no OpenBLAS here")
    later = shutil.copy(library, tmp_path)
    with one_thread():
        ctypes.CDLL(later)
        monkeypatch.setitem(sys.modules, "an_extension", types.ModuleType("an_extension"))
        before = of_blas()[str(later)]
        with one_thread():
            assert of_blas()[str(later)] == 1
    assert of_blas()[str(later)] == before


def test_libraries_are_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with one_thread():
        pass
    monkeypatch.setattr("optuna_predictor_rl.support.threads.ThreadpoolController", None)
    with one_thread():
        assert set(of_blas().values()) == {1}
