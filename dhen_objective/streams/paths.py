"""Files that are named one by one, by folders, or by patterns, in their order."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Iterator
from pathlib import Path


def expand(paths: Iterable[Path | str]) -> tuple[Path, ...]:
    """Returns the files; a folder or a pattern stands for its files in natural order.

    In natural order, day_2.csv comes before day_10.csv. Files of a folder, and of the folders in
    it, are left out where a name begins with a dot or an underscore, as those of Spark do.

    Raises:
        ValueError: If a folder or pattern holds no file, a file is named twice, or a folder is a
            table of Delta Lake, which also holds rows that were deleted.
        FileNotFoundError: If a file is not there.

    Examples:
        >>> sorted(["day_10", "day_2"], key=natural)
        ['day_2', 'day_10']
    """
    files = [file for path in paths for file in _files(Path(path))]
    twice = sorted({str(file) for file in files if files.count(file) > 1})
    if twice:
        raise ValueError(f"paths must name each file once, but got {twice} twice.")
    return tuple(files)


def natural(path: Path | str) -> list[tuple[str, int]]:
    """Returns what sorts names by the numbers in them."""
    pairs = re.findall(r"(\D*)(\d*)", str(path))
    return [(text, int(digits or -1)) for text, digits in pairs]


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        if (path / "_delta_log").is_dir():
            raise ValueError(f"{path} must be a folder of files, but is a Delta Lake table.")
        found = [file for file in path.rglob("*") if file.is_file() and not _hidden(file, path)]
        return _some(found, path)
    if not path.exists() and glob.has_magic(str(path)):
        found = [Path(name) for name in glob.glob(str(path), recursive=True)]
        return _some(list(_flat(found)), path)
    if not path.exists():
        raise FileNotFoundError(f"paths must name files that are there, but got {path}.")
    return [path]


def _flat(found: Iterable[Path]) -> Iterator[Path]:
    for path in found:
        if path.is_dir():
            yield from _files(path)
        else:
            yield path


def _some(found: list[Path], path: Path) -> list[Path]:
    if not found:
        raise ValueError(f"paths must hold files, but got none in {path}.")
    return sorted(set(found), key=natural)


def _hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith((".", "_")) for part in file.relative_to(folder).parts)
