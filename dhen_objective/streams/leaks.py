"""Warnings of labels that are sorted, and of columns that tell the label."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Shaped

from dhen_objective.streams.columns import is_text, plain
from dhen_objective.streams.rows import Rows

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS, _OF_EACH = 1000, 20
"""Least number of rows, and of rows of each label, from which nothing of this is an accident."""

_SORTED = (
    "labels must follow each other as they did in time, but all {first} come before all {then}: "
    "a network that learns row by row then predicts the label by the row. Give the rows in time "
    "order."
)


def warn_of_sorted(labels: Shaped[np.ndarray, " n"]) -> None:
    """Warn of labels that are all 0 and then all 1, or the other way round."""
    runs = LabelRuns()
    runs.add(labels)
    runs.finish()


class LabelRuns:
    """The runs of equal labels in a stream."""

    def __init__(self) -> None:
        self._counts = [0, 0]
        self._changes, self._last = 0, -1

    def add(self, labels: Shaped[np.ndarray, " n"]) -> None:
        """Count the next labels."""
        if self._changes > 1 or not len(labels):
            return
        found = np.concatenate([[self._last], labels.astype(np.int64)])
        self._changes += int((found[1:] != found[:-1]).sum()) - (self._last < 0)
        self._last = int(found[-1])
        ones = int(found[1:].sum())
        self._counts[0] += len(labels) - ones
        self._counts[1] += ones

    def finish(self) -> None:
        """Warn if there are two runs alone, of enough labels."""
        enough = sum(self._counts) >= _ROWS and min(self._counts) >= _OF_EACH
        if self._changes == 1 and enough:
            first = 1 - self._last
            warnings.warn(_SORTED.format(first=f"{first}s", then=f"{self._last}s"), stacklevel=2)


class Leaks:
    """What a pass over a table shows of its labels; most columns are given up at the first rows.

    Args:
        label: Name of the label.
        features: Names of the columns that must not tell it.
    """

    def __init__(self, label: str, features: list[str]) -> None:
        self._label, self._runs, self._counts = label, LabelRuns(), [0, 0]
        self._values: dict[str, dict[int, object]] = {name: {} for name in features}
        self._missing: dict[str, dict[int, object]] = {name: {} for name in features}

    def add(self, rows: Rows) -> None:
        """Look at the next well-formed rows."""
        labels = rows.labels()
        self._runs.add(labels)
        for label in (0, 1):
            self._counts[label] += int((labels == label).sum())
        for name in [*self._values]:
            column = plain(rows.column(name))
            if not _tells(_codes(column), labels, self._values[name]):
                del self._values[name]
        for name in [*self._missing]:
            if not _tells(_absent(plain(rows.column(name))), labels, self._missing[name]):
                del self._missing[name]

    def finish(self) -> None:
        """Warn of what holds for all rows."""
        self._runs.finish()
        if sum(self._counts) < _ROWS or min(self._counts) < _OF_EACH:
            return
        for known, how in (
            (self._missing, "is missing in"),
            (self._values, "has one value in"),
        ):
            for name in known:
                if known is self._missing or name not in self._missing:
                    warnings.warn(
                        f"{name!r} {how} all rows of one {self._label!r} and in none of the "
                        "other, so it tells the label. Leave it out if it is not known before "
                        "the label is.",
                        stacklevel=2,
                    )


def _codes(column: pa.Array) -> Shaped[np.ndarray, " n"]:
    """Return the values of a column as texts; those of many values are as good as any."""
    some = column[:_ROWS].unique()
    if len(some) > 2:
        return np.arange(len(column))
    return np.array([str(value) for value in column.to_pylist()], object)


def _absent(column: pa.Array) -> Bool[np.ndarray, " n"]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(column.type):
        absent = pc.is_null(column, nan_is_null=True)
    elif is_text(column.type):
        empty = pc.equal(pc.binary_length(column.cast(pa.large_binary())), 0)
        absent = pc.fill_null(empty, True)
    else:
        absent = pc.is_null(column)
    return np.asarray(absent.to_numpy(zero_copy_only=False), bool)


def _tells(
    values: Shaped[np.ndarray, " n"],
    labels: Shaped[np.ndarray, " n"],
    known: dict[int, object],
) -> bool:
    """Return True if there is one value for each label; add those that are new to `known`."""
    for label in (0, 1):
        mine = values[labels == label]
        if not len(mine):
            continue
        if (mine != known.setdefault(label, mine[0])).any():
            return False
    return len(set(known.values())) == len(known)
