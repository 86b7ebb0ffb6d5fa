"""Consecutive rows of one source, as columns of Arrow, with their line numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, kw_only=True)
class Part:
    """Consecutive rows of one source.

    Attributes:
        source: Its name.
        lines: Line or row number of each row.
        rows: The columns that were asked for; their text may be bytes.
        torn: Line and number of columns of the rows that have too few or too many.
        width: How many columns a row must have.
    """

    source: str
    lines: Int[np.ndarray, " n"]
    rows: pa.RecordBatch
    torn: Sequence[tuple[int, int]] = ()
    width: int = 0


class Source(ABC):
    """A source of rows, which are read in order and at constant memory.

    Attributes:
        name: For messages.
    """

    name: str

    @abstractmethod
    def names(self) -> list[str]:
        """Return the names of its columns; none if the source is empty."""

    @abstractmethod
    def types(self) -> Mapping[str, pa.DataType]:
        """Return Arrow's types of the columns whose type is known before their rows are read."""

    @abstractmethod
    def first(self, columns: Sequence[str]) -> pa.RecordBatch | None:
        """Return some of the first rows with these columns; None if there is no row."""

    @abstractmethod
    def parts(self, columns: Sequence[str]) -> Iterator[Part]:
        """Yield the rows with these columns, a part at a time."""


def arrow() -> Any:
    """Return pyarrow.

    Raises:
        ImportError: If it is not installed.
    """
    try:
        import pyarrow.csv
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError(
            'Streams from files need pyarrow: pip install "optuna-predictor-rl[data]".'
        ) from error
    return pyarrow
