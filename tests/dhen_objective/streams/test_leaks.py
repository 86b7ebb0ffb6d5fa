"""Labels that are sorted, and columns that tell them, are told of."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dhen_objective.streams import ArrayStream, Columns, TableStream

ROWS = 2000
LABELS = np.random.default_rng(0).integers(2, size=ROWS)


def read(labels: np.ndarray, x: object, path: Path | None = None, **arguments: object) -> None:
    frame = pd.DataFrame({"y": labels, "x": x, "z": 1.0})
    if path is not None:
        frame.to_csv(path, index=False)
    for columns in (
        Columns(label="y", sparse={"x": 9}),
        Columns(label="y", sparse={}, dense=("z", "x")),
    ):
        if columns.dense and frame["x"].dtype.kind not in "biuf":
            continue
        stream = TableStream(frame if path is None else path, columns, prior=0.5, **arguments)
        list(stream.batches(300))


@pytest.mark.parametrize("kind", ["frame", "csv"])
@pytest.mark.parametrize("rows", [None, ROWS])
@pytest.mark.parametrize(
    ("x", "message"),
    [
        (LABELS, "'x' has one value in all rows of one 'y' and in none of the other"),
        (7.5 - LABELS, "'x' has one value in all rows of one 'y'"),
        (np.where(LABELS, "bought", "seen"), "'x' has one value in all rows of one 'y'"),
        (np.where(LABELS, np.arange(ROWS), np.nan), "'x' is missing in all rows of one 'y'"),
        (np.where(LABELS, "", "seen"), "'x' is missing in all rows of one 'y'"),
    ],
)
def test_a_column_that_tells_the_label_is_named(
    tmp_path: Path, x: np.ndarray, message: str, kind: str, rows: int | None
) -> None:
    with pytest.warns(UserWarning, match=message):
        read(LABELS, x, tmp_path / "a.csv" if kind == "csv" else None, rows=rows)


def test_labels_that_are_sorted_are_told_of(tmp_path: Path) -> None:
    x = np.arange(ROWS) % 7
    for labels in (np.sort(LABELS), np.sort(LABELS)[::-1]):
        first = labels[0]
        with pytest.warns(UserWarning, match=f"all {first}s come before all {1 - first}s"):
            read(labels, x)
        with pytest.warns(UserWarning, match=f"all {first}s come before all {1 - first}s"):
            ArrayStream(
                labels=labels,
                sparse=x[:, None],
                dense=np.zeros((ROWS, 0)),
                field_sizes=(7,),
                prior=0.5,
            )
    for label in (0, 1):
        frame = pd.DataFrame({"y": np.full(ROWS, label), "x": x})
        frame.to_parquet(tmp_path / f"{label}.parquet", row_group_size=300)
    with pytest.warns(UserWarning, match="all 0s come before all 1s"):
        TableStream(tmp_path, Columns(label="y", sparse={"x": 9}), prior=0.5)


def test_columns_that_tell_little_and_small_tables_are_not_told_of() -> None:
    nearly = LABELS.copy()
    nearly[-1] = 1 - nearly[-1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(LABELS, nearly)
        read(LABELS, np.where(nearly, 5.0, np.nan))
        read(LABELS[:900], LABELS[:900])
        read(np.sort(LABELS[:900]), 1)
        read(np.array([*[0] * ROWS, *[1] * 9]), 1)
