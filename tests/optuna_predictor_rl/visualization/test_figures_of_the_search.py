"""What holds for all figures that ask the sampler."""

from collections.abc import Callable

import optuna
import plotly.graph_objects as go
import pytest
from optuna.storages import InMemoryStorage
from optuna.study import Study

from optuna_predictor_rl.visualization import (
    plot_decision_importance,
    plot_policy_probabilities,
    plot_predictor_calibration,
    plot_rl_convergence,
    plot_trade_off,
)
from tests.optuna_predictor_rl.visualization.searches import searched, small_sampler

FIGURES = [
    plot_decision_importance,
    plot_policy_probabilities,
    plot_predictor_calibration,
    plot_rl_convergence,
    plot_trade_off,
]
PRICED = {"cost": "price", "cost_weight": (0.0, 0.3)}


@pytest.fixture(params=FIGURES, ids=lambda figure: figure.__name__)
def plot(request: pytest.FixtureRequest) -> Callable[..., go.Figure]:
    return request.param


@pytest.fixture(scope="module")
def study() -> Study:
    return searched(15, **PRICED)


def test_a_new_sampler_draws_the_same_from_the_storage(
    study: Study, plot: Callable[..., go.Figure]
) -> None:
    resumed = optuna.load_study(study_name=study.study_name, storage=study._storage)
    assert plot(resumed, small_sampler(**PRICED)).to_json() == plot(study).to_json()


def test_the_figure_says_what_it_shows_and_is_small(
    study: Study, plot: Callable[..., go.Figure]
) -> None:
    figure = plot(study)
    assert figure.layout.title.text
    assert "15" in figure.layout.title.text + figure.layout.title.subtitle.text
    assert figure.layout.xaxis.title.text or figure.layout.xaxis2.title.text
    assert figure.layout.template.layout.to_plotly_json() == {}
    assert len(figure.to_json()) < 20_000


def test_a_sampler_of_another_kind_is_refused(
    study: Study, plot: Callable[..., go.Figure]
) -> None:
    other = optuna.load_study(
        study_name=study.study_name,
        storage=study._storage,
        sampler=optuna.samplers.RandomSampler(),
    )
    with pytest.raises(ValueError, match=r"PredictorRLSampler, but got a RandomSampler, the st"):
        plot(other)
    with pytest.raises(ValueError, match=r"PredictorRLSampler, but got a RandomSampler\."):
        plot(study, other.sampler)


def test_a_study_that_is_empty_or_too_small_is_refused(plot: Callable[..., go.Figure]) -> None:
    with pytest.raises(ValueError, match="a finished trial with a parameter, but has none"):
        plot(searched(0, **PRICED))
    with pytest.raises(ValueError, match="finished trials with a value, but got 2"):
        plot(searched(2, **PRICED))


def test_a_study_with_several_objectives_is_refused(plot: Callable[..., go.Figure]) -> None:
    several = optuna.create_study(directions=["minimize"] * 2, storage=InMemoryStorage())
    with pytest.raises(ValueError, match="one objective for this figure, but got 2 directions"):
        plot(several, small_sampler(**PRICED))


def test_the_metric_name_of_the_study_is_on_its_axis() -> None:
    study = searched(4, **PRICED)
    study.set_metric_names(["NE gain, %"])
    assert plot_trade_off(study).layout.yaxis.title.text == "NE gain, % (lower is better)"
    assert plot_decision_importance(study).layout.annotations[0].text.endswith("<b>NE gain, %</b>")
