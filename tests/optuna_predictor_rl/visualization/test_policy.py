import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import create_trial

from optuna_predictor_rl import PolicyConfig
from optuna_predictor_rl.core.decisions import Categorical, Numeric
from optuna_predictor_rl.core.policy.factorized import Grid
from optuna_predictor_rl.core.space import SearchSpace
from optuna_predictor_rl.visualization import plot_policy_probabilities, policy_probabilities
from optuna_predictor_rl.visualization.options import option_names
from tests.optuna_predictor_rl.visualization.searches import searched, small_sampler

GRID = Grid(
    SearchSpace(
        (
            Categorical(name="kind", choices=("plain", None, "a very long name of a choice")),
            Numeric(name="layers", low=1.0, high=3.0, step=1.0, integer=True),
            Numeric(name="rate", low=1e-4, high=1.0, log=True),
            Numeric(name="width", low=0.0, high=1000.0, step=1.0, integer=True),
        )
    ),
    n_bins=8,
)


def test_options_are_named_by_what_they_decode_to() -> None:
    options = np.stack([np.arange(8) % n for n in GRID.n_options], axis=1)
    rng = np.random.default_rng(0)
    names = [option_names(GRID, j) for j in range(4)]
    assert names[0] == ["plain", "None", "a very long name of a choice"]
    assert [len(n) for n in names] == GRID.n_options.tolist()
    for _ in range(20):
        for chosen, config in zip(
            options, GRID.space.configurations(GRID.rows(options, rng)), strict=True
        ):
            assert names[1][chosen[1]] == str(config["layers"])
            for j in (2, 3):
                low, high = map(float, names[j][chosen[j]].split(" to "))
                assert low * 0.99 <= config[GRID.space.decisions[j].name] <= high * 1.01 + 1


def test_an_axis_names_a_few_options_in_a_few_characters() -> None:
    study = optuna.create_study(sampler=small_sampler())
    space = {
        "n": IntDistribution(1, 3),
        "rate": FloatDistribution(1e-6, 1.0, log=True),
        "gradient_boosting.learning_rate": CategoricalDistribution(("a long name", "b" * 99, "c")),
    }
    for i in range(4):
        choice = space["gradient_boosting.learning_rate"].choices[i % 3]
        params = {"n": i % 3 + 1, "rate": 0.1**i, "gradient_boosting.learning_rate": choice}
        study.add_trial(create_trial(params=params, distributions=space, value=float(i)))
    figure = plot_policy_probabilities(study)
    by_title = dict(zip([a.text for a in figure.layout.annotations], range(3), strict=True))
    assert sorted(by_title) == ["gradient_boo…arning_rate", "n", "rate"]
    for trace in figure.data:
        axis = figure.layout[trace.yaxis.replace("y", "yaxis")]
        assert len(axis.tickvals) <= 6
        assert set(axis.tickvals) <= set(trace.y)
        assert max(len(text) for text in axis.ticktext) <= 10
    n = figure.data[by_title["n"]]
    axis = figure.layout[n.yaxis.replace("y", "yaxis")]
    assert list(axis.tickvals) == list(axis.ticktext) == ["1", "2", "3"]
    rate = figure.layout[figure.data[by_title["rate"]].yaxis.replace("y", "yaxis")]
    for tick, option in zip(rate.ticktext, rate.tickvals, strict=True):
        low, high = map(float, option.split(" to "))
        assert low < float(tick) < high


def test_the_lowest_panel_of_each_column_has_the_steps() -> None:
    space = {f"x{i}": FloatDistribution(0.0, 1.0) for i in range(4)}
    study = optuna.create_study(sampler=small_sampler())
    for i in range(4):
        params = dict.fromkeys(space, i / 4)
        study.add_trial(create_trial(params=params, distributions=space, value=float(i)))
    layout = plot_policy_probabilities(study).layout
    shown = [layout[f"xaxis{i}"].showticklabels for i in ("", 2, 3, 4)]
    assert shown == [False, True, True, True]


def test_choices_that_read_the_same_are_told_apart() -> None:
    grid = Grid(SearchSpace((Categorical(name="c", choices=("1", 1)),)))
    assert option_names(grid, 0) == ["1 (0)", "1 (1)"]


def test_probabilities_are_the_rounds_mean_and_add_up_to_one() -> None:
    study = searched()
    trace = small_sampler().inspect(study).candidates.trace
    every, one = policy_probabilities(study), policy_probabilities(study, search_round=1)
    assert (every.n_rounds, one.n_rounds) == (2, 1)
    assert [d.name for d in every.decisions] == ["x", "y", "kind"]
    for j, decision in enumerate(every.decisions):
        n = len(decision.options)
        assert decision.probability.sum(1) == pytest.approx(np.ones(4))
        for s in range(4):
            first, second = trace.probabilities[s, :, j, :n]
            assert decision.probability[s] == pytest.approx((first + second) / 2)
            assert one.decisions[j].probability[s] == pytest.approx(second)


def test_decidedness_is_none_for_a_uniform_policy_and_full_for_a_fixed_one() -> None:
    kind = policy_probabilities(searched()).decisions[2]
    for last, expected in (([0.5, 0.5], 0.0), ([1.0, 0.0], 1.0)):
        kind.probability[-1] = last
        assert kind.decidedness == pytest.approx(expected)


def test_the_most_decided_decisions_are_drawn_if_there_are_too_many() -> None:
    study = searched(policy=PolicyConfig(n_rounds=1, n_steps=30, batch_size=8))
    decided = {d.name: d.decidedness for d in policy_probabilities(study).decisions}
    figure = plot_policy_probabilities(study, max_decisions=2)
    drawn = [a.text for a in figure.layout.annotations]
    assert drawn == [name for name in decided if name in sorted(decided, key=decided.get)[1:]]
    assert "1 less decided" in figure.layout.title.subtitle.text


def test_a_round_that_there_was_not_is_refused() -> None:
    study = searched(3)
    with pytest.raises(ValueError, match=r"search_round must be below 2, but got 2"):
        policy_probabilities(study, search_round=2)
    with pytest.raises(ValueError, match="max_decisions must be at least 1, but got 0"):
        plot_policy_probabilities(study, max_decisions=0)
