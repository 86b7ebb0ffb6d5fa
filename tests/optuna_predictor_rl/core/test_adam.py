"""Our steps are torch's, bit for bit."""

import pytest
import torch
from torch import Tensor

from optuna_predictor_rl.core.adam import BETAS, Adam, one_cycle


def parameters() -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = [(3, 5, 7), (3, 1, 7), (2,)]
    return [torch.randn(shape, generator=generator).requires_grad_() for shape in shapes]


def backward(parameters: list[Tensor]) -> None:
    torch.stack([(p - 1.0).pow(2).mul(p.numel()).sum() for p in parameters]).sum().backward()


@pytest.mark.parametrize(("fused", "decay"), [(True, 0.1), (True, 0.0), (False, 0.1)])
def test_steps_of_a_cycle_are_those_of_torch(fused: bool, decay: float) -> None:
    ours, theirs = parameters(), parameters()
    optimizer = torch.optim.AdamW(theirs, lr=0.03, weight_decay=decay, fused=fused)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.03, total_steps=11)
    own = Adam(ours, weight_decay=decay, fused=fused)
    for learning_rate, beta in one_cycle(0.03, 11):
        backward(ours)
        own.step(learning_rate, beta)
        optimizer.zero_grad()
        backward(theirs)
        optimizer.step()
        if schedule.last_epoch < 10:
            schedule.step()
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_steps_without_decay_are_those_of_torchs_adam() -> None:
    ours, theirs = parameters(), parameters()
    optimizer = torch.optim.Adam(theirs, lr=0.5)
    own = Adam(ours)
    for _ in range(5):
        backward(ours)
        own.step(0.5)
        optimizer.zero_grad()
        backward(theirs)
        optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("n_steps", [2, 3, 4, 10, 24, 300])
def test_a_cycle_of_any_length_is_torchs(n_steps: int) -> None:
    weight = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.AdamW([weight], lr=1.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=n_steps)
    theirs = []
    for step in range(n_steps):
        group = optimizer.param_groups[0]
        theirs.append((group["lr"], group["betas"][0]))
        optimizer.step()
        if step < n_steps - 1:
            schedule.step()
    assert one_cycle(1e-2, n_steps) == theirs
    assert torch.optim.AdamW([weight]).defaults["betas"] == BETAS
