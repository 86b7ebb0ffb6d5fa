"""What holds for all figures that ask the sampler."""

import re
from collections.abc import Callable

import numpy as np
import optuna
import plotly.graph_objects as go
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.study import Study
from optuna.trial import create_trial

from optuna_predictor_rl import PredictorRLSampler
from optuna_predictor_rl.visualization import (
    plot_decision_importance,
    plot_learning_curves,
    plot_policy_probabilities,
    plot_predictor_calibration,
    plot_rank_correlation,
    plot_rl_convergence,
    plot_sample_efficiency,
    plot_trade_off,
)
from optuna_predictor_rl.visualization.source import sampler_of, sampler_text
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


def loaded(study: Study) -> Study:
    """Return a study as another script loads it, with the sampler that Optuna gives it then."""
    return optuna.load_study(study_name=study.study_name, storage=study._storage)


def test_a_loaded_study_is_fitted_with_default_settings_and_the_subtitle_says_so(
    study: Study, plot: Callable[..., go.Figure]
) -> None:
    if plot is plot_trade_off:
        message = (
            r"got cost=None; give sampler=PredictorRLSampler\(cost=...\) \(.* is a TPESampler\)"
        )
        with pytest.raises(ValueError, match=message):
            plot(loaded(study))
        return
    line = "Fitted with a default PredictorRLSampler: the study's sampler is a TPESampler"
    assert plot(loaded(study)).layout.title.subtitle.text.endswith(f"<br>{line}")


def test_the_default_settings_are_those_of_a_new_sampler(study: Study) -> None:
    default = sampler_of(loaded(study), None)
    assert repr(default) == repr(PredictorRLSampler(seed=0))
    own = study.sampler
    assert sampler_of(study, None) is sampler_of(loaded(study), own) is own
    assert sampler_text(study, None) == sampler_text(loaded(study), own) == ""


def test_a_sampler_of_another_kind_is_refused(
    study: Study, plot: Callable[..., go.Figure]
) -> None:
    with pytest.raises(ValueError, match=r"PredictorRLSampler, but got a RandomSampler\."):
        plot(study, optuna.samplers.RandomSampler())


def test_a_study_that_is_empty_or_too_small_is_refused(plot: Callable[..., go.Figure]) -> None:
    with pytest.raises(ValueError, match="a finished trial with a parameter, but has none"):
        plot(searched(0, **PRICED))
    with pytest.raises(ValueError, match="finished trials with a value, but got 2"):
        plot(searched(2, **PRICED))


def test_the_metric_name_of_the_study_is_on_its_axis() -> None:
    study = searched(4, **PRICED)
    study.set_metric_names(["NE gain, %"])
    assert plot_trade_off(study).layout.yaxis.title.text == "NE gain, % (lower is better)"
    assert plot_decision_importance(study).layout.annotations[0].text.endswith("<b>NE gain, %</b>")


NASTY = [
    "<b>x</b>",
    '<a href="http://host">y</a>',
    "a<br>b",
    "$\\\\alpha$",
    "a\nb",
    "1",
    "2",
    "z" * 2000,
]


@pytest.fixture(scope="module")
def nasty() -> Study:
    """Return a study in which all names are markup to plotly, too long, or like a number."""
    space: dict[str, BaseDistribution] = {
        name: CategoricalDistribution((name, "<i>c</i>", "<i>d</i>")) for name in NASTY
    }
    study = optuna.create_study(sampler=small_sampler(**PRICED | {"cost": NASTY[1]}))
    study.set_metric_names([NASTY[0]])
    rng = np.random.default_rng(0)
    for i in range(15):
        params = {n: d.choices[rng.integers(3)] for n, d in space.items()}  # type: ignore[attr-defined]
        study.add_trial(
            create_trial(
                params=params, distributions=space, value=rng.normal(),
                user_attrs={
                    NASTY[1]: 1.0 + i,
                    "predictor_rl:searcher": "<i>s</i>" if i > 3 else "shared",
                },
                intermediate_values={1: 2.0, 2: 1.0},
            )
        )  # fmt: skip
    return study


def texts(node: object) -> list[str]:
    """Return all strings in a figure."""
    if isinstance(node, dict):
        return [text for value in node.values() for text in texts(value)]
    if isinstance(node, (list, tuple)):
        return [text for value in node for text in texts(value)]
    return [node] if isinstance(node, str) else []


@pytest.mark.parametrize(
    "draw",
    [*FIGURES, plot_learning_curves, plot_rank_correlation, plot_sample_efficiency],
    ids=lambda figure: figure.__name__,
)
def test_what_users_name_things_is_no_markup(nasty: Study, draw: Callable[..., go.Figure]) -> None:
    shown = texts(draw(nasty).to_plotly_json())
    own = re.compile(r"</?b>|<br>|<extra></extra>")  # text of the figures themselves
    for text in shown:
        assert not re.search(r"[<$]", own.sub("", text)), text
        assert "<b>x" not in text
        assert "a<br>b" not in text
        assert "\n" not in text
        assert "z" * 61 not in text


def test_decisions_with_numbers_for_names_have_bars_of_their_own(nasty: Study) -> None:
    figure = plot_decision_importance(nasty)
    assert figure.layout.yaxis.type == "category"
    assert len(set(figure.data[0].y)) == len(NASTY)
