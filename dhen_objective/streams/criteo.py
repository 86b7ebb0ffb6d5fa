"""The click logs of Criteo, which users download themselves: text without a header.

Columns of a row, between tabs: the label, 13 integers, most of them counts, and 26 hashed
categories. There is no time; the rows are in the order of time.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dhen_objective.checked import check_at_least, checked
from dhen_objective.streams.layout import CSV
from dhen_objective.streams.rows import Columns
from dhen_objective.streams.table import TableStream

COUNTS = tuple(f"I{i}" for i in range(1, 14))
CATEGORIES = tuple(f"C{i}" for i in range(1, 27))

PRIOR = 0.25
"""A round share of clicks; that of the Kaggle set is 25.6 %."""


@checked
class CriteoStream(TableStream):
    """Criteo's clicks in time order: 26 sparse fields, 13 log-transformed counts.

    Reads `train.txt` of the Kaggle challenge, and the day files of the 1 TB set, in the order
    that they are given, also as they come, with names that end in .gz.
    """

    def __init__(
        self,
        paths: Path | str | Sequence[Path | str],
        *,
        rows: int | None = None,
        field_size: int = 1 << 16,
        prior: float = PRIOR,
        max_malformed: float = 0.0,
    ) -> None:
        """See `TableStream`.

        Args:
            paths: One file or several, which follow each other in time.
            rows: Take only the first well-formed rows; by default all, which are counted first.
            field_size: Number of ids that each category is hashed to.
            prior: Rough share of clicks; the 1 TB set has fewer than the Kaggle set.
            max_malformed: Largest share of malformed rows, in [0, 1).
        """
        check_at_least(1, field_size=field_size)
        super().__init__(
            paths,
            Columns(label="label", counts=COUNTS, sparse=dict.fromkeys(CATEGORIES, field_size)),
            layout=CSV(delimiter="\t", names=("label", *COUNTS, *CATEGORIES), quotes=False),
            prior=prior,
            rows=rows,
            max_malformed=max_malformed,
        )
