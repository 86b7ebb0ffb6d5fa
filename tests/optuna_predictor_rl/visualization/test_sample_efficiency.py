from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from optuna.study import Study
from optuna.trial import TrialState

from optuna_predictor_rl.visualization import plot_sample_efficiency, sample_efficiency
from tests.optuna_predictor_rl.comparison.searches import ended
from tests.optuna_predictor_rl.trials import study_of, trial


def compared(trials: Sequence[tuple[str, float | None]], direction: str = "minimize") -> Study:
    """Return a study of trials, of which those without a value are pruned."""
    states = [TrialState.PRUNED if v is None else TrialState.COMPLETE for _, v in trials]
    made = [ended(*each, state) for each, state in zip(trials, states, strict=True)]
    return study_of(*made, direction=direction)


SHARED = [("shared", 2.0), ("shared", 3.0), ("shared", 1.0)]


def gains(curves: Any) -> dict[str, list[float]]:
    return {curve.name: curve.mean.tolist() for curve in curves}


def test_a_curve_goes_on_from_the_shared_best_and_never_gets_worse() -> None:
    own = [("a", 1.5), ("b", 0.5), ("a", 0.8), ("b", None), ("a", 4.0)]
    shared, a, b = sample_efficiency(compared(SHARED + own))
    assert gains([shared, a, b]) == {
        "shared": [0.0, 0.0, -50.0],
        "a": pytest.approx([-50.0, -50.0, -60.0, -60.0]),
        "b": [-50.0, -75.0, -75.0],
    }
    assert a.trials.tolist() == [3, 4, 5, 6]
    assert shared.trials.tolist() == [1, 2, 3]


def test_with_maximize_the_highest_so_far_is_kept() -> None:
    curves = sample_efficiency(compared([*SHARED, ("a", 4.0)], "maximize"))
    assert gains(curves) == {"shared": [0.0, 50.0, 50.0], "a": [50.0, 100.0]}


def test_gains_in_percent_can_be_shown_as_they_are() -> None:
    curves = sample_efficiency(compared([*SHARED, ("a", -2.0)]), values_are_gains=True)
    np.testing.assert_allclose(curves[1].mean, [1.0, -2.0])


def test_seeds_are_averaged_as_far_as_all_have_come() -> None:
    first = compared([*SHARED, ("a", 0.5), ("a", 0.4)])
    second = compared([*SHARED, ("a", 0.9)])
    _, a = sample_efficiency([first, second])
    assert a.gains.tolist() == [[-50.0, -75.0], pytest.approx([-50.0, -55.0])]
    np.testing.assert_allclose(a.error[1], 10.0)  # half the difference of two


def test_without_shared_trials_curves_start_at_the_first_trial() -> None:
    _, a = sample_efficiency(compared([("a", 3.0), ("a", 1.0)]), baseline=2.0)
    assert a.trials.tolist() == [1, 2]
    assert a.mean.tolist() == [50.0, -50.0]


def test_the_figure_says_what_it_shows() -> None:
    figure = plot_sample_efficiency(
        [compared([*SHARED, ("a", 0.5)]), compared([*SHARED, ("a", 0.9)])], value_name="NE"
    )
    assert (
        figure.layout.title.text
        == "Sample efficiency of searchers (2 seeds, mean ± standard error)"
    )
    assert figure.layout.yaxis.title.text == "Best NE gain so far, % (negative is better)"
    assert figure.layout.xaxis.title.text == "Trials of a searcher, the shared ones included"
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert [line.name for line in lines] == ["shared: -50.00 %", "a: -65.00 %"]
    assert lines[1].line.dash != lines[0].line.dash or lines[1].line.color != lines[0].line.color
    assert figure.layout.annotations[0].text == "3 shared trials"
    assert len(figure.to_json()) < 20_000
    one = plot_sample_efficiency(compared([*SHARED, ("a", 0.5)], "maximize"))
    assert "(1 seed)" in one.layout.title.text
    assert "(positive is better)" in one.layout.yaxis.title.text


def test_an_ordinary_study_has_no_shared_trials() -> None:
    study = study_of(*(trial(value=value) for value in (2.0, 3.0, 1.0)))
    figure = plot_sample_efficiency(study)
    assert [trace.name for trace in figure.data] == ["best so far: -50.00 %"]
    assert not figure.layout.annotations
    assert not figure.layout.shapes
    assert figure.layout.title.text == "Best gain so far"
    assert figure.layout.title.subtitle.text == "Over the first complete trial's value"
    assert figure.layout.xaxis.title.text == "Trial"
    assert "shared" not in figure.to_json()
    over = plot_sample_efficiency([study, study], baseline=4.0)
    assert over.layout.title.subtitle.text == "Over 4"
    assert "2 studies" in over.layout.title.text


@pytest.mark.parametrize(
    ("trials", "message"),
    [([], "baseline must be .* but got nan"), ([("shared", 0.0)], "baseline must be .* got 0.0")],
)
def test_gains_need_a_baseline(trials: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sample_efficiency(compared(trials))
