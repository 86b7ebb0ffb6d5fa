import numpy as np
import pytest
from scipy.stats import kendalltau

from optuna_predictor_rl.core.predictor.config import PredictorConfig
from optuna_predictor_rl.core.predictor.gaussian_process import fit_gaussian_process
from optuna_predictor_rl.core.predictor.members import (
    InputScale,
    Networks,
    _regress,
    fit_networks,
    fit_processes,
)
from optuna_predictor_rl.core.targets import rank_target, rank_targets

SMALL = PredictorConfig(n_members=5, n_epochs=20)
FEATURE = np.array([0, 1])


def data(n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).random((n, 2))
    return x, np.stack([x[:, 0] + x[:, 1], 1e9 * (x[:, 0] - 2 * x[:, 1])], axis=1)


def networks(x: np.ndarray, labels: np.ndarray, config: PredictorConfig = SMALL) -> Networks:
    rng = np.random.default_rng(0)
    scaled = InputScale(np.full(2, 0.5), np.full(2, 3.0))
    return fit_networks(config, x, rank_targets(labels), scaled=scaled, rng=rng, device="cpu")


def test_each_task_has_a_process_of_its_own_labels() -> None:
    x, labels = data()
    labels[::3, 1] = np.nan
    mean, std = fit_processes(x, rank_targets(labels), FEATURE).predict(x)
    present = ~np.isnan(labels[:, 1])
    for task, kept in ((0, slice(None)), (1, present)):
        alone = fit_gaussian_process(x[kept], rank_target(labels[kept, task]), FEATURE)
        expected_mean, expected_std = alone.predict(x)
        assert mean[:, task] == pytest.approx(expected_mean)
        assert std[:, task] == pytest.approx(expected_std)


def test_a_task_without_any_label_is_flat() -> None:
    x, labels = data()
    labels[:, 1] = np.nan
    mean, std = fit_processes(x, labels, FEATURE).predict(x)
    assert mean[:, 1] == pytest.approx(np.zeros(len(x)))
    assert np.isfinite(std).all()
    mean, std = networks(x, labels).predict(x)
    assert np.isfinite(mean).all()
    assert np.isfinite(std).all()


def test_a_pending_configuration_makes_its_neighbourhood_surer() -> None:
    x, labels = data(8)
    processes = fit_processes(x, rank_targets(labels), FEATURE)
    new = np.array([[0.05, 0.95]])
    before, after = processes.predict(new), processes.condition_on_pending(new).predict(new)
    assert (after[1] < before[1]).all()
    assert after[0] == pytest.approx(before[0])


def test_networks_rank_like_the_labels_and_their_spread_is_positive() -> None:
    x, labels = data()
    mean, std = networks(x, labels).predict(x)
    assert (std > 0).all()
    for task in range(2):
        assert kendalltau(mean[:, task], labels[:, task]).statistic > 0.7


def test_networks_see_only_the_order_of_labels() -> None:
    x, labels = data()
    expected = networks(x, labels).predict(x)
    found = networks(x, np.exp(3 * labels / np.abs(labels).max(0))).predict(x)
    assert np.array_equal(found[0], expected[0])
    assert np.array_equal(found[1], expected[1])


def test_the_slope_is_least_squares_through_the_origin_on_held_out_scores() -> None:
    rng = np.random.default_rng(0)
    held_out = np.arange(30) % 3 == np.arange(3)[:, None]  # each of 3 members lacks a third
    score = rng.normal(size=(3, 30, 1))
    voted = np.where(held_out[..., None], score, 0.0).sum(0)[:, 0]
    target = 0.7 * voted + 0.1 * rng.normal(size=30)
    slope, residual = _regress(score, held_out, target[:, None])
    expected, error = np.linalg.lstsq(voted[:, None], target, rcond=None)[:2]
    assert slope == pytest.approx(expected)
    assert residual == pytest.approx(np.sqrt(error / 30))


def test_missing_targets_do_not_enter_the_slope() -> None:
    rng = np.random.default_rng(0)
    score, target = rng.normal(size=(2, 20, 1)), rng.normal(size=(20, 1))
    held_out = np.zeros((2, 20), dtype=bool)
    target[12:] = np.nan
    whole = _regress(score, held_out, target)
    part = _regress(score[:, :12], held_out[:, :12], target[:12])
    assert whole[0] == pytest.approx(part[0])
    assert whole[1] == pytest.approx(part[1])


@pytest.mark.parametrize(("factor", "slope"), [(-1.0, 0.2), (0.5, 0.5), (3.0, 1.2)])
def test_the_slope_is_bounded_and_never_turns_the_order_around(
    factor: float, slope: float
) -> None:
    score = np.random.default_rng(0).normal(size=(1, 20, 1))
    found, _ = _regress(score, np.ones((1, 20), dtype=bool), factor * score[0])
    assert found == pytest.approx([slope])
