from collections.abc import Sequence

import numpy as np
import pytest
from optuna.study import Study

from optuna_predictor_rl.data.costs import KnownCost
from optuna_predictor_rl.visualization import plot_trade_off, trade_off
from tests.optuna_predictor_rl.trials import study_of, trial
from tests.optuna_predictor_rl.visualization.searches import (
    add_stopped,
    cost_of,
    searched,
    small_sampler,
)

PRICED = {"cost": "price", "cost_weight": (0.0, 0.5), "n_startup_trials": 4}


def study_at(values: Sequence[float], prices: Sequence[float]) -> Study:
    places = np.linspace(0.0, 1.0, len(values)).tolist()
    trials = [trial(x, v, price=p) for x, v, p in zip(places, values, prices, strict=True)]
    return study_of(*trials, sampler=small_sampler(**PRICED))


def test_the_front_is_what_no_other_point_beats() -> None:
    first, second = (np.random.default_rng(0).integers(0, 12, (2, 60)) * 1.0).tolist()
    points = list(zip(first, second, strict=True))
    unbeaten = {
        (a, b)
        for a, b in points
        if not any(c <= a and d <= b and (c, d) != (a, b) for c, d in points)
    }
    front = trade_off(study_at(second, first), n_proposals=0).front
    assert [points[i] for i in front] == sorted(unbeaten)
    assert front.tolist() == [points.index(point) for point in sorted(unbeaten)]


def test_trials_stand_at_their_value_and_cost_under_their_weight() -> None:
    study = searched(**PRICED)
    data = trade_off(study, n_proposals=0)
    assert data.numbers.tolist() == list(range(12))
    assert data.value.tolist() == [t.value for t in study.trials]
    assert data.cost.tolist() == [t.user_attrs["price"] for t in study.trials]
    assert np.isnan(data.cost_weight[:4]).all()
    assert data.cost_weight[4:].tolist() == [0.0, 0.5] * 4
    assert data.full.all()
    assert data.proposals == []


def test_an_enqueued_trial_was_not_searched() -> None:
    study = searched(n_trials=6, cost=cost_of, cost_weight=0.5, n_startup_trials=4)
    study.enqueue_trial({"x": 0.5, "y": 0.5, "kind": "plain"})
    study.optimize(lambda t: t.suggest_float("x", 0, 1) + t.suggest_float("y", 0, 1), n_trials=1)
    assert np.isnan(trade_off(study, n_proposals=0).cost_weight[6])


def test_a_maximized_study_keeps_its_values_and_mirrors_its_front() -> None:
    low, high = (
        trade_off(searched(direction=d, **PRICED), n_proposals=3) for d in ("minimize", "maximize")
    )
    assert high.value == pytest.approx(-low.value)
    assert high.front.tolist() == low.front.tolist()
    for up, down in zip(high.proposals, low.proposals, strict=True):
        assert up.value == pytest.approx(-down.value)
        assert up.cost == pytest.approx(down.cost)


def test_proposals_are_the_best_untried_rows_of_a_search_under_each_weight() -> None:
    study = searched(n_trials=16, **PRICED)
    data = trade_off(study, cost_weights=(0.0, 0.9), n_proposals=5)
    assert [p.cost_weight for p in data.proposals] == [0.0, 0.9]
    for proposal in data.proposals:
        found = small_sampler(**PRICED).inspect(study, cost_weight=proposal.cost_weight)
        assert found.weight == pytest.approx([1 - proposal.cost_weight, proposal.cost_weight])
        predicted = small_sampler(**PRICED).predict(
            study, found.history.space.configurations(found.rows[:5])
        )
        assert proposal.value == pytest.approx(predicted.mean)
        assert predicted.cost_mean is not None
        assert proposal.cost == pytest.approx(predicted.cost_mean)


def test_the_figure_names_cost_value_and_weights() -> None:
    figure = plot_trade_off(searched(**PRICED))
    assert figure.layout.xaxis.title.text == "price (lower is better)"
    assert figure.layout.yaxis.title.text == "Value (lower is better)"
    names = [trace.name for trace in figure.data]
    assert names == [
        "Pareto front", "not searched", "cost weight 0", "cost weight 0.5", "proposals, 0",
        "proposals, 0.5",
    ]  # fmt: skip


def test_stopped_trials_are_open_and_the_legend_says_so() -> None:
    study = searched(5, **PRICED)
    names = [trace.name for trace in plot_trade_off(study, n_proposals=0).data]
    assert "stopped early" not in names
    add_stopped(study, **{"price": 1.0, "predictor_rl:low_fidelity_label": 2.0})
    figure = plot_trade_off(study, n_proposals=0)
    for trace in figure.data[1:]:
        is_open = trace.marker.symbol.endswith("-open")
        assert trace.showlegend is not (is_open and trace.name != "stopped early")
    assert [t.name for t in figure.data if t.showlegend is not False][-1] == "stopped early"
    assert "Open: stopped early" in figure.layout.title.subtitle.text


def test_every_tick_of_a_logarithmic_cost_is_written_out() -> None:
    study = study_at([0.0, 1.0, 2.0], [5e4, 3e5, 2e6])
    axis = plot_trade_off(study, n_proposals=0).layout.xaxis
    assert axis.type == "log"
    assert axis.dtick is None
    assert list(axis.tickvals) == pytest.approx([5e4, 1e5, 2e5, 5e5, 1e6, 2e6])
    assert axis.tickformat == "~s"  # 50k to 2M


def test_a_sampler_without_a_cost_is_refused() -> None:
    with pytest.raises(ValueError, match=r"sampler must have a cost .* but got cost=None"):
        trade_off(searched(n_trials=3))
    with pytest.raises(ValueError, match="n_proposals must not be negative, but got -1"):
        trade_off(searched(n_trials=3, **PRICED), n_proposals=-1)
    with pytest.raises(ValueError, match=r"cost_weights must be in \[0, 1\], but got 2"):
        trade_off(searched(n_trials=3, **PRICED), cost_weights=(2.0,))


def test_proposals_have_the_cost_that_is_known_of_their_parameters() -> None:
    cost = KnownCost(lambda params: params["x"] + 2.0 * params["y"])
    options = {"cost": cost, "cost_weight": 0.3, "n_startup_trials": 4}
    study = searched(**options)
    data = trade_off(study, n_proposals=4)
    assert data.cost.tolist() == [t.params["x"] + 2.0 * t.params["y"] for t in study.trials]
    found = small_sampler(**options).inspect(study, cost_weight=0.3)
    configurations = found.history.space.configurations(found.rows[:4])
    assert data.proposals[0].cost.tolist() == [c["x"] + 2.0 * c["y"] for c in configurations]
