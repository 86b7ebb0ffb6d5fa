import pytest
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


def test_the_mean_loss_of_more_examples_and_a_start_move_rows_as_the_summed_loss_would() -> None:
    table = nn.Embedding(3, 2, sparse=True)
    weight, sums = table.weight.detach().clone().double(), 0.25
    optimizer = RowwiseAdagrad(table.weight, lr=0.1, start=0.25)
    for pull in ([3.0, -1.0], [0.5, 2.0]):
        gradient = torch.tensor(pull)
        (table(torch.tensor([1, 1])) * gradient).sum(1).mean().backward()  # of two examples
        optimizer.step(2)
        total = 2 * gradient.double()
        sums += float((total**2).mean())
        weight[1] -= 0.1 * total / sums**0.5
    torch.testing.assert_close(table.weight.detach().double(), weight, rtol=1e-6, atol=1e-7)


def test_rows_move_less_the_larger_the_start() -> None:
    moved = []
    for start in (0.0, 1.0, 100.0):
        table = nn.Embedding(1, 1, sparse=True)
        before = table.weight.item()
        optimizer = RowwiseAdagrad(table.weight, lr=0.1, start=start)
        (table(torch.tensor([0])) * 0.01).sum().backward()
        optimizer.step()
        moved.append(before - table.weight.item())
    assert moved == pytest.approx([0.1, 0.001, 0.0001], rel=1e-2)


def test_a_step_without_a_gradient_changes_nothing() -> None:
    table = nn.Embedding(2, 2, sparse=True)
    before = table.weight.detach().clone()
    RowwiseAdagrad(table.weight, lr=0.1).step()
    assert torch.equal(table.weight.detach(), before)
