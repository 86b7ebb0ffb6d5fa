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


def test_a_batch_refuses_other_labels() -> None:
    with pytest.raises(ValueError, match=r"labels must be 0 or 1, but got 0\.5"):
        Batch(
            dense=torch.zeros(1, 0),
            sparse=torch.zeros(1, 1, dtype=torch.long),
            labels=torch.tensor([0.5]),
        )
