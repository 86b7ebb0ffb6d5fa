import numpy as np
import pytest

from optuna_predictor_rl.core.decisions import Numeric
from optuna_predictor_rl.core.predictor.config import PredictorConfig
from optuna_predictor_rl.core.predictor.ensemble import fit_ensemble
from optuna_predictor_rl.core.predictor.transfer import PSEUDO_TRIALS, Opinions, lift
from optuna_predictor_rl.core.space import Rows, SearchSpace
from optuna_predictor_rl.core.targets import standard_target

SPACE = SearchSpace(tuple(Numeric(name=n, low=0.0, high=1.0) for n in "xyz"))


def draws(n: int, *columns: float, noise: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Opinions of sources, and targets that follow them by the given slopes."""
    rng = np.random.default_rng(0)
    said = rng.normal(size=(n, len(columns), 1))
    return said, said[..., 0] @ np.array(columns)[:, None] + noise * rng.normal(size=(n, 1))


def test_a_source_that_is_right_gets_its_slope_and_one_that_is_wrong_gets_nothing() -> None:
    said, targets = draws(500, 0.8, -0.6, 0.0)
    weight = lift(said, targets)[0].weight[:, 0]
    assert weight == pytest.approx([0.8, 0.0, 0.0], abs=0.1)


def test_without_contrast_among_the_labels_all_sources_are_believed_alike() -> None:
    said = np.ones((4, 2, 1))
    weight = lift(said, np.array([[0.3], [-0.2], [0.1], [0.0]]))[0].weight
    assert weight == pytest.approx(np.full((2, 1), 0.5))


def test_the_weights_solve_the_regression_with_pseudo_trials() -> None:
    said, targets = draws(12, 0.7, 0.4)
    weight = lift(said, targets)[0].weight[:, 0]
    z, y = said[..., 0] - said[..., 0].mean(0), targets[:, 0] - targets.mean()
    expected = np.linalg.solve(
        z.T @ z + PSEUDO_TRIALS * np.eye(2), z.T @ y + PSEUDO_TRIALS * np.array([0.5, 0.5])
    )
    assert (expected > 0).all()  # where no bound is met, both are the same
    assert weight == pytest.approx(expected)


def test_what_is_left_and_what_is_said_add_up_to_the_targets() -> None:
    said, targets = draws(30, 0.7, -0.4)
    targets[::5] = np.nan
    made, left = lift(said, targets)
    present = ~np.isnan(targets)
    assert np.array_equal(np.isnan(left), ~present)
    assert left[present].std() == pytest.approx(1.0)
    mean, std = made(said, (np.nan_to_num(left), np.ones_like(left)))
    assert mean[present] == pytest.approx(targets[present])
    assert std == pytest.approx(np.full_like(std, made.scale[0]))


def test_a_task_without_labels_has_no_lift() -> None:
    made, _ = lift(np.ones((3, 1, 2)), np.array([[1.0, np.nan]] * 3))
    assert made.weight[:, 1].tolist() == [0.0]
    assert made.scale[1] == 1.0


def bowl(rows: Rows) -> np.ndarray:
    return ((rows - 0.3) ** 2).sum(1)


def error(opinions: Opinions | None, n: int) -> float:
    """Mean square error of the predicted target, in units of its variance."""
    rows = SPACE.random(n, np.random.default_rng(0))
    ensemble = fit_ensemble(
        PredictorConfig(n_epochs=10),
        SPACE,
        rows,
        bowl(rows)[:, None],
        rng=np.random.default_rng(0),
        opinions=opinions,
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
        said = sign * (bowl(rows) - 0.4) / 0.25 if sign else np.sin(40 * rows @ noise)
        return said[:, None, None]

    assert error(wrong, 60) < 1.2 * error(None, 60) + 0.01
