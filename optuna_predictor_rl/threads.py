"""One thread for small matrices, and torch as it was afterwards."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch


class _Inside:
    """How many threads are inside of `one_thread`, and torch's number when the first came in."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.count = 0
        self.n_threads = 1


_inside = _Inside()


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread, which is faster on small matrices; the setting is restored.

    torch has a number for each thread and one that new threads start with, and sets both at once.
    A thread that comes in while others are inside may thus find their 1; it leaves behind what
    the first of them found.

    Example:
        >>> before = torch.get_num_threads()
        >>> with one_thread():
        ...     torch.get_num_threads()
        1
        >>> torch.get_num_threads() == before
        True
    """
    with _inside.lock:
        n_threads = torch.get_num_threads()
        if _inside.count == 0:
            _inside.n_threads = n_threads
        elif n_threads == 1:
            n_threads = _inside.n_threads
        _inside.count += 1
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _inside.lock:
            _inside.count -= 1
            torch.set_num_threads(n_threads)
