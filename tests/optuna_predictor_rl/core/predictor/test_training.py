from dataclasses import replace
from typing import Any

import pytest
import torch
from scipy.stats import kendalltau
from torch import Tensor

from optuna_predictor_rl.core.predictor.config import PredictorConfig
from optuna_predictor_rl.core.predictor.training import N_FOLDS, _fold_weights, fit_members

SMALL = PredictorConfig(n_members=4, shared_widths=(8,), head_widths=(8,), n_epochs=40)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def data(n: int = 40) -> tuple[Tensor, Tensor]:
    """Inputs, and two tasks that want opposite things of the first column."""
    x = torch.randn(n, 3, generator=generator(5))
    value = x[:, 0] + 0.5 * x[:, 1]
    return x, torch.stack([value, -value], dim=1)


@pytest.mark.parametrize("loss", ["hinge", "logistic", "mse"])
def test_scores_rank_unseen_configurations_like_their_labels_in_every_task(loss: Any) -> None:
    x, y = data(80)
    config = PredictorConfig(n_members=4, loss=loss, margin=0.01)
    fitted = fit_members(config, x[:60], y[:60], generator())
    score = fitted.scores(x[60:]).mean(0)
    for task in range(2):
        assert kendalltau(score[:, task], y[60:, task]).statistic > 0.7


def test_scores_are_standardized_for_each_member_and_task() -> None:
    x, y = data()
    score = fit_members(SMALL, x, y, generator()).scores(x)
    torch.testing.assert_close(score.mean(1), torch.zeros(4, 2), atol=1e-5, rtol=0)
    torch.testing.assert_close(score.std(1, correction=0), torch.ones(4, 2))


def test_missing_labels_of_a_task_leave_the_other_to_be_learned() -> None:
    x, y = data()
    y[::2, 1] = torch.nan
    y[:, 0] = torch.nan
    score = fit_members(SMALL, x, y, generator()).scores(x).mean(0)
    assert torch.isfinite(score).all()
    assert kendalltau(score[::2, 1], -x[::2, 0] - 0.5 * x[::2, 1]).statistic > 0.7


def test_a_missing_label_is_as_good_as_no_trial() -> None:
    x, y = data()
    config = PredictorConfig(n_members=2, n_epochs=10, bootstrap="none", loss="hinge")
    y[30:] = torch.nan
    with_missing = fit_members(config, x, y, generator())
    without = fit_members(config, x[:30], y[:30], generator())
    score, expected = with_missing.network(x), without.network(x)
    gap, expected_gap = score - score[:, :1], expected - expected[:, :1]  # a shift says nothing
    torch.testing.assert_close(gap, expected_gap, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(
    "config",
    [SMALL, replace(PredictorConfig.paper(), n_epochs=20)],
    ids=["ours", "paper"],
)
def test_a_fit_depends_on_its_generator_alone(config: PredictorConfig) -> None:
    x, y = data()
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = fit_members(config, x, y, generator(3)).scores(x)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(2)
    again = fit_members(config, x, y, generator(3)).scores(x)
    assert torch.equal(first, again)
    assert not torch.equal(first, fit_members(config, x, y, generator(4)).scores(x))


def test_folds_hold_every_trial_out_of_one_member_in_five() -> None:
    config = PredictorConfig(n_members=2 * N_FOLDS)
    held_out = _fold_weights(config, 23, generator()) == 0
    for first in (0, N_FOLDS):
        fold = held_out[first : first + N_FOLDS]
        assert (fold.sum(0) == 1).all()
        assert set(fold.sum(1).tolist()) == {4, 5}
    assert not torch.equal(held_out[:N_FOLDS], held_out[N_FOLDS:])


def test_a_held_out_trial_does_not_influence_its_member() -> None:
    x, y = data()
    fitted = fit_members(SMALL, x, y, generator())
    y[fitted.held_out[1], :] += 100.0
    again = fit_members(SMALL, x, y, generator())
    new = torch.randn(5, 3, generator=generator(9))
    torch.testing.assert_close(fitted.scores(new)[1], again.scores(new)[1])
    assert not torch.equal(fitted.scores(new)[0], again.scores(new)[0])


@pytest.mark.parametrize("bootstrap", ["none", "folds"])
@pytest.mark.parametrize("n", [1, 2, 3, 300])
def test_a_fit_of_few_or_many_trials_gives_finite_scores(bootstrap: Any, n: int) -> None:
    x, y = data(n)
    config = PredictorConfig(n_members=2, n_epochs=3, bootstrap=bootstrap, batch_size=16)
    assert torch.isfinite(fit_members(config, x, y, generator()).scores(x)).all()


def test_each_trial_is_held_out_of_two_of_ten_members() -> None:
    x, y = data()
    fitted = fit_members(replace(SMALL, n_members=10, n_epochs=1), x, y, generator())
    assert fitted.held_out.sum(0).tolist() == [2] * 40
