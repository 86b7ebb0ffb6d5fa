"""Criteo and Avazu, from small files that are laid out as theirs."""

import gzip
import math
from pathlib import Path

import numpy as np
import pytest

from dhen_objective.streams import AvazuStream, CriteoStream, MalformedRowsError, avazu
from dhen_objective.streams.hashing import stable_id


def click(label: int, counts: list[str], categories: list[str]) -> str:
    return "\t".join([str(label), *counts, *categories])


FIRST = click(1, ["5", "-1", "", *["0"] * 10], ["68fd1e64", "", *["a"] * 24])
SECOND = click(0, ["1"] * 13, ["b"] * 26)


def test_a_row_of_criteo_is_a_label_13_counts_and_26_categories(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_text(FIRST + "\n" + SECOND + "\n")
    stream = CriteoStream(path, field_size=1000)
    assert (stream.n_rows, stream.n_dense, stream.field_sizes) == (2, 13, (1000,) * 26)
    (batch,) = stream.batches(9)
    assert batch.labels.tolist() == [1, 0]
    expected = [math.log(6), -math.log(2), math.nan, *[0.0] * 10]
    np.testing.assert_allclose(batch.dense[0], expected, rtol=1e-6)
    names = ["68fd1e64", None, *["a"] * 24]
    expected_ids = [
        stable_id(name, field=f"C{i}", size=1000) for i, name in enumerate(names, start=1)
    ]
    assert batch.sparse[0].tolist() == expected_ids


def test_the_days_of_criteo_follow_each_other(tmp_path: Path) -> None:
    days = [tmp_path / f"day_{i}.gz" for i in (9, 10)]
    for day, row in zip(days, (FIRST, SECOND), strict=True):
        with gzip.open(day, "wt") as file:
            file.write(row + "\n")
    (batch,) = CriteoStream(days, rows=2).batches(9)
    assert batch.labels.tolist() == [1, 0]


def test_a_torn_row_of_criteo_is_named(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_text(FIRST + "\n" + SECOND[:30])
    with pytest.raises(MalformedRowsError, match=r"train\.txt:2: a row must have 40 columns"):
        CriteoStream(path)


def test_a_row_of_avazu_has_21_categories_and_a_calendar(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    header = ",".join(["id", "click", "hour", *avazu.CATEGORIES])
    rows = [f"10000{i},{i},141021{i:02},1005,{','.join('x' * 20)}" for i in range(2)]
    path.write_text("\n".join([header, *rows]) + "\n")
    stream = AvazuStream(path, field_size=500)
    assert (stream.n_dense, len(stream.field_sizes)) == (0, 23)
    (batch,) = stream.batches(9)
    assert batch.labels.tolist() == [0, 1]
    assert batch.sparse[:, 0].tolist() == [stable_id("1005", field="C1", size=500)] * 2
    assert batch.sparse[:, -2:].tolist() == [[0, 1], [1, 1]]  # 21 October 2014 was a Tuesday
