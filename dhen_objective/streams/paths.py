"""Files that are named one by one, by folders, or by patterns, in their order."""

from __future__ import annotations

import fnmatch
import glob
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

_SUFFIX = re.compile(
    r"(\.(gz|gzip|bz2|xz|zip|zst|zstd|lz4|bak|backup|old|orig|tmp|csv|tsv|txt|parquet|pq)|~)$",
    re.I,
)
"""Suffixes that two names of one table may differ in: compression, a backup, the format."""

_COPIES = (
    re.compile(r"(.+\.(?:csv|tsv|txt|parquet|pq))\W?.+", re.I),  # .csv.part, .csv.1, .csv_old
    re.compile(r"(?:copy of |~\$|#)(.+?)#?", re.I),
    re.compile(r"(.+?)(?: ?\(\d+\)|[ _-]+(?:copy|backup|bak|old|orig)(?![a-z]).*)", re.I),
)
"""Names of copies, of downloads that were broken off, and of older versions of a table."""

_TABLES = {"_delta_log": "Delta Lake", ".hoodie": "Hudi"}


def expand(paths: Iterable[Path | str]) -> tuple[Path, ...]:
    """Return the files; a folder or a pattern stands for its files in natural order.

    In natural order, day_2.csv comes before day_10.csv and Day_10.csv. Files of a folder, and of
    the folders in it, are left out where a name begins with a dot or an underscore, as those of
    Spark do; a folder such as _day=1, for the values of a column, is none of these. Links to
    folders are followed.

    A pattern leaves out names with an underscore, too, where no part of it begins like them:
    `**/*.csv` does not mean what a job of Spark left in _temporary.

    Raises:
        ValueError: If a name is empty, a folder or pattern holds no file, a file is named twice,
            be it by another name, or a folder or pattern holds a table twice, such as day_1.csv
            and day_1.csv.gz, or what may be a copy of one, such as day_1.csv.1 and day_1 (1).csv.
            Also if a file belongs to a table of Delta Lake, Hudi or Iceberg, which keep rows that
            were deleted.
        FileNotFoundError: If a file is not there.

    Examples:
        >>> sorted(["day_10", "day_2"], key=natural)
        ['day_2', 'day_10']
    """
    paths = list(paths)
    if "" in paths:
        raise ValueError("paths must name files, but got ''.")
    files = [file for path in paths for file in _files(Path(path))]
    names: dict[Path, list[str]] = {}
    for file in files:
        names.setdefault(file.resolve(), []).append(str(file))
    for same in names.values():
        if len(same) > 1:
            raise ValueError(f"paths must name each file once, but got {same}, which is one.")
    for folder in {parent for file in files for parent in _parents(file)}:
        _check_plain(folder)
    _warn_of_twins(files)
    return tuple(files)


def _warn_of_twins(files: Iterable[Path]) -> None:
    """Warn of files, named one by one, that differ only in compression or format."""
    tables: dict[Path, Path] = {}
    for file in files:
        other = tables.setdefault(_table(file), file)
        if other != file:
            warnings.warn(
                f"paths name {other} and {file}, which may be one table: its rows are then read "
                "twice.",
                stacklevel=2,
            )
            return


def warn_of_letters_order(files: Sequence[Path]) -> None:
    """Warn of files that are in the order of letters where that of numbers is another."""
    right = sorted(files, key=natural)
    if list(files) == right or list(files) not in (sorted(files), sorted(files, key=str)):
        return
    first, second = next((a, b) for a, b in zip(files, right, strict=True) if a != b)
    if len({re.sub(r"\d+", "0", str(path)) for path in (first, second)}) > 1:
        return  # such as hashes, whose digits are no numbers
    warnings.warn(
        f"paths name {first.name} before {second.name}, as if sorted by letters, and no column of "
        "times can tell whether rows are in order. They are read as named; a folder or a "
        'pattern such as "day_*.csv" stands for its files in the order of their numbers.',
        stacklevel=2,
    )


def natural(path: Path | str) -> tuple[list[list[tuple[str, int]]], str]:
    """Return a sort key that orders paths, folder by folder, by the numbers in their names.

    A name comes before longer ones that begin with it, whatever its suffix: data.csv before
    data-2.csv. Names that differ only in zeros before a number, or in the size of letters, are
    ordered by their letters.
    """
    *folders, name = Path(path).parts
    stem = _table(Path(name)).name
    parts = [*folders, stem, name.removeprefix(stem)]
    pairs = [re.findall(r"(\D*)(\d*)", part.casefold()) for part in parts]
    return [[(text, int(digits or -1)) for text, digits in part] for part in pairs], str(path)


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        _check_plain(path)
        return _some(list(_walk(path)), path)
    if not path.exists() and glob.has_magic(str(path)):
        found = map(Path, glob.glob(_pattern(path), recursive=True))
        return _some(list(_flat(file for file in found if _meant(file, path))), path)
    if not path.exists():
        raise FileNotFoundError(f"paths must name files that are there, but got {path}.")
    if not path.is_file():
        raise ValueError(
            f"paths must name files, which are read more than once, but {path} is a pipe, a "
            "socket or a device."
        )
    return [path]


def _pattern(path: Path) -> str:
    """Return a pattern in which brackets of folders that exist, such as run[1], are letters."""
    folder = next(folder for folder in path.parents if folder.is_dir())
    return str(Path(glob.escape(str(folder))) / path.relative_to(folder))


def _meant(found: Path, pattern: Path) -> bool:
    """Return whether a pattern means a path: hidden parts only where one of its own is alike."""
    asked = [part for part in pattern.parts if _hidden(part)]
    hidden = [part for part in found.parts if _hidden(part)]
    return all(any(fnmatch.fnmatch(part, like) for like in asked) for part in hidden)


def _flat(found: Iterable[Path]) -> Iterator[Path]:
    for path in found:
        yield from _files(path)


def _walk(top: Path) -> Iterator[Path]:
    """Yield the files of a folder and of those in it, also where these are links."""
    for name, folders, files in os.walk(top, followlinks=True, onerror=_raise):
        folder = Path(name)
        _check_plain(folder)
        above = {folder.resolve(), *folder.resolve().parents}
        folders[:] = [  # a link to a folder above would go round in circles
            sub for sub in folders if not _hidden(sub) and (folder / sub).resolve() not in above
        ]
        for file in files:
            if _hidden(file):
                continue
            if not (folder / file).exists():
                raise FileNotFoundError(f"{folder / file} must lead to a file, but none is there.")
            if (folder / file).is_file():
                yield folder / file


def _raise(error: OSError) -> NoReturn:
    raise error


def _some(found: list[Path], path: Path) -> list[Path]:
    if not found:
        raise ValueError(f"paths must hold files, but got none in {path}.")
    files = sorted(set(found), key=natural)
    tables: dict[Path, Path] = {}
    for file in files:
        other = tables.setdefault(_table(file), file)
        if other != file:
            _refuse(path, other, file)
    for file in files:
        for name in _originals(file.name):
            other = tables.get(_table(file.with_name(name)), file)
            if other != file:
                _refuse(path, other, file)
    return files


def _refuse(path: Path, one: Path, other: Path) -> NoReturn:
    raise ValueError(
        f"{path} must hold each table once, but has {one.name} and {other.name}; "
        "move one away, or name the files."
    )


def _originals(name: str) -> Iterator[str]:
    """Yield the names of the tables that a file may be a copy or another version of."""
    stem = _table(Path(name)).name
    for of in (name, stem):
        for pattern in _COPIES:
            if match := pattern.fullmatch(of):
                yield match[1]


def _table(file: Path) -> Path:
    """Return a path without the suffixes that copies of one table differ in."""
    name = file.name
    while (match := _SUFFIX.search(name)) and match.start():
        name = name[: match.start()]
    return file.with_name(name)


def _parents(file: Path) -> set[Path]:
    """Return all folders above a file and, if it is a link, above its target."""
    return {*file.absolute().parents, *file.resolve().parents}


def _check_plain(folder: Path) -> None:
    """Refuses tables of many versions, whose files hold rows that were deleted or replaced."""
    for mark, kind in _TABLES.items():
        if (folder / mark).is_dir():
            raise ValueError(f"{folder} must be a folder of files, but is a {kind} table.")
    if any((folder / "metadata").glob("*.metadata.json")):
        raise ValueError(f"{folder} must be a folder of files, but is an Iceberg table.")


def _hidden(name: str) -> bool:
    return name.startswith(".") or (name.startswith("_") and "=" not in name)
