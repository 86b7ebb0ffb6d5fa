import numpy as np
import pytest

from optuna_predictor_rl.core.decisions import Numeric
from optuna_predictor_rl.core.predictor.config import PredictorConfig
from optuna_predictor_rl.core.predictor.fitting import fit_ensemble
from optuna_predictor_rl.core.predictor.moments import Moments
from optuna_predictor_rl.core.predictor.training_data import TrainingData
from optuna_predictor_rl.core.predictor.transfer import (
    LEAST_RESIDUAL,
    PSEUDO_TRIALS,
    SourcePredictions,
    fit_residual,
)
from optuna_predictor_rl.core.space import Rows, SearchSpace
from optuna_predictor_rl.core.targets import standard_target

SPACE = SearchSpace(tuple(Numeric(name=n, low=0.0, high=1.0) for n in "xyz"))


def draws(n: int, *columns: float, noise: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Predictions of sources, and targets that follow them by the given slopes."""
    rng = np.random.default_rng(0)
    predicted = rng.normal(size=(n, len(columns), 1))
    return predicted, predicted[..., 0] @ np.array(columns)[:, None] + noise * rng.normal(
        size=(n, 1)
    )


def test_a_source_that_is_right_gets_its_slope_and_one_that_is_wrong_gets_nothing() -> None:
    predicted, targets = draws(500, 0.8, -0.6, 0.0)
    weight = fit_residual(predicted, targets)[0].weight[:, 0]
    assert weight == pytest.approx([0.8, 0.0, 0.0], abs=0.1)


def test_without_contrast_among_the_labels_all_sources_are_believed_alike() -> None:
    predicted = np.ones((4, 2, 1))
    weight = fit_residual(predicted, np.array([[0.3], [-0.2], [0.1], [0.0]]))[0].weight
    assert weight == pytest.approx(np.full((2, 1), 0.5))


def test_the_weights_solve_the_regression_with_pseudo_trials() -> None:
    predicted, targets = draws(12, 0.7, 0.4)
    weight = fit_residual(predicted, targets)[0].weight[:, 0]
    z, y = predicted[..., 0] - predicted[..., 0].mean(0), targets[:, 0] - targets.mean()
    expected = np.linalg.solve(
        z.T @ z + PSEUDO_TRIALS * np.eye(2), z.T @ y + PSEUDO_TRIALS * np.array([0.5, 0.5])
    )
    assert (expected > 0).all()  # where no bound is met, both are the same
    assert weight == pytest.approx(expected)


def test_the_residual_and_the_predictions_add_up_to_the_targets() -> None:
    predicted, targets = draws(30, 0.7, -0.4)
    targets[::5] = np.nan
    fitted, residual = fit_residual(predicted, targets)
    present = ~np.isnan(targets)
    assert np.array_equal(np.isnan(residual), ~present)
    assert residual[present].std() == pytest.approx(1.0)
    own = Moments(np.nan_to_num(residual), np.ones_like(residual))
    mean, std = fitted.to_targets(predicted, own)
    assert mean[present] == pytest.approx(targets[present])
    assert std == pytest.approx(np.full_like(std, fitted.scale[0]))


def test_a_task_without_labels_trusts_no_source() -> None:
    fitted, _ = fit_residual(np.ones((3, 1, 2)), np.array([[1.0, np.nan]] * 3))
    assert fitted.weight[:, 1].tolist() == [0.0]
    assert fitted.scale[1] == 1.0


def bowl(rows: Rows) -> np.ndarray:
    return ((rows - 0.3) ** 2).sum(1)


def error(sources: SourcePredictions | None, n: int) -> float:
    """Mean square error of the predicted target, in units of its variance."""
    rows = SPACE.random(n, np.random.default_rng(0))
    ensemble = fit_ensemble(
        PredictorConfig(n_epochs=10),
        SPACE,
        TrainingData(rows, bowl(rows)[:, None]),
        rng=np.random.default_rng(0),
        source_predictions=sources,
    )
    new = SPACE.random(200, np.random.default_rng(1))
    gap = standard_target(ensemble.predict(new)[0][:, 0]) - standard_target(bowl(new))
    return float(np.mean(gap**2))


def test_few_labels_and_a_right_source_predict_better_than_the_labels_alone() -> None:
    def right(rows: Rows) -> np.ndarray:
        return (bowl(rows)[:, None, None] - 0.4) / 0.25

    assert error(right, 8) < 0.5 * error(None, 8)


@pytest.mark.parametrize("sign", [-1.0, 0.0])
def test_many_labels_and_a_wrong_source_predict_like_the_labels_alone(sign: float) -> None:
    noise = np.random.default_rng(5).normal(size=3)

    def wrong(rows: Rows) -> np.ndarray:
        predicted = sign * (bowl(rows) - 0.4) / 0.25 if sign else np.sin(40 * rows @ noise)
        return predicted[:, None, None]

    assert error(wrong, 60) < 1.2 * error(None, 60) + 0.01


def test_what_a_perfect_source_leaves_is_not_blown_up() -> None:
    predicted, targets = draws(30, 1.0, noise=0.0)
    fitted, residual = fit_residual(predicted, targets)
    assert fitted.scale == pytest.approx([LEAST_RESIDUAL * targets.std()])
    assert residual == pytest.approx(np.zeros((30, 1)), abs=1e-12)
