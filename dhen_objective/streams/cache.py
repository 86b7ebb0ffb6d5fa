"""Arrays that are slow to build, kept in a file of the user's cache."""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from dhen_objective.whole_files import sweep, write_whole

Arrays = dict[str, np.ndarray]

NAMES = ("dense", "sparse", "labels")
"""The arrays of an `ArrayStream`."""


def default_cache() -> Path:
    """Return the folder `dhen_objective` in `$XDG_CACHE_HOME` or `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "dhen_objective"


@cache
def reading_version() -> str:
    """Return a name for the code of this package that reads and builds streams."""
    digest = hashlib.sha256()
    for module in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(module.name.encode() + b"\0" + module.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def cached(
    name: str, build: Callable[[], Arrays], *, names: tuple[str, ...], folder: Path | None = None
) -> Arrays:
    """Return the arrays of a file, which is built if it is not there.

    Its name ends with `reading_version`, so that no arrays are taken for fresh that other code
    built.

    The file appears complete or not at all, also with several writers. A file that is damaged, or
    holds something else, is built anew with a warning. Temporary files of writers that were
    killed are removed.

    Args:
        name: With which that of the file begins.
        build: Makes the arrays.
        names: Names of the arrays, which are equally long.
        folder: Where the file lies; by default `default_cache()`.
    """
    folder = folder or default_cache()
    path = folder / f"{name}-{reading_version()}.npz"
    sweep(folder)
    if path.exists():
        try:
            return _load(path, names)
        except Exception as error:  # a damaged file can raise anything
            warnings.warn(
                f"{path} is damaged or no cache of this stream ({type(error).__name__}: {error}); "
                "it is built anew.",
                stacklevel=2,
            )
    arrays = build()
    try:
        _save(path, arrays)
    except OSError as error:
        warnings.warn(f"{path} could not be written, so nothing is kept: {error}", stacklevel=2)
    return arrays


def _load(path: Path, names: tuple[str, ...]) -> Arrays:
    """Read all arrays; the file's own checksums detect damage."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        if set(stored.files) != set(names):
            raise ValueError(f"it must hold {', '.join(names)}, but has {', '.join(stored.files)}")
        arrays = {name: stored[name] for name in names}
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"its arrays must be equally long, but are {lengths}")
    return arrays


def _save(path: Path, arrays: Arrays) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    held = io.BytesIO()
    np.savez(held, allow_pickle=False, **arrays)
    write_whole(path, [held.getbuffer()])


def first_rows(arrays: Arrays, rows: int | None) -> Arrays:
    """Return the first rows of all arrays; all rows for None.

    Raises:
        ValueError: If `rows` is not positive or exceeds the arrays.
    """
    total = len(arrays["labels"])
    rows = total if rows is None else rows
    if not 1 <= rows <= total:
        raise ValueError(f"rows must be in [1, {total}], but got {rows}.")
    return {name: array[:rows] for name, array in arrays.items()}
