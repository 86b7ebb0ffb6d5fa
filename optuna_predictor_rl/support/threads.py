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
    """What `one_thread` has to restore, for all threads together.

    Attributes:
        lock: Held while anything here changes.
        count: How many threads are inside.
        n_threads: torch's number when the first came in.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.count = 0
        self.n_threads = 1
        self._libraries: list[LibController] = []
        self._n_modules = -1
        self._limited: dict[LibController, int] = {}

    def limit_blas(self) -> None:
        """Set the BLAS libraries to one thread that have more."""
        with _anyone_may_set():
            for library in self._blas():
                n_threads = library.num_threads
                if n_threads is not None and n_threads > 1:
                    self._limited[library] = n_threads
                    library.set_num_threads(1)

    def restore_blas(self) -> None:
        """Give them their numbers back, save for those that another thread has set meanwhile."""
        with _anyone_may_set():
            for library, n_threads in self._limited.items():
                if library.num_threads == 1:
                    library.set_num_threads(n_threads)
        self._limited = {}

    def _blas(self) -> list[LibController]:
        """The process's BLAS libraries.

        They are looked for again when the number of modules has changed: this takes milliseconds,
        and an extension module may have loaded a further one.
        """
        if self._n_modules != len(sys.modules):
            self._n_modules = len(sys.modules)
            with warnings.catch_warnings():
                # It warns of libraries that get on badly, which a search cannot help.
                warnings.simplefilter("ignore")
                found = ThreadpoolController().select(user_api="blas")
            self._libraries = found.lib_controllers
        return self._libraries


@contextmanager
def _anyone_may_set() -> Iterator[None]:
    """Let any thread set OpenBLAS, as threadpoolctl leaves that to the first one."""
    OpenBLASController.clear_controlling_thread(force=True)
    try:
        yield
    finally:
        OpenBLASController.clear_controlling_thread(force=True)


_inside = _Inside()


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch and all BLAS libraries on one thread, which is faster on small matrices.

    The user's numbers of threads are restored, those of BLAS libraries once nobody is inside.

    A BLAS library (NumPy has one, SciPy another) has one number for the whole process. So with
    ``n_jobs=2`` a training that runs beside a search has one thread for NumPy's and SciPy's
    linear algebra too, until the search is done; in torch it keeps the number it started with.

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
