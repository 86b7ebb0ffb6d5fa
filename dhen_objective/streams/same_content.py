"""A warning of files that hold the same rows, whatever their formats."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from dhen_objective.streams.base import Batch
from dhen_objective.streams.columns import plain
from dhen_objective.streams.hashing import word
from dhen_objective.streams.part import Source
from dhen_objective.streams.rows import Columns, Rows

_COMPARED = 1000
"""Size of the first rows as text from which equal files are taken for copies."""

_SIZED, _LOOKED_UP = 256, 16
"""Rows by which that size is found, and rows by which files are looked up that may be equal."""


def warn_of_same_content(
    paths: Sequence[Path], sources: Sequence[Source], columns: Columns
) -> None:
    """Warn of files with equal examples, whose rows are read twice.

    Small files are not compared, since they may well hold the same few rows by accident. Of the
    others, those are compared whose first rows are the same.

    Args:
        paths: The files; none for a DataFrame.
        sources: The same files as sources, whose columns were checked.
        columns: The columns that are read.
    """
    if len(paths) < 2:
        return
    alike: dict[object, list[int]] = {}
    for i, source in enumerate(sources):
        start = _start(source, columns)
        if start is None:
            continue
        earlier = alike.setdefault(start, [])
        for other in earlier:
            if _same(sources[other], source, columns):
                warnings.warn(
                    f"paths name {paths[other]} and {paths[i]}, which hold the same: "
                    "their rows are read twice.",
                    stacklevel=2,
                )
                return
        earlier.append(i)


def _start(source: Source, columns: Columns) -> object | None:
    """Return the first rows as texts; None for a file that is small or damaged."""
    try:
        found = source.first(columns.names) if source.names() else None
    except ValueError:  # which is told of where the row is read
        return None
    if found is None:
        return None
    texts = [list(map(word, plain(column[:_SIZED]).to_pylist())) for column in found.columns]
    if sum(len(text) + 1 for column in texts for text in column) < _COMPARED:
        return None
    return tuple(tuple(column[:_LOOKED_UP]) for column in texts)


def _same(one: Source, other: Source, columns: Columns) -> bool:
    """Return True if two files have the same examples in the same order."""
    first, second = _examples(one, columns), _examples(other, columns)
    ours, theirs = next(first, None), next(second, None)
    while ours is not None and theirs is not None:
        rows = min(len(ours), len(theirs))
        if not _equal(ours.rows(0, rows), theirs.rows(0, rows)):
            return False
        ours, theirs = (
            batch.rows(rows, len(batch)) if len(batch) > rows else next(others, None)
            for batch, others in ((ours, first), (theirs, second))
        )
    return ours is None and theirs is None


def _examples(source: Source, columns: Columns) -> Iterator[Batch]:
    """Yield the well-formed rows up to where a file is damaged."""
    latest = -math.inf
    try:
        for part in source.parts(columns.names):
            rows = Rows(part, columns, latest=latest)
            latest = rows.latest
            if rows.good.any():
                yield rows.batch()
    except ValueError:
        return


def _equal(one: Batch, other: Batch) -> bool:
    return (
        torch.equal(one.labels, other.labels)
        and torch.equal(one.sparse, other.sparse)
        and torch.equal(one.dense.nan_to_num(math.inf), other.dense.nan_to_num(math.inf))
    )
