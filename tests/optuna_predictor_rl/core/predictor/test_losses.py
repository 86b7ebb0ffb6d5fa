from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_squared_error
from torch import Tensor

from optuna_predictor_rl.core.predictor.losses import (
    LOSSES,
    mse_loss,
    pairwise_hinge_loss,
    pairwise_logistic_loss,
)

lawful = settings(deadline=None, derandomize=True)
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
seeds = st.integers(0, 2**31)
Loss = Callable[[Tensor, Tensor, Tensor, float], Tensor]


def example(seed: int, k: int = 3, n: int = 7) -> tuple[Tensor, Tensor, Tensor]:
    """Scores, labels with ties and a missing one, and weights."""
    generator = torch.Generator().manual_seed(seed)
    target = torch.randint(0, 5, (n,), generator=generator).double()
    target[0] = torch.nan
    prediction = torch.randn(k, n, generator=generator, dtype=torch.float64)
    return prediction, target, torch.rand(k, n, generator=generator, dtype=torch.float64)


def unequal_pairs(target: Tensor) -> list[tuple[int, int]]:
    return [(i, j) for i, j in permutations(range(len(target)), 2) if target[i] > target[j]]


@lawful
@given(seeds, st.sampled_from([0.0, 0.001, 0.7]))
def test_the_hinge_loss_is_the_margin_ranking_loss_of_the_pairs(seed: int, margin: float) -> None:
    prediction, target, weight = example(seed)
    pairs = unequal_pairs(target)
    if not pairs:
        return
    first, second = map(list, zip(*pairs, strict=True))
    reference = torch.nn.MarginRankingLoss(margin)
    expected = [reference(p[first], p[second], torch.ones(len(pairs))) for p in prediction]
    found = pairwise_hinge_loss(prediction, target, torch.ones_like(weight), margin)
    torch.testing.assert_close(found, torch.stack(expected))


@lawful
@given(seeds)
def test_the_logistic_loss_is_the_cross_entropy_of_the_pairs_order(seed: int) -> None:
    prediction, target, weight = example(seed)
    pairs = unequal_pairs(target)
    if not pairs:
        return
    first, second = map(list, zip(*pairs, strict=True))
    pair_weight = weight[:, first] * weight[:, second]
    gap = prediction[:, first] - prediction[:, second]
    reference = torch.nn.functional.binary_cross_entropy_with_logits
    entropy = reference(gap, torch.ones_like(gap), reduction="none")
    expected = (pair_weight * entropy).sum(1) / pair_weight.sum(1)
    found = pairwise_logistic_loss(prediction, target, weight, 0.0)
    torch.testing.assert_close(found, expected)


@lawful
@given(seeds)
def test_the_squared_loss_is_the_mean_squared_error_of_the_present_labels(seed: int) -> None:
    prediction, target, weight = example(seed)
    expected = [
        mean_squared_error(target[1:], p[1:], sample_weight=w[1:])
        for p, w in zip(prediction.numpy(), weight.numpy(), strict=True)
    ]
    assert mse_loss(prediction, target, weight, 0.0).numpy() == pytest.approx(np.array(expected))


@every_loss
@lawful
@given(seeds)
def test_a_trial_without_a_label_or_a_weight_does_not_count(loss: Loss, seed: int) -> None:
    prediction, target, weight = example(seed)
    weight[:, 1] = 0.0
    rest = slice(2, None)
    expected = loss(prediction[:, rest], target[rest], weight[:, rest], 0.1)
    torch.testing.assert_close(loss(prediction, target, weight, 0.1), expected)


@every_loss
@lawful
@given(seeds)
def test_the_order_of_trials_does_not_matter(loss: Loss, seed: int) -> None:
    prediction, target, weight = example(seed)
    order = torch.randperm(len(target), generator=torch.Generator().manual_seed(seed))
    shuffled = loss(prediction[:, order], target[order], weight[:, order], 0.1)
    torch.testing.assert_close(shuffled, loss(prediction, target, weight, 0.1))


@every_loss
@lawful
@given(seeds)
def test_members_do_not_influence_each_other(loss: Loss, seed: int) -> None:
    prediction, target, weight = example(seed)
    alone = [loss(prediction[i, None], target, weight[i, None], 0.1) for i in range(3)]
    torch.testing.assert_close(loss(prediction, target, weight, 0.1), torch.cat(alone))


@pytest.mark.parametrize("loss", [pairwise_hinge_loss, pairwise_logistic_loss])
@lawful
@given(seeds)
def test_a_ranking_loss_sees_only_the_order_of_labels_and_gaps_of_scores(
    loss: Loss, seed: int
) -> None:
    prediction, target, weight = example(seed)
    expected = loss(prediction, target, weight, 0.1)
    torch.testing.assert_close(loss(prediction + 3.0, torch.exp(target), weight, 0.1), expected)


@every_loss
@pytest.mark.parametrize("label", [torch.nan, 1.0])
def test_labels_that_say_nothing_leave_a_finite_gradient(loss: Loss, label: float) -> None:
    prediction = torch.randn(2, 4, generator=torch.Generator()).requires_grad_()
    value = loss(prediction, torch.full((4,), label), torch.ones(2, 4), 0.1)
    value.sum().backward()
    assert prediction.grad is not None
    assert torch.isfinite(prediction.grad).all()
    if loss is not mse_loss or label != label:
        assert value.tolist() == [0.0, 0.0]
