"""Writing of files that appear complete or not at all, even if the writer is killed."""

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
    """Write the parts to a temporary file, which then replaces the file at `path`.

    The content is on the disk before the name changes, so that even a crash of the machine leaves
    the old file or the new one.
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
    """Remove the temporary files of killed writers from a folder; those of living ones stay.

    Args:
        folder: The folder, which need not exist.
        name: Name of the file that was to be written; by default any.
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
