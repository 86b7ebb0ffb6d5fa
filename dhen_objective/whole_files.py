"""Files that appear whole or not at all, also where writers are killed."""

from __future__ import annotations

import glob
import os
import socket
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

_OLD = 3600.0
"""Seconds without a change after which the file of a writer on another machine is abandoned."""


def write_whole(path: Path, parts: Iterable[bytes | memoryview]) -> None:
    """Write the parts to a file beside `path`, which then takes its place.

    The content is on the disk before the name is, so that also a crash of the machine leaves the
    old file or the new one.
    """
    temporary = path.with_name(
        f"{path.name}.{_host()}.{os.getpid()}.{threading.get_native_id()}.tmp"
    )
    try:
        with temporary.open("wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def sweep(folder: Path, name: str | None = None) -> None:
    """Remove what killed writers left in a folder; files of living ones stay.

    Args:
        folder: Where to look; it need not be there.
        name: Of the file that was to be written; by default any.
    """
    begin = "*" if name is None else glob.escape(name)
    for temporary in folder.glob(f"{begin}.*.*.*.tmp"):
        if _abandoned(temporary):
            temporary.unlink(missing_ok=True)


def _abandoned(temporary: Path) -> bool:
    host, process, thread = temporary.name.split(".")[-4:-1]
    if not (process.isdigit() and thread.isdigit()):
        return False  # not written here
    if host == _host() and not psutil.pid_exists(int(process)):
        return True
    try:
        return time.time() - temporary.stat().st_mtime > _OLD
    except FileNotFoundError:  # its writer has finished
        return False


def _host() -> str:
    return socket.gethostname().replace(".", "-") or "host"
