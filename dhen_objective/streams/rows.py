"""The meaning of a table's columns, and its rows as examples or as malformed ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float64

from dhen_objective.checked import checked
from dhen_objective.streams.base import Batch
from dhen_objective.streams.categories import ids
from dhen_objective.streams.columns import Values, features, labels, refusal
from dhen_objective.streams.malformed import MalformedRow, MalformedRows
from dhen_objective.streams.part import Part
from dhen_objective.streams.thousands import warn_of_thousands
from dhen_objective.streams.times import check_format, number_refusal, times

if TYPE_CHECKING:
    import pyarrow as pa

_CALENDAR = {"hour of the day": 24, "day of the week": 7}


@checked
@dataclass(frozen=True, kw_only=True)
class Columns:
    """The meaning of the columns of a table.

    Attributes:
        label: 0 or 1, or false and true.
        sparse: Categories and the number of ids that each is hashed to, by `stable_id`. A
            missing value is a category of its own; 5, 5.0 and "5" are one.
        dense: Numbers that are taken as they are; missing ones are NaN. True is 1.
        counts: Numbers x that become sign(x) log(1 + |x|).
        time: Must not decrease from row to row; None leaves the order unchecked.
        time_format: How `pandas.to_datetime` reads the time's text, in UTC: a format of
            `strptime`, or "ISO8601". A column of numbers is read as its text, with the zeros
            that it lost, where the format has a fixed number of digits and nothing else, such
            as "%y%m%d%H". By default the time is a number or has the file's own type for times.
            Numbers are seconds since 1970; with `calendar`, from 1973 to 2033.
        calendar: Adds the hour of the day and the day of the week as two sparse fields, the last
            ones; the ids are 0 to 23, and 0 (Monday) to 6.

    Raises:
        ValueError: If there is no feature, a field has no ids, a column plays two roles, a
            sparse column is called as one of the calendar, or a format or a calendar is asked
            for without a time.

    Examples:
        >>> Columns(label="clicked", sparse={"shop": 4096}, dense=("price",)).names
        ('clicked', 'price', 'shop')
    """

    label: str
    sparse: Mapping[str, int]
    dense: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()
    time: str | None = None
    time_format: str | None = None
    calendar: bool = False

    def __post_init__(self) -> None:
        for name, size in self.sparse.items():
            if size < 1:
                raise ValueError(f"sparse must have positive sizes, but got {size} for {name!r}.")
        sizes = {name: int(size) for name, size in self.sparse.items()}
        object.__setattr__(self, "sparse", sizes)  # a copy, which the caller cannot change
        self._check_time()
        if not self.fields and not self.dense and not self.counts:
            raise ValueError("sparse, dense or counts must name a feature, but got none.")
        played = [self.label, *self.dense, *self.counts]
        twice = sorted({name for name in played if played.count(name) > 1 or name in self.sparse})
        if twice:
            raise ValueError(f"columns must have one role each, but got two for {twice}.")

    def _check_time(self) -> None:
        if self.time is not None and self.time == self.label:
            raise ValueError(f"time must be another column than label, but got {self.time!r}.")
        if self.time is None and (self.calendar or self.time_format is not None):
            given = "calendar is true" if self.calendar else "time_format is given"
            raise ValueError(f"time must be named where {given}, but got None.")
        if self.time_format is not None:
            check_format(self.time_format, calendar=self.calendar)
        taken = sorted(name for name in _CALENDAR if self.calendar and name in self.sparse)
        if taken:
            raise ValueError(
                f"sparse must not name {taken} where calendar is true, which adds it."
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The columns to read, each once."""
        time = () if self.time is None else (self.time,)
        return tuple(dict.fromkeys((self.label, *self.dense, *self.counts, *self.sparse, *time)))

    def refusal(self, name: str, kind: pa.DataType) -> str | None:
        """Return why a column of a type cannot play its roles; None if it can."""
        roles = {
            "label": name == self.label,
            "dense": name in self.dense,
            "counts": name in self.counts,
            "sparse": name in self.sparse,
            "time": name == self.time,
        }
        for role in (role for role, played in roles.items() if played):
            problem = refusal(role, kind)
            if problem is None and role == "time":
                problem = number_refusal(self.time_format, kind)
            if problem is not None:
                return f"{role} {name!r} {problem}"
        return None

    @property
    def fields(self) -> dict[str, int]:
        """The sparse fields and their sizes, those of the calendar last."""
        return {**self.sparse, **(_CALENDAR if self.calendar else {})}


class Rows:
    """The rows of a part, read and checked; the well-formed ones are examples.

    Attributes:
        good: Which rows are well-formed.
        latest: Time of the last well-formed row, or what it was before there was one.
    """

    def __init__(
        self, part: Part, columns: Columns, *, latest: float, limit: int | None = None
    ) -> None:
        """Read all columns but the categories.

        Args:
            part: The rows.
            columns: What their columns mean.
            latest: Time of the last well-formed row before them.
            limit: Number of well-formed rows after which all others are left unread.

        Raises:
            ValueError: If a column has a type that its role cannot be read from.
        """
        self._part, self._columns = part, columns
        table = part.rows
        for name in columns.names:  # of objects, the type is known only now
            problem = columns.refusal(name, table.column(name).type)
            if problem is not None:
                raise ValueError(f"{part.source}: {problem}")
        self._read: dict[str, Values] = {columns.label: labels(table.column(columns.label))}
        for name in (*columns.dense, *columns.counts):
            self._read[name] = features(table.column(name))
            warn_of_thousands(table.column(name), self._read[name].values, name=name)
        self.good = ~np.any([read.wrong for read in self._read.values()], axis=0)
        self.latest = latest
        self._rules = dict(self._read)
        if columns.time is not None:
            time = table.column(columns.time)
            read = times(time, columns.time_format, calendar=columns.calendar)
            self._rules[columns.time] = self._in_order(read)
        self._end, self._limited = len(self.good), limit is not None and self.good.sum() >= limit
        if limit is not None and self._limited:
            self._end = int(np.flatnonzero(self.good)[limit - 1]) + 1
            self.good[self._end :] = False

    def _in_order(self, read: Values) -> Values:
        """Mark times that are before an earlier one as wrong too."""
        self.good &= ~read.wrong
        self._time = read.values
        past = np.where(self.good, read.values, -np.inf)
        before = np.maximum.accumulate(np.concatenate([[self.latest], past]))
        early = read.values < before[:-1]
        self.good &= ~early
        self.latest = float(before[-1])
        return Values(read.values, read.wrong | early, f"{read.rule}, not before an earlier row")

    def labels(self) -> Float64[np.ndarray, " n"]:
        """Return the labels of the well-formed rows."""
        return self._read[self._columns.label].values[self.good]

    def column(self, name: str) -> pa.Array:
        """Return a column of the well-formed rows, as it is stored."""
        column = self._part.rows.column(name)
        return column if self.good.all() else column.filter(self.good)

    def report(self, to: MalformedRows) -> None:
        """Count the rows, and describe why the first malformed ones are malformed."""
        part = self._part
        torn = list(part.torn)
        if self._limited:
            torn = [row for row in torn if row[0] < part.lines[self._end - 1]]
        to.read += self._end + len(torn)
        wrong = np.flatnonzero(~self.good[: self._end])
        found = [(int(part.lines[row]), partial(self._describe, row)) for row in wrong.tolist()]
        found += [(line, partial(self._torn, line, actual)) for line, actual in torn]
        for _, describe in sorted(found, key=lambda pair: pair[0]):
            to.add(describe)

    def _torn(self, line: int, actual: int) -> MalformedRow:
        reason = f"a row must have {self._part.width} columns, but got {actual}"
        return MalformedRow(self._part.source, line, reason)

    def _describe(self, row: int) -> MalformedRow:
        name = next(name for name, read in self._rules.items() if read.wrong[row])
        value: Any = self._part.rows.column(name)[row].as_py()
        value = value.decode(errors="replace") if isinstance(value, bytes) else value
        reason = f"{name} must be {self._rules[name].rule}, but got {value!r}"
        return MalformedRow(self._part.source, int(self._part.lines[row]), reason)

    def batch(self) -> Batch:
        """Return the well-formed rows as examples."""
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
            dense=torch.from_numpy(np.array(dense, np.float64).reshape(len(dense), n).T.copy()),
            sparse=torch.from_numpy(np.array(sparse, np.int64).reshape(len(sparse), n).T.copy()),
            labels=torch.from_numpy(self._read[columns.label].values[good].astype(np.float32)),
        )


def _log(counts: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    return np.sign(counts) * np.log1p(np.abs(counts))
