import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dhen_objective.streams import ArrayStream, Batch


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


def arguments(**changes: object) -> dict:
    base: dict = {
        "dense": np.zeros((3, 1), np.float32),
        "sparse": np.zeros((3, 1), np.int64),
        "labels": np.array([0, 1, 0]),
        "field_sizes": (2,),
        "prior": 0.5,
    }
    return base | changes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": np.zeros(0)}, "labels must hold at least one row, but got 0"),
        ({"labels": np.zeros(3)}, "labels must hold a positive, but got 3 zeros"),
        ({"labels": np.array([0, 1, 2])}, "labels must be 0 or 1, but got 2"),
        ({"labels": np.array([0, 1, np.nan])}, "labels must be 0 or 1, but got nan"),
        ({"labels": np.array([0, 1])}, "must be equally long, but got \\(3, 3, 2\\)"),
        ({"sparse": np.array([[0], [2], [0]])}, "\\[0, 2\\) in field 0, but got 2"),
        ({"sparse": np.array([[0], [-1], [0]])}, "sparse must be .* but got -1"),
    ],
)
def test_bad_arrays_are_named(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ArrayStream(**arguments(**changes))


def test_a_batch_refuses_other_labels() -> None:
    with pytest.raises(ValueError, match=r"labels must be 0 or 1, but got 0\.5"):
        Batch(
            dense=torch.zeros(1, 0),
            sparse=torch.zeros(1, 1, dtype=torch.long),
            labels=torch.tensor([0.5]),
        )
