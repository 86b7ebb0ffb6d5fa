"""Valid files of many kinds: each is read as what it says."""

import bz2
import csv
import datetime
import gzip
import io
import lzma
import struct
import uuid
import warnings
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from dhen_objective.streams import CSV, Batch, Columns, TableStream
from dhen_objective.streams.hashing import stable_id

TABLE = "y,shop,price\n" + "".join(f"{i % 2},s{i},{i / 2}\n" for i in range(20))
COLUMNS = Columns(label="y", sparse={"shop": 1000}, dense=("price",))


def read(paths: object, columns: Columns = COLUMNS, **arguments: object) -> Batch:
    stream = TableStream(paths, columns, prior=0.5, **arguments)
    (batch,) = stream.batches(100_000)
    assert len(batch) == stream.n_rows
    return batch


def prices(paths: object, **arguments: object) -> list[float]:
    return read(paths, **arguments).dense[:, 0].tolist()


def zipped(data: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("folder/any.csv", data)
        file.writestr("__MACOSX/folder/._any.csv", b"\0")
    return held.getvalue()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "none": bytes,
    "gzip": gzip.compress,
    "two gzips": lambda data: gzip.compress(data[:50]) + gzip.compress(data[50:]),
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zip": zipped,
    "zstd": lambda data: pa.compress(data, "zstd", asbytes=True),
}


@pytest.mark.parametrize("packer", PACKERS)
def test_a_compressed_file_is_read_whatever_its_name(tmp_path: Path, packer: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(PACKERS[packer](TABLE.encode()))
    assert prices(path) == [i / 2 for i in range(20)]


@pytest.mark.parametrize("lost", [1, 8, 9, 30])
@pytest.mark.parametrize("packer", ["gzip", "bzip2", "xz"])
def test_a_compressed_file_that_is_cut_is_refused(tmp_path: Path, packer: str, lost: int) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(PACKERS[packer](TABLE.encode())[:-lost])
    with pytest.raises(ValueError, match=r"a\.csv must be whole, but its compression is damaged"):
        read(path)


def test_folders_and_patterns_stand_for_their_files_in_natural_order(tmp_path: Path) -> None:
    folder = tmp_path / "clicks"
    (folder / "month_1").mkdir(parents=True)
    for i in (2, 10, 1):
        rows = f"y,shop,price\n1,a,{i}\n0,b,{i}\n"
        (folder / "month_1" / f"day_{i}.csv").write_text(rows)
    for hidden in ("_SUCCESS", ".day_1.csv.crc", "_started"):
        (folder / "month_1" / hidden).write_text("no table")
    expected = [1, 1, 2, 2, 10, 10]
    for paths in (folder, str(folder / "*" / "day_*.csv"), [str(folder / "**" / "*.csv")]):
        assert prices(paths) == expected
    assert prices([folder / "month_1" / "day_10.csv", str(folder / "*" / "day_?.csv")]) == [
        10, 10, 1, 1, 2, 2,
    ]  # fmt: skip
    (tmp_path / "odd[1].csv").write_text(TABLE)  # a name, though it looks like a pattern
    assert len(prices(tmp_path / "odd[1].csv")) == 20


def test_columns_may_stand_in_another_order_in_each_file(tmp_path: Path) -> None:
    frame = pd.read_csv(io.StringIO(TABLE))
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame[["price", "y", "shop"]].to_csv(tmp_path / "b.csv")
    pq.write_table(pa.Table.from_pandas(frame[["shop", "price", "y"]]), tmp_path / "c.parquet")
    assert prices([tmp_path / f"{name}" for name in ("a.csv", "b.csv", "c.parquet")]) == 3 * [
        i / 2 for i in range(20)
    ]


def test_empty_files_and_empty_lines_hold_no_rows(tmp_path: Path) -> None:
    contents = {"a": TABLE, "b": "", "c": "\n\n", "d": "y,shop,price", "e": "\ufeff"}
    contents["f"] = "\r\ny,shop,price\r\n\r\n1,a,7\r\n\r\n\r\n"
    for name, content in contents.items():
        (tmp_path / f"{name}.csv").write_bytes(content.encode())
    (tmp_path / "g.csv.gz").write_bytes(gzip.compress(b""))
    assert prices(tmp_path) == [*(i / 2 for i in range(20)), 7]


def test_rows_beyond_those_that_are_asked_for_are_not_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(TABLE + "7,a,cheap\n1,2,3,4,5\n0,b,9\n" + '1,"c,3\n')
    stream = TableStream(path, COLUMNS, prior=0.5, rows=20)
    assert sum(len(batch) for batch in stream.batches(7)) == 20
    assert (stream.malformed.count, stream.malformed.read) == (0, 20)
    with pytest.warns(UserWarning, match=r"2 of 23: a\.csv:22: .*; a\.csv:23: a row must have 3"):
        assert len(read(path, rows=21, max_malformed=0.2)) == 21
    with pytest.raises(ValueError, match=r"a\.csv:25: a quote is opened and never closed"):
        read(path, max_malformed=0.5)


def test_rows_of_another_width_are_counted_whatever_their_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(TABLE.encode() + "1,café,1,2\n0,café,5\n".encode("latin-1"))
    with (
        pytest.warns(UserWarning, match=r"1 of 22: a\.csv:22: a row must have 3 columns"),
        pytest.warns(UserWarning, match=r"a\.csv has text in 'shop' that is not in UTF-8"),
    ):
        batch = read(path, max_malformed=0.1)
    expected = stable_id("café".encode("latin-1"), field="shop", size=1000)
    assert batch.sparse[-1, 0] == expected


def test_rows_with_new_lines_in_quotes_are_named_by_their_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('y,shop,price\n0,"a\n\nb",1\n1,c,2\n1,d,x\n0,e\n')
    with pytest.warns(UserWarning, match=r"2 of 4: a\.csv:6: price .*; a\.csv:7: a row must"):
        batch = read(path, max_malformed=0.6)
    assert batch.sparse[0, 0] == stable_id("a\n\nb", field="shop", size=1000)


def test_a_long_text_with_new_lines_is_read_as_pandas_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"  # more than a block of 4 MiB, with rows that look like rows within
    story = 'one\n0,x,1\n1,y,2\n" two, ' * 20
    cuts = np.random.default_rng(0).integers(400, size=30_000)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["y", "shop", "price", "title"])
        writer.writerows([i % 2, f"s{i}", i, f"{story[:cut]} {i}"] for i, cut in enumerate(cuts))
    expected = pd.read_csv(path)
    assert path.stat().st_size > 6 << 20
    assert prices(path) == expected["price"].tolist() == list(range(30_000))


def test_text_that_is_not_in_utf_8_is_told_of_once(tmp_path: Path) -> None:
    for name, code in (("a.csv", "utf-8"), ("b.csv", "latin-1")):
        (tmp_path / name).write_bytes("y,shop,price,title\n0,a,1,é\n1,é,2,a\n".encode(code))
    with pytest.warns(
        UserWarning, match=r"b\.csv has text in 'shop' that is not in UTF-8"
    ) as told:
        stream = TableStream(tmp_path, COLUMNS, prior=0.5)
    assert len(told) == 1
    assert len(list(stream.batches(3))) == 2  # no further warning, which would be an error
    numbers = Columns(label="y", sparse={}, dense=("price",))
    assert len(read(tmp_path, numbers)) == 4  # letters of other columns do not matter


def test_rows_before_a_gap_of_zero_bytes_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"  # also where the gap is within a quoted text, or at the end
    for gap in ("1,b\0\0,7\n", '1,"b\n\0",7\n', "1,b,7" + 100 * "\0"):
        path.write_text(TABLE + 300 * "1,a,1\n" + gap + TABLE)
        assert len(read(path, rows=320)) == 320
        with pytest.raises(ValueError, match=r"a\.csv:322: a text must not hold zero bytes"):
            read(path, rows=321)


@pytest.mark.filterwarnings("ignore:sparse .* has the text")
def test_what_databases_write_for_nothing_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('y,shop,price\n1,NULL,NA\n0,\\N,\\N\n1,a\\"b, 5 \n0,\\\\N,+.5\n')
    batch = read(path, layout=CSV(escape="\\", null=("NA", "NULL", r"\N")))
    expected = [None, None, 'a"b', r"\N"]
    assert batch.sparse[:, 0].tolist() == [stable_id(x, field="shop", size=1000) for x in expected]
    np.testing.assert_array_equal(batch.dense[:, 0], np.float32([np.nan, np.nan, 5, 0.5]))


def test_a_mark_of_nothing_may_have_spaces_around_it(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("y,shop,price\n1, NA,NA\t\n0,NULL  , NULL \n1,NA NA,5\n")
    batch = read(path, layout=CSV(null=("NA", "NULL")))
    expected = [None, None, "NA NA"]
    assert batch.sparse[:, 0].tolist() == [stable_id(x, field="shop", size=1000) for x in expected]
    np.testing.assert_array_equal(batch.dense[:, 0], np.float32([np.nan, np.nan, 5]))


@pytest.mark.parametrize("truths", ["True False", "true false", "TRUE FALSE", "1 0", "1.0 0.0"])
def test_labels_and_numbers_may_be_truth_values(tmp_path: Path, truths: str) -> None:
    yes, no = truths.split()
    path = tmp_path / "a.csv"
    path.write_text(f"y,shop,price\n{yes},a,{no}\n{no},{yes},{yes}\n{yes},a,\n")
    batch = read(path)
    assert batch.labels.tolist() == [1, 0, 1]
    assert batch.dense[:2, 0].tolist() == [0, 1]


def test_numbers_that_float32_cannot_hold_are_malformed_in_all_formats(tmp_path: Path) -> None:
    values = [1.0, 1e39, -1e300, np.inf, 3.4e38, np.nan]
    frame = pd.DataFrame({"y": [0, 1] * 3, "shop": "a", "price": values})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    for table in (tmp_path / "a.csv", tmp_path / "a.parquet", frame):
        with pytest.warns(UserWarning, match="3 of 6: "):
            batch = read(table, max_malformed=0.5)
        np.testing.assert_array_equal(batch.dense[:, 0], [1, 3.4e38, np.nan])
        columns = Columns(label="y", sparse={}, counts=("price",))
        with pytest.warns(UserWarning, match="3 of 6: "):
            read(table, columns, max_malformed=0.5)


@pytest.mark.filterwarnings("ignore:sparse 'shop' has whole numbers from")
def test_a_category_has_one_id_whatever_its_column_became(tmp_path: Path) -> None:
    day_1 = pd.DataFrame({"y": [0, 1, 0], "shop": [5, 17, 10**16], "price": 1.0})
    day_2 = pd.DataFrame({"y": [0, 1, 0, 1], "shop": [5, 17, 10**16, np.nan], "price": 1.0})
    as_text = day_2.assign(shop=["5", "17", str(10**16), None])
    as_nullable = day_2.assign(shop=day_2["shop"].astype("Int64"))
    as_category = day_2.assign(shop=day_2["shop"].astype("category"))
    expected = [stable_id(value, field="shop", size=1000) for value in (5, 17, 10**16, None)]
    assert read(day_1).sparse[:, 0].tolist() == expected[:3]
    for frame in (day_2, as_text, as_nullable, as_category, day_2.astype({"shop": object})):
        frame.to_csv(tmp_path / "a.csv", index=False)
        frame.to_parquet(tmp_path / "a.parquet")
        pl.from_pandas(frame.convert_dtypes()).write_csv(tmp_path / "b.csv")
        for table in (frame, *(tmp_path / name for name in ("a.csv", "a.parquet", "b.csv"))):
            assert read(table).sparse[:, 0].tolist() == expected


@pytest.mark.parametrize("kind", ["float64", "float32"])
def test_whole_numbers_that_floats_cannot_hold_are_told_of(tmp_path: Path, kind: str) -> None:
    exact = 2**53 if kind == "float64" else 2**24
    frame = pd.DataFrame({"y": [0, 1, 0], "shop": [exact + 1, 5, -7], "price": 1.0})
    read(frame)
    frame["shop"] = frame["shop"].astype(kind)  # as one missing value does
    frame.to_parquet(tmp_path / "a.parquet")
    frame.astype({"shop": "float64"}).to_csv(tmp_path / "a.csv", index=False)
    tables = [frame, tmp_path / "a.parquet", tmp_path / "a.csv"]
    for table in tables[: 3 if kind == "float64" else 2]:
        with pytest.warns(UserWarning, match=f"'shop' has whole numbers from {exact:,}"):
            read(table)
    (tmp_path / "b.csv").write_text(f"y,shop,price\n0, {2**60 + 1},1\n1,{2**60 + 1}.00,1\n")
    assert len(set(read(tmp_path / "b.csv").sparse[:, 0].tolist())) == 1  # without a warning


@pytest.mark.filterwarnings("ignore:sparse 'f32' has whole numbers from")
def test_categories_of_all_types_have_the_same_ids_in_all_formats(tmp_path: Path) -> None:
    moments = pd.to_datetime(["2014-10-21", "2014-10-21 05:06:07.25", None], format="ISO8601")
    frame = pd.DataFrame({
        "y": [0, 1, 0],
        "f32": np.float32([0.1, 2**24, np.nan]), "f64": [0.1, -0.0, 1e-7],
        "flag": [True, False, True],
        "maybe": [True, None, False], "moment": moments, "mixed": ["a", 5, 5.5],
        "number": np.array([2**63, 7, 0], np.uint64), "kind": pd.Categorical(["a", None, "b"]),
        "many": pd.Categorical([3, 200, 3], categories=range(201)),
        "word": ["München", "1.50", "0012"], "day": [moments[0].date(), None, None],
    })  # fmt: skip
    columns = Columns(label="y", sparse=dict.fromkeys(frame.columns[1:], 10**6))
    frame.to_csv(tmp_path / "a.csv", index=False)
    expected = read(tmp_path / "a.csv", columns).sparse
    assert torch.equal(read(frame, columns).sparse, expected)
    without = frame.drop(columns="mixed")  # which Parquet cannot hold
    without.to_parquet(tmp_path / "a.parquet")
    columns = Columns(label="y", sparse=dict.fromkeys(without.columns[1:], 10**6))
    expected = read(tmp_path / "a.csv", columns).sparse
    assert torch.equal(read(tmp_path / "a.parquet", columns).sparse, expected)


def test_times_of_any_unit_are_read(tmp_path: Path) -> None:
    columns = Columns(label="y", sparse={}, time="t", calendar=True)
    start = pd.Timestamp("2014-10-21 05:59:59.999999999")
    stamps = pd.Series([start, start + pd.Timedelta(1, "ns"), start + pd.Timedelta(1, "D")])
    frame = pd.DataFrame({"y": [0, 1, 0], "t": stamps.astype("datetime64[ns]")})
    pq.write_table(pa.Table.from_pandas(frame), tmp_path / "a.parquet", version="2.6")
    for unit in ("s", "ms", "us"):
        frame.astype({"t": f"datetime64[{unit}]"}).to_parquet(tmp_path / f"{unit}.parquet")
    for table in (frame, *tmp_path.glob("*.parquet")):
        hours, days = read(table, columns).sparse.T.tolist()
        assert hours in ([5, 6, 5], [5, 5, 5])  # coarser units cut the nanoseconds off
        assert days == [1, 1, 2]


def test_old_times_of_96_bits_are_read_also_beyond_nanoseconds(tmp_path: Path) -> None:
    days = [datetime.datetime(*day) for day in ((9999, 12, 31), (1, 1, 1), (2014, 10, 21, 5))]
    nanoseconds = pd.to_datetime(["1969-12-31 23:59:59.999999999", "2014-10-21 00:00:00.0", None])
    for times, kind in ((days, pa.timestamp("us")), (nanoseconds, pa.timestamp("ns"))):
        table = {"y": [0, 1, 0], "shop": pa.array(times, kind), "price": [1.0] * 3}
        path = tmp_path / "a.parquet"
        pq.write_table(pa.table(table), path, use_deprecated_int96_timestamps=True)
        expected = [
            stable_id(None if time is pd.NaT else time, field="shop", size=1000) for time in times
        ]
        assert read(path).sparse[:, 0].tolist() == expected


@pytest.mark.parametrize("other", [datetime.datetime(2014, 10, 21, 5), datetime.datetime.max])
def test_old_times_of_96_bits_before_1970_may_have_a_negative_time_of_day(
    other: datetime.datetime, tmp_path: Path
) -> None:
    times = [datetime.datetime(1969, 12, 31, 23, 30), None, other]
    table = {"y": [0, 1, 0], "shop": pa.array(times, pa.timestamp("us")), "price": [1.0] * 3}
    path, options = tmp_path / "a.parquet", {"use_dictionary": False, "compression": "NONE"}
    pq.write_table(pa.table(table), path, use_deprecated_int96_timestamps=True, **options)
    half_hour, day = 1800 * 10**9, 86_400 * 10**9
    now, arrows_before_26 = (
        struct.pack("<qI", time_of_day, julian)
        for time_of_day, julian in ((day - half_hour, 2_440_587), (-half_hour, 2_440_588))
    )
    content = path.read_bytes()
    assert now in content or arrows_before_26 in content
    path.write_bytes(content.replace(now, arrows_before_26))
    expected = [stable_id(time, field="shop", size=1000) for time in times]
    assert read(path).sparse[:, 0].tolist() == expected


def test_times_that_are_none_are_malformed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("y,t\n0,2014-02-27\n1,2014-02-31\n0,2014-03-01\n")
    columns = Columns(label="y", sparse={}, time="t", time_format="%Y-%m-%d", calendar=True)
    with pytest.warns(UserWarning, match=r"1 of 3: a\.csv:3: t must be a time '%Y-%m-%d'"):
        assert read(path, columns, max_malformed=0.5).sparse[:, 1].tolist() == [3, 5]
    path.write_text("y,t\n0,2014-02-27T23:30:00.5-0100\n1,2014-02-28T00:40:00.25+0000\n")
    columns = Columns(
        label="y", sparse={}, time="t", time_format="%Y-%m-%dT%H:%M:%S.%f%z", calendar=True
    )
    assert read(path, columns).sparse[:, 0].tolist() == [0, 0]


@pytest.mark.parametrize(
    "seconds", [1_413_867_900_000, 1_413_867_900_000_000, 16_364, 20_141_021, 2_014_102_105, 13.5]
)
def test_times_that_are_no_seconds_since_1970_have_no_calendar(seconds: float) -> None:
    frame = pd.DataFrame({"y": [0, 1], "t": [seconds] * 2})
    columns = Columns(label="y", sparse={"t": 10}, time="t")
    assert len(read(frame, columns)) == 2  # only their order matters here
    with pytest.raises(ValueError, match="DataFrame:1: t must be in seconds from 1973 to 2033"):
        read(frame, Columns(label="y", sparse={}, time="t", calendar=True))


def test_a_categorical_of_text_is_read_as_its_text(tmp_path: Path) -> None:
    frame = pd.DataFrame({"y": [0, 1, 0], "shop": "a", "price": ["1.5", "", "x"]})
    frame["price"] = frame["price"].astype("category")
    frame.to_parquet(tmp_path / "a.parquet")
    for table in (frame, tmp_path / "a.parquet"):
        with pytest.warns(UserWarning, match=":3: price must be a finite number of float32"):
            batch = read(table, max_malformed=0.5)
        np.testing.assert_array_equal(batch.dense[:, 0], np.float32([1.5, np.nan]))


def test_times_in_numbers_are_read_by_the_format_as_their_text_is(tmp_path: Path) -> None:
    frame = pd.DataFrame({"y": [0, 1], "t": [14102105, 14102623]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    columns = Columns(label="y", sparse={}, time="t", time_format="%y%m%d%H", calendar=True)
    for table in (frame, tmp_path / "a.csv", tmp_path / "a.parquet"):
        assert read(table, columns).sparse.tolist() == [[5, 1], [23, 6]]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("shop", [["a"], ["b"]]),
        ("price", [pd.Timestamp("2014-10-21")] * 2),
        ("price", [datetime.time(1), datetime.time(2)]),
        ("t", [datetime.time(1), datetime.time(2)]),
    ],
)
def test_objects_that_cannot_play_their_role_are_refused(column: str, values: list) -> None:
    frame = pd.DataFrame({"y": [0, 1], "shop": "a", "price": 1.0, "t": [1, 2]})
    frame[column] = pd.Series(values, dtype=object)
    columns = Columns(label="y", sparse={"shop": 5}, dense=("price",), time="t")
    with pytest.raises(ValueError, match=f"DataFrame: .*'{column}' must be .*, but got the type"):
        read(frame, columns)


def test_columns_that_are_not_asked_for_may_be_anything() -> None:
    names = ["y", "shop", "price", "x", "x", 3]
    frame = pd.DataFrame([[0, "a", 1, 2j, [3], 4], [1, "b", 2, 3j, {}, 5]], columns=names)
    frame.index = [7, 7]
    assert prices(frame) == [1, 2]


def test_large_numbers_of_all_formats_keep_their_digits(tmp_path: Path) -> None:
    times = [1_400_000_000.0, 1_400_000_001.0, 1_400_000_001.5]
    frame = pd.DataFrame({"y": [0, 1, 0], "shop": "a", "price": times})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    for table in (tmp_path / "a.csv", tmp_path / "a.parquet", frame):
        assert read(table).dense[:, 0].tolist() == times


def test_a_frame_over_an_array_that_changes_is_kept_as_it_was() -> None:
    array = np.array([[0.0, 1.0], [1.0, 2.0]])
    frame = pd.DataFrame(array, columns=["y", "price"], copy=False)
    columns = Columns(label="y", sparse={}, dense=("price",))
    stream = TableStream(frame, columns, prior=0.5)
    array[0, 1] = 9.0
    (batch,) = stream.batches(2)
    assert batch.dense.flatten().tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (r"\N", r"sparse 'shop' has the text \\N, by which databases .* mean a missing value"),
        ("NULL", r"sparse 'shop' has the text NULL, .* give CSV\(null=\('NULL',\)\)"),
        ("<NA>", "sparse 'shop' has the text <NA>"),
        ("1.23457E+11", "sparse 'shop' has numbers such as 1.23457E[+]11, of which a program may"),
    ],
)
def test_texts_that_are_no_categories_are_told_of(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.csv").write_text(f"y,shop,price\n0,{text},1\n1,N,1\n")
    with pytest.warns(UserWarning, match=message):
        read(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text("y,shop,price\n0,1.23457E+05,1\n1,C:\\N,1\n0,1E+11,1\n")
    read(tmp_path / "b.csv")  # a warning would be an error


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["1.1", "1.2", "1.10"], "sparse 'shop' has both 1.1 and 1.10, which are one number"),
        (["1.10", "1.20", "2.00"], None),  # a column of decimals
        (["1.0", "1", "10", "1.1.10", "1.1.1", "01.1", "1.1"], None),
        (["5,0", "", "12,0"], "'shop' has whole numbers with a decimal comma, such as 12,0"),
        (["5,0", "12,5"], None),  # could be lists
        (["5,0", "a"], None),
    ],
)
def test_numbers_that_may_be_none_are_told_of(
    tmp_path: Path, texts: list[str], message: str | None
) -> None:
    frame = pd.DataFrame({"y": [i % 2 for i in range(len(texts))], "shop": texts, "price": 1.0})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    for source in (frame, tmp_path / "a.csv", tmp_path / "a.parquet"):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            read(source)
        assert (len(caught) > 0) == (message is not None)
        assert all(message in str(warning.message) for warning in caught if message)


def test_truth_values_that_are_numbers_in_another_file_are_told_of(tmp_path: Path) -> None:
    frame = pd.DataFrame({"y": [0, 1], "shop": [True, False], "price": [True, False]})
    frame.to_parquet(tmp_path / "a.parquet")
    for kind in ("int8", "uint8", "float64"):
        frame.astype({"shop": kind}).to_parquet(tmp_path / "b.parquet")
        with pytest.warns(
            UserWarning, match=r"'shop' is a truth value in .*a\.parquet and a number"
        ):
            TableStream(tmp_path, COLUMNS, prior=0.5)
    numbers = Columns(label="y", sparse={}, dense=("price",))
    frame.astype({"price": "int8"}).to_parquet(tmp_path / "b.parquet")
    for columns in (COLUMNS, numbers):  # dense True is 1; a warning would be an error
        assert len(read(tmp_path, columns)) == 4


@pytest.mark.parametrize(
    ("one", "two", "message"),
    [
        (np.float32([0.1, 2]), np.float64(np.float32([0.1, 2])), "is float in .* and double in"),
        (np.float64([0.5, 2]), np.float16([0.1, 2]), "is halffloat in .* and double in"),
        (pd.to_datetime([5, 6], unit="s"), [5, 6], "is a time in .* and a number in"),
        (np.float32([1, 2]), np.float64([1, 2]), None),
        (np.float32([1, 2]), np.float64([0.1, np.nan]), None),
    ],
)
def test_categories_that_are_stored_otherwise_in_another_file_are_told_of(
    tmp_path: Path, one: object, two: object, message: str | None
) -> None:
    for name, shops in (("a", one), ("b", two)):
        frame = pd.DataFrame({"y": [0, 1], "shop": shops, "price": 1.0})
        frame.to_parquet(tmp_path / f"{name}.parquet")
    if message is None:
        assert len(read(tmp_path)) == 4  # a warning would be an error
        return
    with pytest.warns(UserWarning, match=message):
        TableStream(tmp_path, COLUMNS, prior=0.5)


def test_universal_ids_have_the_ids_of_their_text(tmp_path: Path) -> None:
    values = [uuid.UUID(int=2**127 + i) for i in range(2)]
    shops = pd.Series([*values, None], dtype=object)
    frame = pd.DataFrame({"y": [0, 1, 0], "shop": shops, "price": 1.0})
    frame.to_csv(tmp_path / "a.csv", index=False)
    stored = pa.array([value.bytes for value in values] + [None], pa.binary(16))
    column = pa.ExtensionArray.from_storage(pa.uuid(), stored)
    table = pa.Table.from_pandas(frame.assign(shop="")).set_column(1, "shop", column)
    pq.write_table(table, tmp_path / "a.parquet", store_schema=False)  # as DuckDB does
    expected = [stable_id(value, field="shop", size=1000) for value in (*map(str, values), None)]
    for source in (frame, tmp_path / "a.csv", tmp_path / "a.parquet"):
        assert read(source).sparse[:, 0].tolist() == expected
    with pytest.raises(ValueError, match="dense 'shop' must be a number, a truth value or text"):
        read(tmp_path / "a.parquet", Columns(label="y", sparse={}, dense=("shop",)))


def test_files_of_the_same_content_are_told_of(tmp_path: Path) -> None:
    header, rows = "y,shop,price\n", "0,a,1\n1,b,2\n" * 100
    (tmp_path / "clicks.csv").write_text(header + rows)
    (tmp_path / "views.csv").write_text(header + rows)
    with pytest.warns(UserWarning, match=r"clicks\.csv and \S*views\.csv, which hold the same"):
        assert len(read(tmp_path)) == 400
    for name in ("clicks.csv", "views.csv"):
        (tmp_path / name).write_text("y,shop,price" + ",another" * 200 + "\n")  # without a row
    (tmp_path / "days.csv").write_text(header + rows)
    assert len(read(tmp_path)) == 200


def test_sparse_columns_of_pandas_are_read_as_plain_ones() -> None:
    plain = pd.DataFrame({"y": [0, 1, 0], "shop": [True, False, True], "price": [0.0, 2.0, 0.0]})
    sparse = plain.astype({"y": "Sparse[int]", "shop": "Sparse[bool]", "price": "Sparse[float]"})
    for name in ("dense", "sparse", "labels"):
        assert getattr(read(sparse), name).tolist() == getattr(read(plain), name).tolist()


def test_a_carriage_return_around_a_text_makes_no_other_category(tmp_path: Path) -> None:
    shops = ["a\r", "b", "\nc\r\n", "d e\r"]
    frame = pd.DataFrame({"y": [0, 1, 0, 1], "price": 1.0, "shop": shops})
    path = tmp_path / "a.csv"
    frame.to_csv(path, index=False)  # which leaves out the quotes of "a\r"
    for source in (path, frame):
        expected = [stable_id(shop, field="shop", size=1000) for shop in ("a", "b", "c", "d e")]
        assert read(source).sparse[:, 0].tolist() == expected


@pytest.mark.parametrize("unused", ["NULL", 1e16, ("a", 1)])
def test_categories_that_no_row_has_are_not_looked_at(tmp_path: Path, unused: object) -> None:
    known = [5.0, 7.0] if isinstance(unused, float) else ["a", "b"]
    shops = pd.Categorical([known[0], None, known[1]], [known[0], unused, known[1]])
    frame = pd.DataFrame({"y": [0, 1, 0], "shop": shops, "price": 1.0})  # as a filter leaves it
    sources: list[object] = [frame]
    if not isinstance(unused, tuple):  # which Parquet cannot hold
        frame.to_parquet(tmp_path / "a.parquet")
        sources.append(tmp_path / "a.parquet")
    expected = [stable_id(value, field="shop", size=1000) for value in (known[0], None, known[1])]
    for source in sources:  # a warning would be an error
        assert read(source).sparse[:, 0].tolist() == expected


def test_a_flipped_bit_of_a_page_with_a_checksum_is_seen(tmp_path: Path) -> None:
    prices = [i + 0.125 for i in range(100)]
    table = pa.table({"y": [0, 1] * 50, "shop": ["a"] * 100, "price": prices})
    path = tmp_path / "a.parquet"
    pq.write_table(table, path, write_page_checksum=True, compression="none", use_dictionary=False)
    assert read(path).dense[:, 0].tolist() == prices
    content = bytearray(path.read_bytes())
    content[content.index(np.float64(57.125).tobytes()) + 6] ^= 0x10
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.parquet must be a whole Parquet file .* CRC"):
        read(path)


def test_decimals_of_few_digits_are_read() -> None:
    values = [Decimal("1.50"), None, Decimal("0.00")]
    for kind in (pa.decimal32(5, 2), pa.decimal64(5, 2), pa.decimal128(5, 2)):
        column = pd.Series(values, dtype=pd.ArrowDtype(kind))
        frame = pd.DataFrame({"y": [0, 1, 0], "shop": column, "price": column})
        batch = read(frame.assign(y=column.fillna(Decimal(1)) == 1))
        np.testing.assert_array_equal(batch.dense[:, 0], [1.5, np.nan, 0])
        expected = [stable_id(value, field="shop", size=1000) for value in (1.5, None, 0)]
        assert batch.sparse[:, 0].tolist() == expected


def test_files_compressed_twice_are_told_of(tmp_path: Path) -> None:
    header, numbers = "y,shop,price\n", np.random.default_rng(0).integers(10**9, size=500)
    text = header + "".join(f"{i % 2},{number},1\n" for i, number in enumerate(numbers))
    (tmp_path / "clicks.csv.gz").write_bytes(gzip.compress(text.encode(), mtime=1))
    (tmp_path / "views.csv.gz").write_bytes(gzip.compress(text.encode(), 1, mtime=2))
    with pytest.warns(UserWarning, match=r"clicks\.csv\.gz and .*views\.csv\.gz, which hold the"):
        TableStream(tmp_path, COLUMNS, prior=0.5)
    other = text.replace("0,", "1,", 1).encode()
    (tmp_path / "views.csv.gz").write_bytes(gzip.compress(other, mtime=2))
    assert len(read(tmp_path)) == 1000


def test_a_table_that_compresses_to_little_is_told_of_if_it_stands_there_twice(
    tmp_path: Path,
) -> None:
    text = b"clicked,shop\n" + b"1,a\n0,b\n0,a\n1,b\n" * 200
    north, south = tmp_path / "north.csv.gz", tmp_path / "south.csv.gz"
    north.write_bytes(gzip.compress(text, mtime=1))
    south.write_bytes(gzip.compress(text, compresslevel=1, mtime=2))
    assert south.stat().st_size < 1000 < len(text)
    columns = Columns(label="clicked", sparse={"shop": 8})
    with pytest.warns(UserWarning, match="hold the same"):
        TableStream([north, south], columns, prior=0.5)


FLOATS = np.random.default_rng(0).normal(size=300).tolist()


@pytest.mark.parametrize("form", ["{!r}", "{:.17g}", "{:.16e}", "{:.30f}"])
def test_floats_are_the_categories_of_a_frame_however_many_digits_a_text_has(
    tmp_path: Path, form: str
) -> None:
    columns = Columns(label="y", sparse={"x": 1 << 20})
    frame = pd.DataFrame({"y": [i % 2 for i in range(300)], "x": FLOATS})
    text = "".join(f"{i % 2},{form.format(x)}\n" for i, x in enumerate(FLOATS))
    (tmp_path / "a.csv").write_text(f"y,x\n{text}")
    assert torch.equal(read(frame, columns).sparse, read(tmp_path / "a.csv", columns).sparse)


@pytest.mark.parametrize("stored", ["text", "decimal"])
def test_numbers_of_which_one_float_is_next_to_both_are_told_of(stored: str) -> None:
    texts = ["0.99999999999999991", "0.99999999999999992"]
    assert float(texts[0]) == float(texts[1])
    values = texts if stored == "text" else list(map(Decimal, texts))
    with pytest.warns(UserWarning, match=r"'x' has both 0\.9{15}91 and 0\.9{15}92, which are one"):
        read(pd.DataFrame({"y": [0, 1], "x": values}), Columns(label="y", sparse={"x": 99}))


@pytest.mark.parametrize("packer", PACKERS)
def test_one_table_in_two_compressions_is_told_of(tmp_path: Path, packer: str) -> None:
    text = ("y,shop,price\n" + "0,a,1\n1,b,2\n" * 100).encode()
    (tmp_path / "north.csv").write_bytes(PACKERS[packer](text))
    (tmp_path / "south.csv").write_bytes(zipped(text))
    with pytest.warns(UserWarning, match=r"north\.csv and \S*south\.csv, which hold the same"):
        assert len(read(tmp_path)) == 400
    (tmp_path / "north.csv").write_bytes(PACKERS[packer](text.replace(b"1,b", b"0,b", 1)))
    assert len(read(tmp_path)) == 400


@pytest.mark.parametrize("shop", ["text", "categories", "numbers"])
def test_one_parquet_table_in_two_compressions_and_row_groups_is_told_of(
    tmp_path: Path, shop: str
) -> None:
    shops: list = [None, *np.arange(999) % 7]
    if shop != "numbers":
        shops = [None if value is None else f"s{value}" for value in shops]
    column = pa.array(shops).dictionary_encode() if shop == "categories" else pa.array(shops)
    price = pa.array(np.where(np.arange(1000) % 9, np.arange(1000.0), np.nan))
    table = pa.table({"y": np.arange(1000) % 2, "shop": column, "price": price})
    north, south = tmp_path / "north.parquet", tmp_path / "south.parquet"
    pq.write_table(table, north, compression="gzip", row_group_size=300)
    pq.write_table(table.append_column("more", price), south, compression="zstd")
    with pytest.warns(UserWarning, match=r"north\.parquet and .*south\.parquet, which hold the"):
        TableStream(tmp_path, COLUMNS, prior=0.5)
    last = pa.array([*[0] * 999, 1])
    pq.write_table(table.set_column(0, "y", last), south, row_group_size=70)
    assert len(read(tmp_path)) == 2000


@pytest.mark.parametrize(
    ("one", "two", "message"),
    [
        (["true", "false"], ["0", "1"], "is a truth value in .*a.csv and a number in"),
        (["True", "False"], ["t", "f"], "is a truth value in .*a.csv and t, f, yes or no in"),
        (["Y", "N"], ["0", "1"], "is t, f, yes or no in .*a.csv and a number in"),
        (["2014-10-21", ""], ["20141021", "20141022"], "is a time in .*a.csv and a number in"),
        (["2014-10-21", "2014-10-22"], ["10/21/2014", "10/22/2014"], "a date in another form in"),
        (["1,234", "5"], ["1234", "5"], "is a number with commas in .*a.csv and a number in"),
        (["01234", "56789"], ["1234", "56789"], "zeros in front in .*a.csv, such as 01234, and"),
        (
            ["2014-10-21 05:00:00+02", ""],
            ["2014-10-21 05:00:00", ""],
            "with a zone in .*a.csv and",
        ),
        (["5", "x"], ["true", "y"], None),
        (["05", "6"], ["5", "6"], None),
        (["5.0", ""], ["1e+07", "5"], None),
        (["2014-10-21", "2014-10-21"], ["2014-10-21 05:00:00Z", "2014-10-21"], None),
        (["2014-10-21 05:00:00Z", ""], ["2014-10-21 05:00:00+02:00", ""], None),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_texts_that_stand_otherwise_in_another_file_are_told_of(
    tmp_path: Path, one: list[str], two: list[str], message: str | None, kind: str
) -> None:
    first = pd.DataFrame({"y": [0, 1], "shop": one, "price": 1.0})
    first.to_csv(tmp_path / "a.csv", index=False)
    second = first.assign(shop=two)
    if kind == "csv":
        second.to_csv(tmp_path / "b.csv", index=False)
    else:
        whole = all(text.isdigit() for text in two)
        second.astype({"shop": "int64" if whole else "str"}).to_parquet(tmp_path / "b.parquet")
    if message is None:
        assert len(read(tmp_path)) == 4  # a warning would be an error
        return
    with pytest.warns(UserWarning, match=message):
        TableStream(tmp_path, COLUMNS, prior=0.5)


def test_times_of_which_one_file_names_the_zone_alone_are_told_of(tmp_path: Path) -> None:
    times = pd.to_datetime(["2014-10-21 05:00", "2014-10-21 06:00"])
    columns = Columns(label="y", sparse={}, time="t", calendar=True)
    pd.DataFrame({"y": [0, 1], "t": times}).to_parquet(tmp_path / "a.parquet")
    later = (times + pd.Timedelta(days=1)).tz_localize("Europe/Berlin")
    pd.DataFrame({"y": [0, 1], "t": later}).to_parquet(tmp_path / "b.parquet")
    with pytest.warns(UserWarning, match=r"time 't' is a time with a zone in .*b\.parquet and a"):
        TableStream(tmp_path, columns, prior=0.5)


@pytest.mark.parametrize("other", ["parquet", "tsv", "new lines", "mark", "columns"])
def test_one_table_in_two_formats_and_names_is_told_of(tmp_path: Path, other: str) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"y": rng.integers(2, size=500), "shop": rng.integers(9, size=500), "price": 0.5}
    )
    frame.loc[3, "price"] = np.nan

    def write(frame: pd.DataFrame) -> None:
        options: dict = {
            "index": False,
            "lineterminator": "\r\n" if other == "new lines" else "\n",
        }
        if other == "columns":
            frame = frame.assign(more=1)[["price", "more", "y", "shop"]]
        if other == "parquet":
            frame.to_parquet(tmp_path / "south.parquet")
        elif other == "tsv":
            frame.to_csv(tmp_path / "south.tsv", sep="\t", **options)
        else:
            code = "utf-8-sig" if other == "mark" else "utf-8"
            frame.to_csv(tmp_path / "south.csv", encoding=code, **options)

    frame.to_csv(tmp_path / "north.csv", index=False)
    write(frame)
    with pytest.warns(UserWarning, match=r"north\.csv and \S*south\.\w+, which hold the same"):
        TableStream(tmp_path, COLUMNS, prior=0.5)
    frame.loc[499, "shop"] = 99
    write(frame)
    assert len(read(tmp_path)) == 1000  # a warning would be an error


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ("'{}'", "with single quotes around them"),
        ("b'{}'", "with the b of Python's bytes"),
        ("\u00a0{}", "with spaces or marks around them that one does not see"),
        ("{}\ufeff", "with spaces or marks around them"),
        ("<shop.Shop object at 0x7f00{}>", "with addresses of objects"),
        ("it's {}", None),
        ("d'{}'", None),
        ("a\u00a0{}", None),
    ],
)
def test_what_stands_around_categories_is_told_of(form: str, message: str | None) -> None:
    shops = [form.format(i) for i in range(8)] + [""]
    frame = pd.DataFrame({"y": np.arange(9) % 2, "shop": shops, "price": 1.0})
    if message is None:
        read(frame)  # a warning would be an error
        return
    with pytest.warns(UserWarning, match=f"sparse 'shop' has categories such as .*{message}"):
        read(frame)


def test_dates_that_could_be_seconds_are_told_of() -> None:
    columns = Columns(label="y", sparse={}, time="t", calendar=True)
    times = pd.date_range("2014-10-20", periods=500, freq="7min")
    frame = pd.DataFrame({"y": np.arange(500) % 2, "t": times.strftime("%y%m%d%H%M").astype(int)})
    with pytest.warns(UserWarning, match="1410200000 are taken for seconds since 1970, but all"):
        read(frame, columns)
    for step in (1, 60, 3600, 86400):  # a warning would be an error
        read(frame.assign(t=1410200000 + step * np.arange(500)), columns)
        read(frame.assign(t=1413849600 + step * np.arange(500)), columns)
