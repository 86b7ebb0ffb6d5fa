import torch
from torch import nn

from dhen_objective.adagrad import RowwiseAdagrad


def test_rows_move_as_dense_rowwise_adagrad_would_move_them() -> None:
    generator = torch.Generator().manual_seed(0)
    table = nn.Embedding(6, 3, sparse=True)
    weight, sums = table.weight.detach().clone(), torch.zeros(6)
    optimizer = RowwiseAdagrad(table.weight, lr=0.1)
    for _ in range(4):
        ids = torch.randint(5, (4, 2), generator=generator)  # row 5 is never looked up
        pull = torch.randn(4, 2, 3, generator=generator)
        (table(ids) * pull).sum().backward()
        optimizer.step()
        gradient = torch.zeros(6, 3)
        for b in range(4):
            for f in range(2):
                gradient[ids[b, f]] += pull[b, f]
        sums += gradient.square().mean(1)
        weight -= 0.1 * gradient / (sums.sqrt() + 1e-8)[:, None]
    torch.testing.assert_close(table.weight.detach(), weight)
    assert table.weight.grad is None


def test_a_step_without_a_gradient_changes_nothing() -> None:
    table = nn.Embedding(2, 2, sparse=True)
    before = table.weight.detach().clone()
    RowwiseAdagrad(table.weight, lr=0.1).step()
    assert torch.equal(table.weight.detach(), before)
