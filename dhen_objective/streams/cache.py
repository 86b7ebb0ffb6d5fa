"""Arrays that are slow to build, kept in a file of the user's cache."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

Arrays = dict[str, np.ndarray]


def default_cache() -> Path:
    """Returns the folder `dhen_objective` in `$XDG_CACHE_HOME` or `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "dhen_objective"


def cached(name: str, build: Callable[[], Arrays], *, folder: Path | None = None) -> Arrays:
    """Returns the arrays of the file `name`.npz, which is built if it is not there.

    The file appears whole or not at all, also with several writers.

    Args:
        name: Of the file; with a version, to be raised whenever `build` changes.
        build: Makes the arrays.
        folder: Where the file lies; by default `default_cache()`.
    """
    folder = folder or default_cache()
    path = folder / f"{name}.npz"
    if path.exists():
        with np.load(path, allow_pickle=False) as stored:
            return dict(stored)
    arrays = build()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".npz", delete=False) as file:
        np.savez(file, allow_pickle=False, **arrays)
    os.replace(file.name, path)
    return arrays


def first_rows(arrays: Arrays, rows: int | None) -> Arrays:
    """Returns the first rows of all arrays; all rows for None.

    Raises:
        ValueError: If `rows` is not positive or exceeds the arrays.
    """
    total = len(arrays["labels"])
    rows = total if rows is None else rows
    if not 1 <= rows <= total:
        raise ValueError(f"rows must be in [1, {total}], but got {rows}.")
    return {name: array[:rows] for name, array in arrays.items()}
