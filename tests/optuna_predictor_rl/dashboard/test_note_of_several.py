"""The note on a study with several objectives."""

import math
from typing import Any

import optuna
import pytest
from markdown_it import MarkdownIt
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.study import Study
from optuna.trial import create_trial

from optuna_predictor_rl.dashboard.figures import Source
from optuna_predictor_rl.dashboard.note import state_of_the_search
from tests.optuna_predictor_rl.dashboard.studies import tiny

SPACE: dict[str, BaseDistribution] = {"x": FloatDistribution(-1.0, 2.0)}


def study_of(rows: list[tuple[float, float, float]], limit: float | None = None) -> Study:
    """A study of trials at x with two values; feasible where x is at most the limit."""
    study = optuna.create_study(directions=["minimize", "maximize"], sampler=tiny())
    for x, *values in rows:
        constraints = None if limit is None else {"c": x - limit}
        study.add_trial(
            create_trial(
                params={"x": x}, distributions=SPACE, values=values, constraints=constraints
            )
        )
    return study


def note(study: Study) -> str:
    return state_of_the_search(Source(study, study.sampler, None))  # type: ignore[arg-type]


ROWS = [(0.1, 1.0, 1.0), (0.2, 2.0, 4.0), (0.3, 3.0, 5.0), (0.4, 3.0, 4.5)]


def test_it_shows_the_front_with_a_line_for_each_objective() -> None:
    text = note(study_of(ROWS))
    assert "**Front.** 3 of 4 complete trials are on the Pareto front. Along it" in text
    assert "- `objective 0` (lower is better) is 1 (trial 0) to 3 (trial 2)." in text
    assert "- `objective 1` (higher is better) is 5 (trial 2) to 1 (trial 0)." in text
    # shares of the front: (0, 1), (1/2, 1/4), (1, 0): the middle is the compromise
    first = "They are, the best compromise first:\n\n- trial 1 has `objective 0` 2"
    assert first in text
    assert "trial 3 has" not in text


def test_only_feasible_trials_are_on_the_front() -> None:
    text = note(study_of(ROWS, limit=0.15))
    assert "1 of 4 complete trials are on the Pareto front, and 1 satisfy all constraints" in text
    assert "It is:\n\n- trial 0 has" in text
    assert "None of the 4 complete trials satisfies all constraints" in note(study_of(ROWS, 0.0))


def test_a_study_of_one_objective_without_a_feasible_trial_says_so() -> None:
    study = optuna.create_study(sampler=tiny())
    study.add_trial(
        create_trial(params={"x": 0.0}, distributions=SPACE, value=1.0, constraints={"c": 1.0})
    )
    assert "**Best.** None of the 1 complete trials satisfies all constraints yet." in note(study)


def test_an_empty_study_has_no_front_yet() -> None:
    assert "**Front.** No trial has a value yet." in note(study_of([]))


def test_infinite_values_and_names_that_are_markup_are_shown_as_they_are() -> None:
    study = study_of([(0.1, -math.inf, 1.0), (0.2, 1.0, math.inf)])
    study.set_metric_names(["<b>a</b>", "b`|c"])
    html = MarkdownIt().render(note(study))
    assert "<b>" not in html
    assert "inf" in html


def test_a_long_front_is_shown_by_a_few_trials_that_are_spread_along_it() -> None:
    rows = [(i / 10, float(i), float(i)) for i in range(11)]
    text = note(study_of(rows))
    assert "11 of 11 complete trials" in text
    assert "5 that are spread along it are, the best compromise first:" in text
    shown = [i for i in range(11) if f"trial {i} has" in text]
    assert len(shown) == 5
    assert {0, 5, 10} < set(shown)


def test_ends_at_which_all_of_the_front_lies_are_pointed_out() -> None:
    at_end = study_of([(2.0, 1.0, 1.0), (1.99, 2.0, 2.0)])
    assert "The best `x` lies at the upper end of its range (2)" in note(at_end)
    assert "range" not in note(study_of([(2.0, 1.0, 1.0), (0.0, 2.0, 2.0)]))


def test_it_says_what_the_predictor_thinks_of_each_objective() -> None:
    def two(trial: Any) -> tuple[float, float]:
        x = trial.suggest_float("x", -1.0, 2.0)
        return x**2, -((x - 1.0) ** 2)

    study = optuna.create_study(
        directions=["minimize", "maximize"], sampler=optuna.samplers.RandomSampler(seed=0)
    )
    study.optimize(two, n_trials=15)
    study.sampler = tiny()
    text = note(study)
    assert "with Kendall's tau " in text
    assert " by `objective 0`, " in text
    assert " by `objective 1` (1 is perfect" in text
    assert "1. `x` " in text
    assert "(expected: `objective 0` " in text


@pytest.mark.parametrize("n", [2, 3])
def test_a_young_study_of_several_objectives_has_a_note(n: int) -> None:
    study = optuna.create_study(directions=["minimize"] * n, sampler=tiny())
    study.optimize(lambda trial: [trial.suggest_float("x", 0.0, 1.0)] * n, n_trials=2)
    assert "1 of 2 complete trials are on the Pareto front" in note(study)


def test_constraints_of_a_function_and_constraints_that_are_set_have_the_same_note() -> None:
    of_a_function = study_of([])  # as Optuna's samplers store them
    for x, *values in ROWS:
        stored = {"constraints": (x - 0.25,)}
        of_a_function.add_trial(
            create_trial(params={"x": x}, distributions=SPACE, values=values, system_attrs=stored)
        )
    assert "2 satisfy all constraints" in note(of_a_function)
    assert note(of_a_function) == note(study_of(ROWS, limit=0.25))
