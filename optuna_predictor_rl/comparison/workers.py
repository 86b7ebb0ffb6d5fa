"""Which worker runs a trial, and whether it still may: a killed worker leaves no trace."""

import contextlib
import os
import socket
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import psutil

_lock = threading.Lock()
_calls: set[str] = set()  # that run now, in this process


@contextlib.contextmanager
def working() -> Iterator[dict[str, Any]]:
    """Yield what a worker stores on its trials: its host, process and call.

    The process's start time is there because the system may give its number to another process,
    and the call because one process may run several comparisons, one after another.
    """
    worker = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "started": psutil.Process().create_time(),
        "call": uuid.uuid4().hex,
    }
    with _lock:
        _calls.add(worker["call"])
    try:
        yield worker
    finally:
        with _lock:
            _calls.discard(worker["call"])


def may_be_alive(worker: dict[str, Any]) -> bool:
    """Return whether a worker may still run; True for any on another host."""
    if worker["host"] != socket.gethostname():
        return True
    if worker["pid"] == os.getpid():
        with _lock:
            return worker["call"] in _calls
    try:
        process = psutil.Process(worker["pid"])
        if (
            process.status() == psutil.STATUS_ZOMBIE
        ):  # killed, but its parent has not waited for it
            return False
        # The system may have given the number to a process that started later.
        return abs(process.create_time() - worker["started"]) < 1.0
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
