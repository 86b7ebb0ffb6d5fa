"""One thread for small matrices, and the user's numbers of threads afterwards."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import LibController, OpenBLASController, ThreadpoolController


class _Inside:
    """The settings that `one_thread` has to restore, shared by all threads.

    Attributes:
        lock: Held while anything here changes.
        count: Number of threads inside `one_thread`.
        n_threads: torch's number of threads when the first one came in.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.count = 0
        self.n_threads = 1
        self._libraries: list[LibController] = []
        self._n_modules = -1
        self._limited: dict[LibController, int] = {}

    def limit_blas(self) -> None:
        """Set all BLAS libraries to one thread."""
        with _anyone_may_set():
            for library in self._blas():
                n_threads = library.num_threads
                if n_threads is not None and n_threads > 1:
                    self._limited[library] = n_threads
                    library.set_num_threads(1)

    def restore_blas(self) -> None:
        """Restore the libraries' numbers, except those that another thread has changed since."""
        with _anyone_may_set():
            for library, n_threads in self._limited.items():
                if library.num_threads == 1:
                    library.set_num_threads(n_threads)
        self._limited = {}

    def _blas(self) -> list[LibController]:
        """Return the process's BLAS libraries.

        Finding them takes milliseconds, so they are looked for again only if the number of modules
        has changed: an extension module may have loaded a further library.
        """
        if self._n_modules != len(sys.modules):
            self._n_modules = len(sys.modules)
            with warnings.catch_warnings():
                # threadpoolctl warns of incompatible libraries, which no search can change.
                warnings.simplefilter("ignore")
                found = ThreadpoolController().select(user_api="blas")
            self._libraries = found.lib_controllers
        return self._libraries


@contextmanager
def _anyone_may_set() -> Iterator[None]:
    """Let any thread set OpenBLAS, which threadpoolctl allows only to the first one."""
    OpenBLASController.clear_controlling_thread(force=True)
    try:
        yield
    finally:
        OpenBLASController.clear_controlling_thread(force=True)


_inside = _Inside()


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch and all BLAS libraries on one thread, which is faster on small matrices.

    On several threads, a search takes up to nine times the processor time. The user's numbers of
    threads are restored, those of BLAS libraries once no thread is inside.

    A BLAS library (NumPy has one, SciPy another) has one number for the whole process. So with
    `n_jobs=2` a training beside a search also has one thread for NumPy's and SciPy's linear
    algebra until the search is done; in torch it keeps its own number.

    torch has a number for each thread and one that new threads start with, and sets both at once.
    So a thread that comes in while others are inside may find their 1; it restores the number
    that the first of them found.

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
        _inside.limit_blas()
        _inside.count += 1
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _inside.lock:
            _inside.count -= 1
            torch.set_num_threads(n_threads)
            if _inside.count == 0:
                _inside.restore_blas()
