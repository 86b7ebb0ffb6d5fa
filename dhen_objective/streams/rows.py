"""What the columns of a table mean, and its rows as examples, with those that are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64

from dhen_objective.checked import checked
from dhen_objective.streams.base import Batch
from dhen_objective.streams.columns import Values, ids, labels, numbers, times
from dhen_objective.streams.files import Part
from dhen_objective.streams.malformed import MalformedRow, MalformedRows

_CALENDAR = {"hour of the day": 24, "day of the week": 7}


@checked
@dataclass(frozen=True, kw_only=True)
class Columns:
    """What the columns of a table mean.

    Attributes:
        label: 0 or 1, or false and true.
        sparse: Categories and the number of ids that each is hashed to. A missing value is a
            category of its own.
        dense: Numbers that are taken as they are; missing ones are NaN.
        counts: Numbers x that become sign(x) log(1 + |x|).
        time: Must not decrease from row to row; None leaves the order unchecked.
        time_format: How `strptime` reads the time's text, in UTC; by default it is a number or
            has the file's own type for times. Numbers are seconds since 1970.
        calendar: Adds the hour of the day and the day of the week as two sparse fields, the last
            ones; the ids are 0 to 23, and 0 (Monday) to 6.

    Raises:
        ValueError: If there is no feature, a field has no ids, a column plays two roles, or a
            calendar is asked for without a time.
    """

    label: str
    sparse: Mapping[str, int]
    dense: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()
    time: str | None = None
    time_format: str | None = None
    calendar: bool = False

    def __post_init__(self) -> None:
        if not self.fields and not self.dense and not self.counts:
            raise ValueError("sparse, dense or counts must name a feature, but got none.")
        for name, size in self.sparse.items():
            if size < 1:
                raise ValueError(f"sparse must have positive sizes, but got {size} for {name!r}.")
        played = [self.label, *self.dense, *self.counts]
        twice = sorted({name for name in played if played.count(name) > 1 or name in self.sparse})
        if twice:
            raise ValueError(f"columns must have one role each, but got two for {twice}.")
        if self.calendar and self.time is None:
            raise ValueError("time must be named where calendar is true, but got None.")

    @property
    def names(self) -> tuple[str, ...]:
        """The columns to read, each once."""
        time = () if self.time is None else (self.time,)
        return tuple(dict.fromkeys((self.label, *self.dense, *self.counts, *self.sparse, *time)))

    @property
    def fields(self) -> dict[str, int]:
        """The sparse fields and their sizes, those of the calendar last."""
        return {**self.sparse, **(_CALENDAR if self.calendar else {})}


class Rows:
    """The rows of a part, read and checked, of which the well-formed ones are examples.

    Attributes:
        good: Which rows are well-formed.
        latest: Time of the last well-formed row, or what it was before there was one.
    """

    def __init__(self, part: Part, columns: Columns, *, latest: float) -> None:
        """Reads all columns but the categories.

        Args:
            part: The rows.
            columns: What their columns mean.
            latest: Time of the last well-formed row before them.
        """
        self._part, self._columns = part, columns
        table = part.rows
        self._read: dict[str, Values] = {columns.label: labels(table.column(columns.label))}
        for name in (*columns.dense, *columns.counts):
            self._read[name] = numbers(table.column(name))
        self.good = ~np.any([read.wrong for read in self._read.values()], axis=0)
        self.latest = latest
        self._rules = dict(self._read)
        if columns.time is not None:
            read = times(table.column(columns.time), columns.time_format)
            self._rules[columns.time] = self._in_order(read)

    def _in_order(self, read: Values) -> Values:
        """Adds to a time's faults that it is before an earlier one."""
        self.good &= ~read.wrong
        self._time = read.values
        past = np.where(self.good, read.values, -np.inf)
        before = np.maximum.accumulate(np.concatenate([[self.latest], past]))
        early = read.values < before[:-1]
        self.good &= ~early
        self.latest = float(before[-1])
        return Values(read.values, read.wrong | early, f"{read.rule}, not before an earlier row")

    def report(self, to: MalformedRows) -> None:
        """Counts the malformed rows and says why the first are."""
        for row in np.flatnonzero(~self.good).tolist():
            to.add(partial(self._describe, row))

    def _describe(self, row: int) -> MalformedRow:
        name = next(name for name, read in self._rules.items() if read.wrong[row])
        value: Any = self._part.rows.column(name)[row].as_py()
        value = value.decode(errors="replace") if isinstance(value, bytes) else value
        reason = f"{name} must be {self._rules[name].rule}, but got {value!r}"
        return MalformedRow(self._part.path, int(self._part.lines[row]), reason)

    def batch(self) -> Batch:
        """Returns the well-formed rows as examples."""
        columns, good = self._columns, self.good
        table = self._part.rows
        sparse = [
            ids(table.column(field), field=field, size=size)[good]
            for field, size in columns.sparse.items()
        ]
        if columns.calendar:
            hours = (self._time[good] // 3600).astype(np.int64)
            sparse += [hours % 24, (hours // 24 + 3) % 7]  # 1970 began on a Thursday
        dense = [self._read[name].values[good] for name in columns.dense]
        dense += [_log(self._read[name].values[good]) for name in columns.counts]
        n = int(good.sum())
        return Batch(
            dense=torch.from_numpy(np.array(dense, np.float32).reshape(-1, n).T.copy()),
            sparse=torch.from_numpy(np.array(sparse, np.int64).reshape(-1, n).T.copy()),
            labels=torch.from_numpy(self._read[columns.label].values[good].astype(np.float32)),
        )


def _log(counts: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    return np.sign(counts) * np.log1p(np.abs(counts))
