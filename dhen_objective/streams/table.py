"""Examples from CSV and Parquet files of any size, or a DataFrame, in their order."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dhen_objective.checked import checked
from dhen_objective.ranges import check_prior
from dhen_objective.streams.base import Batch, ClickStream, check_batches, regroup
from dhen_objective.streams.data_frame import DataFrame, Frame
from dhen_objective.streams.layout import CSV
from dhen_objective.streams.leaks import Leaks
from dhen_objective.streams.malformed import MalformedRows
from dhen_objective.streams.other_kinds import warn_of_other_kinds
from dhen_objective.streams.part import Source, arrow
from dhen_objective.streams.paths import expand, warn_of_letters_order
from dhen_objective.streams.rows import Columns, Rows
from dhen_objective.streams.same_content import warn_of_same_content
from dhen_objective.streams.sources import check_columns, open_file


@checked
class TableStream(ClickStream):
    """Examples from CSV or Parquet files, which may be larger than memory, or a DataFrame.

    Everything is stateless: ids are hashes, so that no vocabulary is built, let alone from the
    future; a network standardizes dense features by what it has seen (`RunningNorm`).

    The same table has the same examples in each of these forms. Empty lines are skipped.

    A row is malformed if it has too few or too many columns, a label other than 0 and 1, a
    number that is none, or a time before that of an earlier row. Malformed rows are counted,
    named in a warning at the end of the pass, and end it when they are too many.

    Attributes:
        malformed: The malformed rows of the newest pass that ended, that of counting at first.
        paths: The files; none for a DataFrame.

    Examples:
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"clicked": [True, False], "shop": ["a", None]})
        >>> columns = Columns(label="clicked", sparse={"shop": 100})
        >>> TableStream(frame, columns, prior=0.5).n_rows
        2
    """

    def __init__(
        self,
        paths: DataFrame | Path | str | Sequence[Path | str],
        columns: Columns,
        *,
        prior: float,
        layout: CSV | None = None,
        rows: int | None = None,
        max_malformed: float = 0.0,
    ) -> None:
        """Check the columns, and read the files once to count their rows if `rows` is not given.

        Args:
            paths: A pandas DataFrame, which may change afterwards, or one file or several, which
                follow each other in time. A folder, or a pattern such as "day_*.csv", stands for
                its files in natural order: day_2 comes before day_10. Files may be compressed.
            columns: What the columns mean.
            prior: Rough share of positives, as known before the first example.
            layout: Of text files. By default, files whose name has .csv or .tsv in it are text
                with a header. Parquet files are recognized by their first bytes.
            rows: Take only the first well-formed rows; by default all.
            max_malformed: Largest share of malformed rows, in [0, 1).

        Raises:
            ImportError: If pyarrow is not installed.
            FileNotFoundError: If a file is not there.
            ValueError: If an argument breaks its rule, a column is not there or of a type that
                does not fit, or a file is none of these or damaged.
            MalformedRowsError: If the pass that counts, or a look at the first rows where `rows`
                is given, meets too many malformed rows.
        """
        if rows is not None and rows < 1:
            raise ValueError(f"rows must be at least 1, but got {rows}.")
        check_prior(prior)
        arrow()
        self.columns = columns
        self.layout = layout
        self.max_malformed = max_malformed
        self.malformed = MalformedRows(max_malformed)
        self.paths, self._sources = _sources(paths, layout)
        names = list(map(str, self.paths or ["DataFrame"]))
        kinds = {}
        for source, where in zip(self._sources, names, strict=True):
            kinds[where] = check_columns(source, where, columns)
            if isinstance(source, Frame):
                source.keep(columns.names)
        warn_of_other_kinds(kinds, self._sources, columns)
        warn_of_same_content(self.paths, self._sources, columns)
        if columns.time is None:
            warn_of_letters_order(self.paths)
        self._made_of = [_stamp(path) for path in self.paths]
        self.field_sizes = tuple(columns.fields.values())
        self.n_dense = len(columns.dense) + len(columns.counts)
        self.prior = prior
        self._limit = rows
        self.n_rows = rows if rows is not None else self._count()
        if rows is not None:
            next(self._checked(MalformedRows(max_malformed), limit=rows), None)

    @property
    def identity(self) -> dict[str, Any]:
        """The class, the shape, and the files with their sizes and times of change."""
        return {**super().identity, "files": [_stamp(path) for path in self.paths]}

    def batches(self, batch_size: int, *, start: int = 0) -> Iterator[Batch]:
        """Yield the examples from row `start` on; only the last batch may be shorter.

        Warns of files that changed since the stream was made, and, when the pass ends, of
        malformed rows and of files that changed while they were read.

        Raises:
            MalformedRowsError: If too many rows are malformed.
            ValueError: If the files hold fewer examples than `rows`, the batch size is not
                positive, or `start` is negative.
        """
        check_batches(batch_size, start)
        if changed := self._changed(self._made_of):
            warnings.warn(
                f"{changed} changed since the stream was made. The first {self.n_rows} "
                "rows are read of what the files hold now; make the stream anew for all of them.",
                stacklevel=2,
            )
        return regroup(self._limited(), batch_size, start=start)

    def _changed(self, before: list[dict[str, Any]]) -> str:
        """Return the files that differ from earlier stamps: rows may be cut off, or others."""
        known = zip(self.paths, before, strict=True)
        return ", ".join(str(path) for path, old in known if path.exists() and _stamp(path) != old)

    def _limited(self) -> Iterator[Batch]:
        malformed, left = MalformedRows(self.max_malformed), self.n_rows
        begun = [_stamp(path) for path in self.paths]
        for rows in self._checked(malformed, limit=self._limit):
            batch = rows.batch().rows(0, left)  # a file may have grown since it was counted
            left -= len(batch)
            yield batch
        if changed := self._changed(begun):
            warnings.warn(
                f"{changed} changed while the stream was read: this pass may have rows of both "
                "versions, or lack some.",
                stacklevel=2,
            )
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
            names = ", ".join(source.name for source in self._sources)
            raise ValueError(f"paths must hold an example, but got {names} without any.")
        return count

    def _checked(self, malformed: MalformedRows, limit: int | None = None) -> Iterator[Rows]:
        """Yield the rows up to a number of well-formed ones, and count the malformed ones."""
        latest, columns = -math.inf, self.columns
        features = dict.fromkeys((*columns.sparse, *columns.dense, *columns.counts))
        leaks = Leaks(columns.label, list(features))
        for i, source in enumerate(self._sources):
            if self.paths:  # which may have been replaced
                check_columns(source, str(self.paths[i]), self.columns)
            for part in source.parts(self.columns.names):
                rows = Rows(part, self.columns, latest=latest, limit=limit)
                latest = rows.latest
                rows.report(malformed)
                malformed.check()
                leaks.add(rows)
                yield rows
                if limit is not None:
                    limit -= int(rows.good.sum())
                    if limit == 0:
                        leaks.finish()
                        return
        leaks.finish()


def _sources(
    given: DataFrame | Path | str | Sequence[Path | str], layout: CSV | None
) -> tuple[tuple[Path, ...], tuple[Source, ...]]:
    """Return the files, none for a DataFrame, and the sources to read."""
    if isinstance(given, str | Path):
        given = [given]
    if isinstance(given, DataFrame):
        if layout is not None:
            raise ValueError("layout must be None for a DataFrame, but got one.")
        return (), (Frame(given),)
    if not len(given):
        raise ValueError("paths must name a file, but got none.")
    # absolute, as the process may go to another folder, with files of the same names
    paths = tuple(path.absolute() for path in expand(given))
    return paths, tuple(open_file(path, layout) for path in paths)


def _stamp(path: Path) -> dict[str, Any]:
    state = path.stat()
    return {"path": str(path), "bytes": state.st_size, "modified_ns": state.st_mtime_ns}
