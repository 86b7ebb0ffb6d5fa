"""Examples from CSV and Parquet files of any size, in their order, at constant memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from dhen_objective.checked import checked
from dhen_objective.streams.base import Batch, ClickStream, regroup
from dhen_objective.streams.files import CSV, column_names, read_files
from dhen_objective.streams.malformed import MalformedRows
from dhen_objective.streams.rows import Columns, Rows


@checked
class TableStream(ClickStream):
    """Examples from CSV or Parquet files, which may be larger than memory.

    Everything is stateless: ids are hashes, so that no vocabulary is built, let alone from the
    future; a network standardizes dense features by what it has seen (`RunningNorm`).

    A row is malformed if it has too few or too many columns, a label other than 0 and 1, a
    number that is none, or a time before that of an earlier row. Malformed rows are counted,
    named in a warning at the end of the pass, and end it when they are too many.

    Attributes:
        malformed: The malformed rows of the newest pass that ended, that of counting at first.
    """

    def __init__(
        self,
        paths: Path | str | Sequence[Path | str],
        columns: Columns,
        *,
        prior: float,
        layout: CSV | None = None,
        rows: int | None = None,
        max_malformed: float = 0.0,
    ) -> None:
        """Looks at the columns, and reads the files once to count if `rows` is not given.

        Args:
            paths: One file or several, which follow each other in time.
            columns: What the columns mean.
            prior: Rough share of positives, as known before the first example.
            layout: Of text files. By default, files whose name has .csv or .tsv in it are text
                with a header, and others are Parquet.
            rows: Take only the first well-formed rows; by default all.
            max_malformed: Largest share of malformed rows, in [0, 1).

        Raises:
            ImportError: If pyarrow is not installed.
            ValueError: If an argument breaks its rule or a column is not there.
            MalformedRowsError: If the pass that counts meets too many malformed rows.
        """
        given = [paths] if isinstance(paths, str | Path) else paths
        self.paths = tuple(Path(path) for path in given)
        if not self.paths:
            raise ValueError("paths must name a file, but got none.")
        if rows is not None and rows < 1:
            raise ValueError(f"rows must be at least 1, but got {rows}.")
        if not 0 < prior < 1:
            raise ValueError(f"prior must be in (0, 1), but got {prior}.")
        self.columns = columns
        self.layout = layout or _layout(self.paths[0])
        self.max_malformed = max_malformed
        self.malformed = MalformedRows(max_malformed)
        self._check_names()
        self.field_sizes = tuple(columns.fields.values())
        self.n_dense = len(columns.dense) + len(columns.counts)
        self.prior = prior
        self._limit = rows
        self.n_rows = rows if rows is not None else self._count()

    def batches(self, batch_size: int, *, start: int = 0) -> Iterator[Batch]:
        """Yields the examples from row `start` on; only the last batch may be shorter.

        Warns of malformed rows when the pass ends.

        Raises:
            MalformedRowsError: If too many rows are malformed.
            ValueError: If the files hold fewer examples than `rows`.
        """
        yield from regroup(self._limited(), batch_size, start=start)

    def _limited(self) -> Iterator[Batch]:
        malformed, left = MalformedRows(self.max_malformed), self.n_rows
        for rows in self._checked(malformed):
            batch = rows.batch()
            yield batch.rows(0, left)
            left -= min(left, len(batch))
            if left == 0:
                break
        self.malformed = malformed
        malformed.finish()
        if left:
            raise ValueError(
                f"rows must be at most the {self.n_rows - left} that the files hold, "
                f"but got {self.n_rows}."
            )

    def _count(self) -> int:
        self.malformed = MalformedRows(self.max_malformed)
        count = sum(int(rows.good.sum()) for rows in self._checked(self.malformed))
        self.malformed.check(at_end=True)
        if not count:
            raise ValueError(f"paths must hold an example, but got {self.paths[0]} without any.")
        return count

    def _checked(self, malformed: MalformedRows) -> Iterator[Rows]:
        """Yields the rows, of which the malformed ones are counted."""
        latest = -math.inf
        for part in read_files(self.paths, self.layout, self.columns.names, malformed):
            rows = Rows(part, self.columns, latest=latest)
            latest = rows.latest
            rows.report(malformed)
            malformed.check()
            yield rows
        malformed.check()

    def _check_names(self) -> None:
        known = column_names(self.paths[0], self.layout)
        absent = [name for name in self.columns.names if name not in known]
        if absent:
            raise ValueError(
                f"columns must be among those of {self.paths[0]}, {known}, but got {absent}."
            )


def _layout(path: Path) -> CSV | None:
    suffixes = {suffix.lower() for suffix in path.suffixes}
    if ".tsv" in suffixes:
        return CSV(delimiter="\t")
    return CSV() if ".csv" in suffixes else None
