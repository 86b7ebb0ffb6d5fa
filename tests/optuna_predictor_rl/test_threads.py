"""Fitting on one thread leaves torch's setting as it was, whoever else fits meanwhile."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import torch

from optuna_predictor_rl.threads import one_thread


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def in_a_thread(script: list[threading.Event], seen: list[int]) -> threading.Thread:
    """A thread that goes in and out of `one_thread`, at two events."""

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
    other = in_a_thread([start, entered, leave], seen)
    with ExitStack() as inside:
        inside.enter_context(one_thread())
        start.set()
        assert entered.wait(10)
        if main_leaves_first:
            inside.close()
        leave.set()
        other.join(10)
    assert seen == [1, 2]
    assert torch.get_num_threads() == 2
    assert number_of_a_new_thread() == 2


def test_an_error_inside_restores_the_number() -> None:
    with pytest.raises(RuntimeError), one_thread():
        raise RuntimeError
    assert torch.get_num_threads() == number_of_a_new_thread() == 2


def test_one_inside_the_other_restores_the_number() -> None:
    with one_thread(), one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == number_of_a_new_thread() == 2
