"""Columns of Python objects: of one type they are that type, else each is its text."""

import datetime as dt
import enum
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dhen_objective.streams import Columns, TableStream
from dhen_objective.streams.categories import ids
from dhen_objective.streams.data_frame import to_array
from dhen_objective.streams.hashing import hashed_ids

DAY, MOMENT = dt.date(2014, 10, 21), dt.datetime(2014, 10, 21, 5, 6, 7)
STAMP = pd.Timestamp("2014-10-21 05:06:07.000000001")
MIXED: dict[str, list] = {
    "dates and times": [DAY, MOMENT, None],
    "dates and numbers": [DAY, 5, 2.5],
    "truth values and numbers": [True, 0, 1],
    "truth values of numpy and numbers": [np.True_, 5, None],
    "truth values of two libraries": [np.True_, False, "x"],
    "times of two libraries": [MOMENT, STAMP, pd.NaT],
    "nanoseconds": [STAMP, pd.Timestamp("2014-10-21 05:06:07"), pd.NaT],
    "with and without a zone": [MOMENT, MOMENT.replace(tzinfo=dt.UTC), None],
    "whole numbers and fractions": [2**53 + 1, 0.5, None],
    "large whole numbers": [2**63, 2**70, -5],
    "text and bytes": ["a", b"\xff", "b"],
    "decimals and numbers": [Decimal("2.25"), 5, None],
    "truth values of numpy": [np.True_, np.False_, None],
    "far times": [pd.Timestamp("1500-10-21 05:06:07"), None, pd.NaT],
}


@pytest.mark.parametrize("kind", MIXED)
@pytest.mark.parametrize("dtype", ["object", "category"])
def test_objects_have_the_ids_of_their_values_as_those_in_a_csv_file(
    kind: str, dtype: str, tmp_path: Path
) -> None:
    values = MIXED[kind]
    column = pd.Series(values, dtype=object)
    if kind not in ("truth values and numbers", "whole numbers and fractions"):
        column = column.astype(dtype)  # which takes these for equal numbers, and for floats
    known = [None if pd.isna(value) else value for value in values]
    expected = hashed_ids(known, field="s", size=10**6)
    assert ids(to_array(column), field="s", size=10**6).tolist() == expected.tolist()
    if kind != "text and bytes":  # pandas writes b'...'
        pd.DataFrame({"y": [0, 1, 0], "s": column}).to_csv(tmp_path / "a.csv", index=False)
        columns = Columns(label="y", sparse={"s": 10**6})
        (batch,) = TableStream(tmp_path / "a.csv", columns, prior=0.5).batches(10)
        assert batch.sparse[:, 0].tolist() == expected.tolist()


def test_numbers_and_labels_among_objects_are_read_as_their_text() -> None:
    frame = pd.DataFrame({"y": [np.True_, 0, "1"], "x": [1, 2.5, np.True_]}, dtype=object)
    (batch,) = TableStream(frame, Columns(label="y", sparse={}, dense=("x",)), prior=0.5).batches(
        9
    )
    assert batch.labels.tolist() == [1, 0, 1]
    assert batch.dense[:, 0].tolist() == [1, 2.5, 1]


def test_dates_among_times_are_no_numbers() -> None:
    frame = pd.DataFrame({"y": [0, 1], "t": pd.Series([DAY, MOMENT], dtype=object)})
    with pytest.raises(ValueError, match=r"t must be a number, .* but got '2014-10-21'"):
        TableStream(frame, Columns(label="y", sparse={"t": 9}, time="t"), prior=0.5)


@pytest.mark.parametrize("categorical", [False, True])
def test_half_a_pair_of_surrogates_is_named(categorical: bool) -> None:
    shops = pd.Series(["a", "b\ud800"], dtype=object)
    if categorical:
        shops = pd.Series(pd.Categorical.from_codes([0, 1], pd.Index(shops, dtype=object)))
    frame = pd.DataFrame({"y": [0, 1], "shop": shops})
    with pytest.raises(ValueError, match=r"^DataFrame: 'shop' must be text .* 'b\\ud800'"):
        next(TableStream(frame, Columns(label="y", sparse={"shop": 9}), prior=0.5).batches(2))


def test_columns_whose_names_are_numbers_are_not_those_of_their_text() -> None:
    frame = pd.DataFrame({"y": [0, 1], 0: ["a", "b"]})
    with pytest.raises(
        ValueError, match=r"among those .*'0 \(a name that is int\)'.* got \['0'\]"
    ):
        TableStream(frame, Columns(label="y", sparse={"0": 9}), prior=0.5)


class Shop(str, enum.Enum):  # noqa: UP042 (of the old kind, whose text is not its value)
    SMALL = "small"
    LARGE = "large"


ALIKE = {
    "members of an enumeration": [Shop.SMALL, Shop.LARGE],
    "bytes that can change": [bytearray(b"small"), bytearray(b"large")],
    "views of bytes": [memoryview(b"small"), memoryview(b"large")],
}


@pytest.mark.parametrize("kind", ALIKE)
def test_an_object_has_one_id_alone_and_among_others(kind: str) -> None:
    values = ALIKE[kind]
    expected = hashed_ids(["small", "large", "x"], field="s", size=10**6).tolist()
    alone = ids(to_array(pd.Series(values, dtype=object)), field="s", size=10**6)
    mixed = ids(to_array(pd.Series([*values, "x"], dtype=object)), field="s", size=10**6)
    assert alone.tolist() == expected[:2]
    assert mixed.tolist() == expected
    assert hashed_ids(values, field="s", size=10**6).tolist() == expected[:2]


def test_infinite_decimals_are_infinite_numbers() -> None:
    values = pd.Series([Decimal("-Infinity"), Decimal(5), Decimal("NaN")], dtype=object)
    expected = hashed_ids([-np.inf, 5, None], field="s", size=10**6).tolist()
    assert ids(to_array(values), field="s", size=10**6).tolist() == expected


class Nameless:
    """An object whose text is its address."""


@pytest.mark.parametrize("value", [Nameless(), {"a", "b"}, frozenset("ab"), np.arange(3), ["a"]])
@pytest.mark.parametrize("other", ["x", None])
def test_objects_without_a_text_of_their_own_are_refused(value: object, other: object) -> None:
    shops = pd.Series([value, other], dtype=object)
    frame = pd.DataFrame({"y": [0, 1], "shop": shops})
    with pytest.raises(ValueError, match=r"'shop' must .* but got (the type list|objects of the)"):
        TableStream(frame, Columns(label="y", sparse={"shop": 9}), prior=0.5)


def test_columns_of_another_order_of_bytes_are_read() -> None:
    price, shop = np.array([1.5, -2.0], ">f8"), np.array([5, 7], ">i4")
    day = np.array(["2014-10-21", "2014-10-22"], ">M8[s]")
    frame = pd.DataFrame({"y": np.array([0, 1], ">i2"), "price": price, "shop": shop, "t": day})
    columns = Columns(label="y", sparse={"shop": 99}, dense=("price",), time="t", calendar=True)
    (batch,) = TableStream(frame, columns, prior=0.5).batches(2)
    assert batch.dense[:, 0].tolist() == [1.5, -2.0]
    assert batch.sparse[:, 0].tolist() == hashed_ids([5, 7], field="shop", size=99).tolist()
    assert batch.sparse[:, 2].tolist() == [1, 2]  # a Tuesday and a Wednesday


@pytest.mark.parametrize("dtype", [np.complex128, np.longdouble])
def test_numbers_of_other_dtypes_are_refused_by_name(dtype: type) -> None:
    frame = pd.DataFrame({"y": [0, 1], "price": np.ones(2, dtype)})
    with pytest.raises(ValueError, match=f"'price' must be .* dtype {np.dtype(dtype)}"):
        TableStream(frame, Columns(label="y", sparse={}, dense=("price",)), prior=0.5)
