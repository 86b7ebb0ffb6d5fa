"""Figures of studies with several objectives: a panel each, or one by its index or name."""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
import plotly.graph_objects as go
import pytest
from optuna.study import Study
from optuna.trial import Trial

from optuna_predictor_rl import PolicyConfig, PredictorConfig, PredictorRLSampler
from optuna_predictor_rl.core.pareto import is_pareto
from optuna_predictor_rl.visualization import (
    decision_importance,
    plot_decision_importance,
    plot_learning_curves,
    plot_policy_probabilities,
    plot_predictor_calibration,
    plot_rank_correlation,
    plot_rl_convergence,
    plot_sample_efficiency,
    plot_trade_off,
    predictor_calibration,
    rl_convergence,
    sample_efficiency,
    trade_off,
)

NAMES = ["error", "<b>speed</b>"]


def objective(trial: Trial) -> tuple[float, float]:
    """The first objective depends on x alone, the second on y alone."""
    x, y = trial.suggest_float("x", 0.0, 1.0), trial.suggest_float("y", 0.0, 1.0)
    trial.set_user_attr("price", 1.0 + x)
    return 3.0 * x + 1.0, 1.0 + y


@functools.cache
def searched(*, cost: str | None = None) -> Study:
    sampler = PredictorRLSampler(
        predictor=PredictorConfig(n_members=2, n_epochs=8),
        policy=PolicyConfig(n_rounds=2, n_steps=3, batch_size=4),
        seed=0,
        cost=cost,
    )
    study = optuna.create_study(
        directions=["minimize", "maximize"], sampler=optuna.samplers.RandomSampler(seed=0)
    )
    study.set_metric_names(NAMES)
    study.optimize(objective, n_trials=15)
    study.sampler = sampler
    return study


def test_each_objective_has_a_panel_of_held_out_ranks() -> None:
    tasks = predictor_calibration(searched())
    assert [task.name for task in tasks] == NAMES
    values = np.array([trial.values for trial in searched().trials])
    best_first = [values[:, 0].argsort(), (-values[:, 1]).argsort()]
    for task, order in zip(tasks, best_first, strict=True):
        assert task.observed[order].tolist() == list(range(1, 16))
        assert task.tau > 0.5
    figure = plot_predictor_calibration(searched())
    assert "&lt;b&gt;speed" in figure.layout.annotations[1].text


def test_one_objective_is_shown_by_its_index_or_its_name() -> None:
    (by_index,) = predictor_calibration(searched(), objective=1)
    (by_name,) = predictor_calibration(searched(), objective=NAMES[1])
    assert by_index.name == by_name.name == NAMES[1]
    assert by_index.tau == by_name.tau
    assert decision_importance(searched(), objective=1).tasks == NAMES[1:]


def test_decisions_matter_to_the_objective_that_depends_on_them() -> None:
    data = decision_importance(searched(cost="price"))
    assert data.tasks == [*NAMES, "price"]
    effect = dict(zip(data.decisions, data.effect, strict=True))
    assert effect["x"][0] > 0.8
    assert effect["y"][1] > 0.8
    assert effect["x"][2] > 0.8
    assert decision_importance(searched(), objective=0).decisions == ["x", "y"]
    assert decision_importance(searched(), objective=1).decisions == ["y", "x"]


def test_three_panels_have_short_titles_and_colours_of_their_own() -> None:
    figure = plot_decision_importance(searched(cost="price"))
    assert len({bar.marker.color for bar in figure.data}) == 3
    assert all(len(note.text) < 40 for note in figure.layout.annotations)


def test_the_next_search_says_how_it_weighs_the_objectives() -> None:
    study = searched()
    weights = study.sampler.inspect(study).history.objective_weights  # type: ignore[attr-defined]
    said = f"objectives weighed {weights[0]:.2g}, {weights[1]:.2g}"
    assert rl_convergence(study).weight_text == f", {said}"
    assert not rl_convergence(study).higher_is_better
    for draw in (plot_rl_convergence, plot_policy_probabilities):
        assert said in draw(study).layout.title.subtitle.text.replace("<br>", " ")


def test_the_trade_off_of_an_objective_is_that_of_its_values_and_the_cost() -> None:
    study = searched(cost="price")
    data = trade_off(study, objective="error")
    assert data.value.tolist() == [trial.values[0] for trial in study.trials]
    speed = trade_off(study, objective=1, n_proposals=4)
    points = np.array([[t.user_attrs["price"], -t.values[1]] for t in study.trials])
    assert set(speed.front) == set(np.flatnonzero(is_pareto(points)))
    (proposals,) = speed.proposals
    assert len(proposals.value) == 4
    assert np.all((proposals.value > 0.9) & (proposals.value < 2.1))
    figure = plot_trade_off(study, objective=1)
    assert figure.layout.yaxis.title.text.endswith("(higher is better)")


def test_the_best_gain_so_far_is_that_of_an_objective() -> None:
    (curve,) = sample_efficiency(searched(), objective=1)
    values = np.array([trial.values[1] for trial in searched().trials])
    best = np.maximum.accumulate(values)
    assert curve.gains[0] == pytest.approx(100.0 * (best - values[0]) / values[0])
    title = plot_sample_efficiency(searched(), objective=1).layout.yaxis.title.text
    assert "speed" in title
    assert title.endswith("(positive is better)")


@pytest.mark.parametrize("draw", [plot_trade_off, plot_sample_efficiency])
def test_a_figure_of_one_value_asks_which_of_several_is_meant(
    draw: Callable[..., go.Figure],
) -> None:
    with pytest.raises(ValueError, match=r"objective must be an index below 2 .* but got None"):
        draw(searched(cost="price"))


@pytest.mark.parametrize("objective", [2, -1, "loss"])
@pytest.mark.parametrize(
    "draw",
    [plot_trade_off, plot_sample_efficiency, plot_predictor_calibration, plot_decision_importance],
)
def test_an_objective_that_the_study_lacks_is_refused(
    draw: Callable[..., go.Figure], objective: Any
) -> None:
    with pytest.raises(ValueError, match="objective must be an index below 2 or a name among"):
        draw(searched(cost="price"), objective=objective)


@pytest.mark.parametrize("draw", [plot_learning_curves, plot_rank_correlation])
def test_figures_of_learning_curves_need_one_objective(draw: Callable[..., go.Figure]) -> None:
    with pytest.raises(ValueError, match="one objective for low fidelity, but got 2 directions"):
        draw(searched())


def test_the_only_objective_needs_no_name() -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(lambda trial: objective(trial)[0], n_trials=3)
    (plain,), (named,) = sample_efficiency(study), sample_efficiency(study, objective=0)
    assert plain.gains.tolist() == named.gains.tolist()
    assert math.isfinite(plain.gains[0, -1])


@pytest.mark.parametrize("several", [False, True])
def test_the_fronts_and_the_best_of_figures_are_feasible(several: bool) -> None:
    def limited(trial: Trial) -> tuple[float, ...]:
        values = objective(trial)
        trial.set_constraint("x", 0.5 - trial.params["x"])
        return values[: 1 + several]

    study = optuna.create_study(
        directions=["minimize", "maximize"][: 1 + several],
        sampler=optuna.samplers.RandomSampler(seed=0),
    )
    study.optimize(limited, n_trials=12)
    study.sampler = searched(cost="price").sampler
    data = trade_off(study, objective=0, n_proposals=0)
    x = np.array([trial.params["x"] for trial in study.trials])
    assert data.front.tolist() == [int(np.where(x >= 0.5, x, 9.0).argmin())]
    figure = rl_convergence(study)
    search = study.sampler.inspect(study)  # type: ignore[attr-defined]
    scores = search.ensemble.mean(search.history.rows, search.weight)
    assert np.isclose(figure.best_trial, scores[x >= 0.5]).any()
    assert not np.isclose(figure.best_trial, scores[x < 0.5]).any()
