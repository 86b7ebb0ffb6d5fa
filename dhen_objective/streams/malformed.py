"""A count of malformed rows, which describes the first ones and stops if they are too many."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

_NAMED = 5
_FIRST_CHECK = 1000


class MalformedRowsError(ValueError):
    """More rows of a file were malformed than the user allowed."""


@dataclass(frozen=True)
class MalformedRow:
    """A row that is no example.

    Attributes:
        path: The file.
        line: Line in a text file, its header included, or row in a Parquet file, from 1.
        reason: What is wrong with it.
    """

    path: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


class MalformedRows:
    """The malformed rows of one pass over files.

    Attributes:
        limit: Largest share of malformed rows.
        read: Number of rows seen, malformed ones among them.
        count: Number of malformed rows.
        first: The first few of them.
    """

    def __init__(self, limit: float) -> None:
        """Start with nothing seen.

        Raises:
            ValueError: If `limit` is no share.
        """
        if not 0 <= limit < 1:
            raise ValueError(f"max_malformed must be in [0, 1), but got {limit}.")
        self.limit = limit
        self.read = 0
        self.count = 0
        self.first: list[MalformedRow] = []

    def add(self, describe: Callable[[], MalformedRow]) -> None:
        """Count a malformed row, and describe it if it is one of the first."""
        self.count += 1
        if len(self.first) < _NAMED:
            self.first.append(describe())

    def check(self, *, at_end: bool = False) -> None:
        """Raise an error if too many rows were malformed.

        Before the end, a share of fewer than 1,000 rows counts as one of 1,000, so that one bad
        row at the top of a file does not stop a run that allows a few.

        Raises:
            MalformedRowsError: If the share is beyond the limit.
        """
        rows = self.read if at_end else max(self.read, _FIRST_CHECK)
        if self.count > self.limit * rows:
            raise MalformedRowsError(
                f"max_malformed allows a share of {self.limit:g} malformed rows, "
                f"but got {self._summary()}."
            )

    def finish(self) -> None:
        """Check the share at the end of a pass, and warn of the rows that were left out."""
        self.check(at_end=True)
        if self.count:
            warnings.warn(f"Malformed rows were left out: {self._summary()}.", stacklevel=2)

    def _summary(self) -> str:
        named = "; ".join(map(str, self.first))
        more = "; ..." if self.count > len(self.first) else ""
        return f"{self.count:,} of {self.read:,}: {named}{more}"
