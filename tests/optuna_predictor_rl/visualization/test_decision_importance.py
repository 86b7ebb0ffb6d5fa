import numpy as np
import pytest

from optuna_predictor_rl import PredictorConfig
from optuna_predictor_rl.visualization import decision_importance, plot_decision_importance
from tests.optuna_predictor_rl.visualization.searches import searched


def test_an_additive_value_and_its_cost_are_explained_by_their_decisions() -> None:
    study = searched(50, n_startup_trials=50, cost="price", predictor=PredictorConfig())
    data = decision_importance(study)
    assert data.tasks == ["value", "price"]
    assert data.decisions == ["x", "y", "kind"]
    variances = np.array([9.0 / 12.0, 1.0 / 12.0, 0.05**2])  # 3 x + y, and 0 or 0.1
    assert data.effect[:, 0] == pytest.approx(variances / variances.sum(), abs=0.06)
    assert data.effect[:, 1] == pytest.approx([0.0, 1.0, 0.0], abs=0.06)


def test_bars_are_the_effects_in_percent_of_the_variance() -> None:
    study = searched(12, cost="price")
    data = decision_importance(study, n_samples=64, seed=3)
    figure = plot_decision_importance(study, n_samples=64, seed=3)
    for task, bars in enumerate(figure.data):
        assert list(bars.y) == data.decisions
        assert np.asarray(bars.x) == pytest.approx(data.effect[:, task], abs=1e-4)
    assert figure.layout.xaxis.tickformat == ".0%"
    assert "12 trials, 64 random configurations" in figure.layout.title.subtitle.text
