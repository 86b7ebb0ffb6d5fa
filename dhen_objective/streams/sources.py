"""Files opened as sources of rows, with checks of their columns before any row is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dhen_objective.streams.layout import CSV
from dhen_objective.streams.opening import is_parquet
from dhen_objective.streams.parquet import ParquetFile
from dhen_objective.streams.part import Source
from dhen_objective.streams.rows import Columns
from dhen_objective.streams.text import TextFile

if TYPE_CHECKING:
    import pyarrow as pa


def open_file(path: Path, layout: CSV | None) -> TextFile | ParquetFile:
    """Return a file as a source of rows; its first bytes say whether it is Parquet.

    Args:
        path: The file.
        layout: Of a text file. By default, names with .tsv in them have tabs, other names with
            .csv in them commas, and a header.

    Raises:
        ValueError: If a layout is needed, or given for a Parquet file.
    """
    if is_parquet(path):
        if layout is not None:
            raise ValueError(f"layout must be None for Parquet, but got one for {path}.")
        return ParquetFile(path)
    if layout is not None:
        return TextFile(path, layout)
    suffixes = {suffix.lower() for suffix in path.suffixes}
    if ".tsv" in suffixes:
        return TextFile(path, CSV(delimiter="\t"))
    if ".csv" in suffixes:
        return TextFile(path, CSV())
    if suffixes & {".parquet", ".pq"}:
        return ParquetFile(path)  # which says what is wrong with it
    raise ValueError(
        f"layout must be given for a text file whose name does not hold .csv or .tsv, "
        f"but got none for {path}, which is no Parquet file."
    )


def check_columns(source: Source, where: str, columns: Columns) -> Mapping[str, pa.DataType]:
    """Check that a source has each column once, of a type that its role can be read from.

    Args:
        source: Nothing is checked where it is empty.
        where: Its name in full, for messages.
        columns: What the columns mean.

    Returns:
        Arrow's types of the columns whose type is known before their rows are read.

    Raises:
        ValueError: If a column is not there, is there twice, or has another type.
    """
    names = source.names()
    if not names:
        return {}
    absent = [name for name in columns.names if name not in names]
    if absent:
        raise ValueError(
            f"columns must be among those of {where}, {_listed(names)}, but got {absent}."
        )
    twice = [name for name in columns.names if names.count(name) > 1]
    if twice:
        raise ValueError(f"columns must occur once in {where}, but {twice} occur more often.")
    types = source.types()
    for name in columns.names:
        problem = columns.refusal(name, types[name]) if name in types else None
        if problem is not None:
            raise ValueError(f"{where}: {problem}")
    return types


def _listed(names: Sequence[str], most: int = 50) -> str:
    return str(list(names)) if len(names) <= most else f"{list(names[:most])} and more"
