import gzip
import math
import pickle
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dhen_objective.config import DHENConfig, Interaction, TrainConfig
from dhen_objective.streams import text
from dhen_objective.streams.hashing import stable_id
from dhen_objective.streams.layout import CSV
from dhen_objective.streams.malformed import MalformedRowsError
from dhen_objective.streams.rows import Columns
from dhen_objective.streams.table import TableStream
from dhen_objective.train import train

COLUMNS = Columns(label="y", sparse={"shop": 50}, dense=("price",), counts=("visits",), time="t")


def lines(rows: int, first: int = 0) -> list[str]:
    return [f"{i},{i % 2},s{i % 3},{i / 2},{i - 5}" for i in range(first, first + rows)]


def write(path: Path, rows: list[str], header: str = "t,y,shop,price,visits") -> Path:
    content = "\n".join([header, *rows]) + "\n" if header else "\n".join(rows)
    packed = path.suffix == ".gz"
    path.write_bytes(gzip.compress(content.encode()) if packed else content.encode())
    return path


def stream(path: Path | list[Path], **arguments: object) -> TableStream:
    return TableStream(path, COLUMNS, prior=0.5, **arguments)


def everything(of: TableStream, size: int = 7, start: int = 0) -> list[torch.Tensor]:
    batches = list(of.batches(size, start=start))
    return [torch.cat([getattr(b, n) for b in batches]) for n in ("dense", "sparse", "labels")]


def test_rows_are_read_as_they_stand(tmp_path: Path) -> None:
    read = stream(write(tmp_path / "a.csv", lines(20)))
    assert (read.n_rows, read.n_dense, read.field_sizes) == (20, 2, (50,))
    dense, sparse, labels = everything(read)
    i = np.arange(20)
    assert labels.tolist() == list(i % 2)
    assert dense[:, 0].tolist() == list(i / 2)
    expected = np.sign(i - 5) * np.log1p(np.abs(i - 5))
    np.testing.assert_allclose(dense[:, 1], expected, rtol=1e-6)
    assert sparse[:, 0].tolist() == [stable_id(f"s{k % 3}", field="shop", size=50) for k in i]


@pytest.mark.parametrize(("size", "start"), [(1, 0), (7, 13), (20, 0), (64, 19), (5, 20)])
def test_any_batch_from_any_row_holds_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, start: int
) -> None:
    monkeypatch.setattr(text, "_BLOCK", 64)  # bytes: many parts
    read = stream(write(tmp_path / "a.csv", lines(20)))
    batches = list(read.batches(size, start=start))
    assert [len(b) for b in batches[:-1]] == [size] * len(batches[:-1])
    assert sum(map(len, batches)) == 20 - start
    if batches:
        for part, whole in zip(everything(read, size, start), everything(read), strict=True):
            assert torch.equal(part, whole[start:])


def test_csv_gzip_and_parquet_hold_the_same_examples(tmp_path: Path) -> None:
    i = np.arange(20)
    table = pa.table(
        {"t": pa.array(i, pa.timestamp("s")), "y": i % 2 == 1, "price": i / 2, "visits": i - 5,
         "shop": [f"s{k % 3}" for k in i]}
    )  # fmt: skip
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=6)
    plain = everything(stream(write(tmp_path / "a.csv", lines(20))))
    for other in (tmp_path / "a.parquet", write(tmp_path / "b.csv.gz", lines(20))):
        for mine, theirs in zip(everything(stream(other)), plain, strict=True):
            assert torch.equal(mine, theirs)


def test_files_follow_each_other_as_they_are_given(tmp_path: Path) -> None:
    late, early = write(tmp_path / "a.csv", lines(8, 8)), write(tmp_path / "b.csv", lines(8))
    whole = everything(stream(write(tmp_path / "whole.csv", lines(16))))
    for mine, all_rows in zip(everything(stream([early, late])), whole, strict=True):
        assert torch.equal(mine, all_rows)
    with pytest.raises(MalformedRowsError, match=r"b\.csv:2: t must be a number, not before"):
        stream([late, early])


def test_missing_values_stay_missing(tmp_path: Path) -> None:
    dense, sparse, _ = everything(stream(write(tmp_path / "a.csv", ["1,1,,,nan"])))
    assert dense.isnan().all()
    assert sparse.item() == stable_id(None, field="shop", size=50)


BAD = {
    "1,2,s0,1,1": "y must be 0 or 1, but got '2'",
    "1,,s0,1,1": "y must be 0 or 1, but got ''",
    "1,1,s0,cheap,1": "price must be a finite number of float32, but got 'cheap'",
    "1,1,s0,1,1e999": "visits must be a finite number of float32, but got '1e999'",
    "-7,1,s0,1,1": "t must be a number, not before an earlier row, but got '-7'",
    "soon,1,s0,1,1": "t must be a number, not before an earlier row, but got 'soon'",
    "1,1,s0,1": "a row must have 5 columns, but got 4",
    "1,1,s0,1,1,1": "a row must have 5 columns, but got 6",
}


@pytest.mark.parametrize("bad", BAD)
def test_a_malformed_row_is_named_with_its_line(tmp_path: Path, bad: str) -> None:
    path = write(tmp_path / "a.csv", [*lines(2), bad, *lines(2, 2)])
    with pytest.raises(MalformedRowsError) as caught:
        stream(path)
    assert f"1 of 5: a.csv:4: {BAD[bad]}." in str(caught.value)
    read = stream(path, max_malformed=0.25)
    assert read.n_rows == 4
    with pytest.warns(UserWarning, match="Malformed rows were left out: 1 of 5: a.csv:4"):
        _, _, labels = everything(read)
    assert labels.tolist() == [0, 1, 0, 1]
    assert (read.malformed.count, read.malformed.read) == (1, 5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(wrong=st.sets(st.integers(0, 59)), block=st.integers(40, 400))
def test_every_malformed_row_is_counted_at_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: set[int], block: int
) -> None:
    monkeypatch.setattr(text, "_BLOCK", block)
    monkeypatch.setattr("dhen_objective.streams.malformed._NAMED", 60)
    kinds = ("broken", "1,2,3,4,5,6", "1,7,s0,1,1")
    rows = [kinds[i % 3] if i in wrong else line for i, line in enumerate(lines(60))]
    path = write(tmp_path / "a.csv", rows)
    if len(wrong) == 60:
        return
    read = stream(path, max_malformed=0.999)
    assert read.n_rows == 60 - len(wrong)
    assert sorted(row.line - 2 for row in read.malformed.first) == sorted(wrong)
    assert read.malformed.read == 60


def test_too_many_malformed_rows_stop_the_pass_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "_BLOCK", 1 << 14)
    rows = [*lines(2000), *["0,x,s0,1,1"] * 50, *lines(9000, 2000)]
    read = stream(write(tmp_path / "a.csv", rows), rows=10_000, max_malformed=0.01)
    batches = read.batches(100)
    with pytest.raises(MalformedRowsError, match=r"share of 0\.01 malformed rows, but got 50 of"):
        list(batches)
    with pytest.raises(MalformedRowsError, match=r"share of 0\.0001 malformed rows, but got"):
        stream(tmp_path / "a.csv", max_malformed=0.0001)
    wrong = write(tmp_path / "wrong.csv", ["0,x,s0,1,1"] * 20 + lines(4000))
    with pytest.raises(MalformedRowsError, match=r"got 20 of"):  # before any row is asked for
        stream(wrong, rows=100, max_malformed=0.01)


def test_rows_limits_the_stream_without_a_count(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", lines(20))
    assert len(everything(stream(path, rows=12))[2]) == 12
    with pytest.raises(ValueError, match="rows must be at most the 20 that the files hold, but"):
        list(stream(path, rows=21).batches(4))


def test_rows_beyond_the_limit_may_have_any_number_of_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [*lines(12), "12,0,s0", "13,1,s1,1,2,3"])
    read = stream(path, rows=12)
    assert len(everything(read)[2]) == 12
    assert (read.malformed.count, read.malformed.read) == (0, 12)


def test_the_calendar_is_that_of_the_time(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ["14102105,1", "14102623,0"], header="hour,y")
    columns = Columns(
        label="y", sparse={"hour": 9}, time="hour", time_format="%y%m%d%H", calendar=True
    )
    _, sparse, _ = everything(TableStream(path, columns, prior=0.5))
    assert sparse[:, 1:].tolist() == [[5, 1], [23, 6]]  # a Tuesday and a Sunday


def test_text_without_a_header_takes_the_given_names(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", ['1|"x"', "0|y"], header="")
    layout = CSV(delimiter="|", names=("y", "c"), quotes=False)
    columns = Columns(label="y", sparse={"c": 1000})
    _, sparse, labels = everything(TableStream(path, columns, prior=0.5, layout=layout))
    assert labels.tolist() == [1, 0]
    expected = [stable_id(value, field="c", size=1000) for value in ('"x"', "y")]
    assert sparse.flatten().tolist() == expected


def test_a_stream_can_be_pickled_and_trained_on(tmp_path: Path) -> None:
    read = pickle.loads(pickle.dumps(stream(write(tmp_path / "a.csv", lines(300)))))
    config = DHENConfig(n_layers=1, modules=(Interaction.LINEAR,))
    result = train(read, config, TrainConfig(batch_size=64))
    assert result.rows == 300
    assert math.isfinite(result.normalized_entropy)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"paths": []}, "paths must name a file, but got none"),
        ({"rows": 0}, "rows must be at least 1, but got 0"),
        ({"prior": 1.0}, r"prior must be between 0 and 1, but got 1\.0"),
        ({"columns": Columns(label="z", sparse={"shop": 5})}, r"columns must be among .*\['z'\]"),
    ],
)
def test_a_bad_argument_is_named(tmp_path: Path, arguments: dict, message: str) -> None:
    defaults = {"paths": write(tmp_path / "a.csv", lines(3)), "columns": COLUMNS, "prior": 0.5}
    with pytest.raises(ValueError, match=message):
        TableStream(**(defaults | arguments))


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"paths must hold an example, but got .* without any"):
        stream(write(tmp_path / "a.csv", []))


def test_files_that_change_after_a_stream_was_made_are_told_of(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("y,s\n0,a\n1,b\n")
    stream = TableStream(path, Columns(label="y", sparse={"s": 9}), prior=0.5)
    path.write_text("y,s\n1,c\n0,a\n1,b\n")
    with pytest.warns(UserWarning, match=r"a\.csv changed since .* The first 2 rows are read"):
        (batch,) = stream.batches(9)
    assert batch.labels.tolist() == [1, 0]


@pytest.mark.parametrize("rows", [2, 4])
def test_files_that_change_while_they_are_read_are_told_of(tmp_path: Path, rows: int) -> None:
    paths = [tmp_path / f"{name}.csv" for name in "ab"]
    for path in paths:
        path.write_text("y,s\n0,a\n1,b\n")
    stream = TableStream(paths, Columns(label="y", sparse={"s": 9}), prior=0.5)
    batches = stream.batches(1)
    next(batches)
    paths[1].write_text("y,s\n" + "1,c\n0,d\n" * (rows // 2))
    with pytest.warns(UserWarning, match=r"b\.csv changed while the stream was read") as told:
        assert len(list(batches)) == 3
    assert len(told) == 1
    with pytest.warns(UserWarning, match=r"b\.csv changed since the stream was made") as told:
        assert len(list(stream.batches(1))) == 4
    assert len(told) == 1


def test_files_stay_the_same_where_the_process_goes_to_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, label in (("one", 0), ("other", 1)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.csv").write_text(f"y,s\n{label},a\n")
    monkeypatch.chdir(tmp_path / "one")
    stream = TableStream("a.csv", Columns(label="y", sparse={"s": 9}), prior=0.5)
    monkeypatch.chdir(tmp_path / "other")
    (batch,) = stream.batches(9)
    assert batch.labels.tolist() == [0]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_that_lost_a_column_after_the_stream_was_made_is_named(
    tmp_path: Path, kind: str
) -> None:
    frame = pd.DataFrame({"y": [0, 1], "shop": ["a", "b"], "price": [1, 2]})
    path = tmp_path / f"a.{kind}"
    write = {"csv": partial(pd.DataFrame.to_csv, index=False), "parquet": pd.DataFrame.to_parquet}
    write[kind](frame, path)
    columns = Columns(label="y", sparse={"shop": 9}, dense=("price",))
    stream = TableStream(path, columns, prior=0.5)
    write[kind](frame.rename(columns={"price": "cost"}), path)
    with (
        pytest.warns(UserWarning, match="changed since the stream was made"),
        pytest.raises(ValueError, match=rf"among those of \S+a\.{kind}, .* but got \['price'\]"),
    ):
        list(stream.batches(2))
