import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dhen_objective.streams import (
    ArrayStream,
    Batch,
    ClickStream,
    Columns,
    SyntheticStream,
    TableStream,
)
from dhen_objective.streams.base import check_batches


def stream(rows: int = 10) -> ArrayStream:
    ids = np.arange(2 * rows).reshape(rows, 2)
    return ArrayStream(
        dense=np.arange(rows, dtype=np.float32)[:, None],
        sparse=ids,
        labels=np.arange(rows) % 2,
        field_sizes=(2 * rows, 2 * rows),
        prior=0.5,
    )


@given(st.integers(1, 12), st.integers(0, 12))
def test_batches_of_any_size_from_any_row_are_the_rows_in_order(size: int, start: int) -> None:
    batches = list(stream().batches(size, start=start))
    dense = [value for batch in batches for value in batch.dense[:, 0].tolist()]
    assert dense == list(range(start, 10))
    assert all(len(batch) == size for batch in batches[:-1])


def test_a_batch_refuses_other_labels() -> None:
    with pytest.raises(ValueError, match=r"labels must be 0 or 1, but got 0\.5"):
        Batch(
            dense=torch.zeros(1, 0),
            sparse=torch.zeros(1, 1, dtype=torch.long),
            labels=torch.tensor([0.5]),
        )


def test_a_batch_refuses_parts_of_other_lengths() -> None:
    with pytest.raises(ValueError, match=r"must be equally long, but got \(3, 1, 3\)"):
        Batch(
            dense=torch.zeros(3, 0),
            sparse=torch.zeros(1, 1, dtype=torch.long),
            labels=torch.zeros(3),
        )


TABLE = pd.DataFrame({"y": [0, 1, 0], "shop": ["a", "b", "c"]})


@pytest.mark.parametrize(
    "of",
    [
        stream(),
        SyntheticStream("easy", rows=10),
        TableStream(TABLE, Columns(label="y", sparse={"shop": 5}), prior=0.5),
    ],
    ids=lambda of: type(of).__name__,
)
def test_rows_and_sizes_that_are_none_are_refused_at_once(of: ClickStream) -> None:
    with pytest.raises(ValueError, match="start must be at least 0, but got -5"):
        of.batches(2, start=-5)
    for size in (0, -1):
        with pytest.raises(ValueError, match=f"batch_size must be at least 1, but got {size}"):
            of.batches(size)
    assert list(of.batches(2, start=of.n_rows)) == []


@pytest.mark.parametrize("wrong", [0.5, 2.0, "2", None, True])
@pytest.mark.parametrize("name", ["batch_size", "start"])
def test_a_size_or_start_that_is_no_whole_number_is_named(name: str, wrong: object) -> None:
    with pytest.raises(TypeError, match=f"{name} must be int, but got {wrong!r}"):
        check_batches(**{"batch_size": np.int64(2), "start": 0, name: wrong})
