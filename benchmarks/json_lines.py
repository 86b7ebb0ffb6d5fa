"""Files of runs, one JSON value a line: an interrupted benchmark goes on where it was."""

import json
import os
import warnings
from pathlib import Path
from typing import Any


def read_lines(path: Path) -> list[Any]:
    """Return the values of a file, none if it does not exist.

    A line that an interrupted process left incomplete is skipped with a warning.
    """
    found = []
    for number, line in enumerate(path.read_text().splitlines() if path.exists() else [], 1):
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            warnings.warn(f"{path}:{number} is no JSON line and is skipped.", stacklevel=2)
    return found


def append_line(path: Path, value: object) -> None:
    """Append one line in one write, so that processes that share the file never mix theirs."""
    descriptor = os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o644)
    try:
        os.write(descriptor, (json.dumps(value) + "\n").encode())
    finally:
        os.close(descriptor)
