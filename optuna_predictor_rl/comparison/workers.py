"""Who runs a trial, and whether it still does: a worker that was killed cannot say so."""

import contextlib
import os
import socket
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import psutil

_lock = threading.Lock()
_calls: set[str] = set()  # under way in this process


@contextlib.contextmanager
def working() -> Iterator[dict[str, Any]]:
    """Yields what is stored on a worker's trials: its host, process and call."""
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
    """Whether a worker may still run; of one on another host nothing is known."""
    if worker["host"] != socket.gethostname():
        return True
    if worker["pid"] == os.getpid():
        with _lock:
            return worker["call"] in _calls
    try:
        process = psutil.Process(worker["pid"])
        if process.status() == psutil.STATUS_ZOMBIE:  # killed, and not yet waited for
            return False
        # Another process may have got the same number since.
        return abs(process.create_time() - worker["started"]) < 1.0
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
