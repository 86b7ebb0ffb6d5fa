"""The click log of Avazu, which users download themselves: CSV with a header."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dhen_objective.checked import check_at_least, checked
from dhen_objective.streams.layout import CSV
from dhen_objective.streams.rows import Columns
from dhen_objective.streams.table import TableStream

CATEGORIES = (
    "C1", "banner_pos", "site_id", "site_domain", "site_category", "app_id", "app_domain",
    "app_category", "device_id", "device_ip", "device_model", "device_type", "device_conn_type",
    "C14", "C15", "C16", "C17", "C18", "C19", "C20", "C21",
)  # fmt: skip

PRIOR = 0.17
"""A round share of clicks; that of the training file is 17.0 %."""


@checked
class AvazuStream(TableStream):
    """Avazu's clicks in time order: 21 categories, hour of the day, day of the week.

    The column `hour`, YYMMDDHH, must not decrease. The column `id` is not used.
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
            paths: The training file, `train.csv` or `train.gz`, or parts of it in order.
            rows: Take only the first well-formed rows; by default all, which are counted first.
            field_size: Number of ids that each category is hashed to.
            prior: Rough share of clicks.
            max_malformed: Largest share of malformed rows, in [0, 1).
        """
        check_at_least(1, field_size=field_size)
        super().__init__(
            paths,
            Columns(
                label="click",
                sparse=dict.fromkeys(CATEGORIES, field_size),
                time="hour",
                time_format="%y%m%d%H",
                calendar=True,
            ),
            layout=CSV(),
            prior=prior,
            rows=rows,
            max_malformed=max_malformed,
        )
