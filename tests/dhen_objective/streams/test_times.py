"""Times by a format: numbers are read as their text, or refused by name."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dhen_objective.streams import Columns, TableStream
from dhen_objective.streams.times import times

KINDS = [
    pa.int64(), pa.uint32(), pa.float64(), pa.decimal128(20, 0), pa.decimal128(21, 2), pa.string(),
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize(
    ("number", "form", "moment"),
    [
        (1410210530, "%y%m%d%H%M", datetime(2014, 10, 21, 5, 30, tzinfo=UTC)),
        (1022014, "%d%m%Y", datetime(2014, 2, 1, tzinfo=UTC)),
        (9010203, "%y%m%d%H", datetime(2009, 1, 2, 3, tzinfo=UTC)),
        (10203, "%y%m%d%H", datetime(2000, 1, 2, 3, tzinfo=UTC)),
        (2014032, "%Y%j", datetime(2014, 2, 1, tzinfo=UTC)),
        (20141021, "ISO8601", datetime(2014, 10, 21, tzinfo=UTC)),
        (20091021, "20%y%m%d", datetime(2009, 10, 21, tzinfo=UTC)),
    ],
)
def test_a_number_is_read_by_the_format(
    kind: pa.DataType, number: int, form: str, moment: datetime
) -> None:
    column = pa.array([number, None]).cast(kind)
    read = times(column, form, calendar=True)
    assert read.values[0] == moment.timestamp()
    assert read.wrong.tolist() == [False, True]


def test_numbers_that_are_no_text_of_the_format_are_malformed() -> None:
    def wrong(values: list, kind: pa.DataType, form: str = "%y%m%d%H") -> list[bool]:
        return times(pa.array(values).cast(kind), form).wrong.tolist()

    bad = [14102105.5, float("inf"), float("nan"), -14102105.0, 114102105.0, 1e300]
    assert wrong([14102105.0, *bad], pa.float64()) == [False] + [True] * 6
    assert wrong([14102105.0, 90010203.0], pa.float32()) == [False, True]  # could be another
    assert wrong([Decimal("14102105.0"), Decimal("14102105.5")], pa.decimal128(20, 1)) == [0, 1]
    assert wrong([2010105, 20101005, 201010050], pa.int64(), "%Y%m%d") == [True, False, True]


def test_a_missing_time_does_not_turn_the_others_into_seconds(tmp_path: Path) -> None:
    frame = pd.DataFrame({"y": [0, 1, 0], "t": [1410210530.0, np.nan, 1410262359.0]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    columns = Columns(label="y", sparse={}, time="t", time_format="%y%m%d%H%M", calendar=True)
    for table in (frame, tmp_path / "a.csv", tmp_path / "a.parquet"):
        stream = TableStream(table, columns, prior=0.5, max_malformed=0.5)
        with pytest.warns(UserWarning, match="1 of 3: .* t must be a time '%y%m%d%H%M'"):
            (batch,) = stream.batches(10)
        assert batch.sparse.tolist() == [[5, 1], [23, 6]]


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%Y%m%d%H%M%S%f", "%b %Y", "%m/%d/%y"])
@pytest.mark.parametrize("dtype", ["int64", "float64", "Int64", "category"])
def test_numbers_are_refused_where_the_format_says_not_how_many_digits(
    form: str, dtype: str
) -> None:
    frame = pd.DataFrame({"y": [0, 1], "t": pd.Series([20141021, 20141022], dtype=dtype)})
    columns = Columns(label="y", sparse={}, time="t", time_format=form, calendar=True)
    with pytest.raises(ValueError, match=f"time 't' must be text, .* time_format is '{form}'"):
        TableStream(frame, columns, prior=0.5)


def test_the_last_nanosecond_of_an_hour_is_in_it(tmp_path: Path) -> None:
    text = ["2014-10-21T09:59:59.999999999", "2014-10-21T10:00:00Z", "2014-10-21T13:30:00+03:00"]
    pq.write_table(pa.table({"y": [0, 1, 0], "t": text}), tmp_path / "a.parquet")
    columns = Columns(label="y", sparse={}, time="t", time_format="ISO8601", calendar=True)
    (batch,) = TableStream(tmp_path / "a.parquet", columns, prior=0.5).batches(10)
    assert batch.sparse[:, 0].tolist() == [9, 10, 10]


@pytest.mark.parametrize("form", ["ISO8601", "%Y-%m-%d"])
def test_the_time_of_reading_is_no_time(form: str) -> None:
    text = pa.array(["now", "today", "NOW", " Today ", "", "NaT", "2014-10-21"])
    assert times(text, form).wrong.tolist() == [True] * 6 + [False]


def test_formats_that_are_guessed_are_refused() -> None:
    with pytest.raises(ValueError, match=r'time_format must be one format .* but got "mixed"'):
        Columns(label="y", sparse={}, time="t", time_format="mixed", calendar=True)


@pytest.mark.parametrize(
    ("form", "right", "none"),
    [
        ("%Y-%j", "2016-366", "2014-366"),
        ("%y%j %H:%M", "14001 5:00", "14366 5:00"),
        ("%Y%U%w", "2014421", "2014536"),
        ("ISO8601", "2014-10-21", "-2014-10-21"),
    ],
)
def test_days_of_another_year_and_years_before_christ_are_malformed(
    form: str, right: str, none: str
) -> None:
    assert times(pa.array([right, none]), form).wrong.tolist() == [False, True]


def test_a_time_of_bigquery_is_read_with_and_without_a_part_of_a_second() -> None:
    texts = ["2014-10-21 05:06:07.25 UTC", "2014-10-21 05:06:07 UTC", "2014-10-21 UTC", "UTC"]
    read = times(pa.array(texts), "ISO8601", calendar=True)
    moment = datetime(2014, 10, 21, 5, 6, 7, tzinfo=UTC).timestamp()
    assert read.values[:2].tolist() == [moment + 0.25, moment]
    assert read.wrong.tolist() == [False, False, True, True]
