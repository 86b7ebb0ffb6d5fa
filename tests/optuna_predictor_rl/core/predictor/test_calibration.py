import numpy as np
import pytest
from scipy.stats import norm

from optuna_predictor_rl.core.decisions import Numeric
from optuna_predictor_rl.core.predictor.calibration import (
    LabelMap,
    LabelPredictor,
    _quantile,
    correction,
)
from optuna_predictor_rl.core.predictor.config import PredictorConfig
from optuna_predictor_rl.core.predictor.ensemble import Ensemble
from optuna_predictor_rl.core.predictor.fitting import fit_ensemble
from optuna_predictor_rl.core.predictor.training_data import TrainingData
from optuna_predictor_rl.core.space import Rows, SearchSpace
from optuna_predictor_rl.core.targets import TARGETS, Target

SPACE = SearchSpace(tuple(Numeric(name=n, low=0.0, high=1.0) for n in "xy"))
TINY = PredictorConfig(n_members=2, n_epochs=5)


def fit(rows: Rows, labels: np.ndarray) -> Ensemble:
    return fit_ensemble(TINY, SPACE, TrainingData(rows, labels), rng=np.random.default_rng(0))


def bowl(n: int, noise: float = 0.0) -> tuple[Rows, np.ndarray]:
    rng = np.random.default_rng(3)
    rows = SPACE.random(n, rng)
    return rows, (((rows - 0.4) ** 2).sum(1) + noise * rng.normal(size=n))[:, None]


@pytest.mark.parametrize("target", list(TARGETS))
@pytest.mark.parametrize("scale", [1.0, 1e-12, 1e300])
def test_a_target_goes_back_to_its_label(target: Target, scale: float) -> None:
    labels = scale * (np.random.default_rng(0).normal(size=40) + 3.0)
    back = LabelMap.of(TARGETS[target](labels), labels)
    found = back.center + back(TARGETS[target](labels)) * back.unit * 2
    kept = labels <= np.sort(labels)[int(0.9 * 39)] if target == "clipped" else labels == labels
    worst = labels == labels[kept].max()
    assert found[kept & ~worst] == pytest.approx(labels[kept & ~worst], rel=1e-9)


def test_the_way_back_is_monotone_and_bounded() -> None:
    labels = np.random.default_rng(1).normal(size=30)
    for function in TARGETS.values():
        back = LabelMap.of(function(labels), labels)
        found = back.center + back(np.linspace(-50, 50, 2001)) * back.unit * 2
        assert (np.diff(found) >= 0).all()
        assert found[-1] <= labels.max()
        assert found[0] >= 2 * labels.min() - np.median(labels) - 1e-12


def test_beyond_the_best_label_the_way_goes_on_no_farther_than_the_median_is_behind_it() -> None:
    labels = np.arange(1.0, 10.0)  # the median is 5: nothing below 1 - 4 is predicted
    back = LabelMap.of(TARGETS["standard"](labels), labels)
    wanted = np.array([-9.0, -3.0, 0.0, 4.5, 12.0])
    found = back.center + back((wanted - labels.mean()) / labels.std()) * back.unit * 2
    assert found == pytest.approx([-3.0, -3.0, 0.0, 4.5, 9.0])


def test_the_moments_of_a_linear_map_are_those_of_the_normal_distribution() -> None:
    labels = np.linspace(-30.0, 10.0, 401)
    back = LabelMap.of(TARGETS["standard"](labels), labels)
    first, second = back.moments(np.zeros(1), np.full(1, 0.2))
    assert back.center + first * back.unit * 2 == pytest.approx(labels.mean())
    std = np.sqrt(second - first**2) * back.unit * 2
    assert std == pytest.approx(0.2 * labels.std())


# 1e12 + .01 f keeps two digits of f: its floats are 1.2e-4 apart.
@pytest.mark.parametrize(
    ("offset", "scale", "digits"), [(1e9, 1.0, 1e-3), (1e4, 1e-4, 1e-3), (1e12, 0.01, 0.6)]
)
def test_an_offset_of_all_labels_does_not_change_what_is_predicted(
    offset: float, scale: float, digits: float
) -> None:
    rows, labels = bowl(25)
    (plain, plain_std), _ = LabelPredictor.of(fit(rows, labels), labels).predict(rows)
    moved = offset + scale * labels
    (mean, std), _ = LabelPredictor.of(fit(rows, moved), moved).predict(rows)
    assert (mean - offset) / scale == pytest.approx(plain, abs=0.1 * digits)
    assert std / scale == pytest.approx(plain_std, rel=digits)


def test_predictions_are_those_of_the_labels_and_do_not_depend_on_chunks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows, labels = bowl(60)
    predictor = LabelPredictor.of(fit(rows, labels), labels)
    (mean, std), target = predictor.predict(rows)
    assert np.corrcoef(mean[:, 0], labels[:, 0])[0, 1] > 0.95
    assert (std > 0).all()
    monkeypatch.setattr("optuna_predictor_rl.core.predictor.calibration.MAX_CELLS", 2000)
    (again, _), same = predictor.predict(rows)
    assert again == pytest.approx(mean)
    assert same == pytest.approx(target)


def test_no_rows_give_no_predictions() -> None:
    rows, labels = bowl(20)
    (mean, std), target = LabelPredictor.of(fit(rows, labels), labels).predict(rows[:0])
    assert mean.shape == std.shape == target.shape == (0, 1)


def test_the_corrected_interval_holds_its_share_of_new_noisy_labels() -> None:
    """The own std is that of a noise-free function, so that noise makes it far too small."""
    rows, labels = bowl(300, noise=0.3)
    seen, new = slice(0, 150), slice(150, 300)
    factor = correction(fit, rows[seen], labels[seen], np.random.default_rng(0))
    ensemble = fit(rows[seen], labels[seen])
    (mean, own), _ = LabelPredictor.of(ensemble, labels[seen]).predict(rows[new])
    error, bound = np.abs(labels[new] - mean), norm.ppf(0.9)
    assert (error <= bound * own).mean() < 0.7
    assert (error <= bound * factor * own).mean() == pytest.approx(0.8, abs=0.1)


def test_few_or_constant_labels_are_not_corrected_beyond_bounds() -> None:
    rows, labels = bowl(9)
    assert correction(fit, rows, labels, np.random.default_rng(0)).tolist() == [1.0]
    rows, labels = bowl(30)
    found = correction(fit, rows, 0 * labels, np.random.default_rng(0))
    assert 0.0 < found[0] <= 1.0


def test_of_20_errors_the_17th_is_the_conformal_quantile() -> None:
    """Of 21 exchangeable errors a new one is among the least 17 with probability 17 / 21 > .8."""
    errors = np.random.default_rng(0).permutation(np.arange(1, 21) / 10)
    assert _quantile(errors) == pytest.approx(1.7 / norm.ppf(0.9))
