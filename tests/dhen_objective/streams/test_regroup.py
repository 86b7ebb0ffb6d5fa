import torch
from hypothesis import given
from hypothesis import strategies as st

from dhen_objective.streams.base import Batch, regroup


def parts(sizes: list[int]) -> list[Batch]:
    values = torch.arange(sum(sizes), dtype=torch.float32)[:, None]
    batch = Batch(dense=values, sparse=values.long(), labels=torch.zeros(len(values)))
    ends = torch.tensor(sizes).cumsum(0).tolist()
    return [batch.rows(end - size, end) for size, end in zip(sizes, ends, strict=True)]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=8), st.integers(1, 12), st.integers(0, 30))
def test_batches_hold_the_rows_in_order(sizes: list[int], batch_size: int, start: int) -> None:
    batches = list(regroup(parts(sizes), batch_size, start=start))
    rows = [value for batch in batches for value in batch.sparse.flatten().tolist()]
    assert rows == list(range(start, sum(sizes)))
    assert all(len(batch) == batch_size for batch in batches[:-1])
    assert all(1 <= len(batch) <= batch_size for batch in batches)
