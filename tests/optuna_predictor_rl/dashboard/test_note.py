"""The note describes the state of a study in plain words."""

import math

import optuna
import pytest
from markdown_it import MarkdownIt
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import Trial, TrialState, create_trial

from optuna_predictor_rl import LowFidelityPruner
from optuna_predictor_rl.dashboard import publish
from optuna_predictor_rl.dashboard.figures import Source
from optuna_predictor_rl.dashboard.note import state_of_the_search
from tests.optuna_predictor_rl.dashboard.studies import searched, tiny


@pytest.fixture(scope="module")
def trainings() -> optuna.Study:
    return searched(20)


def note(study: optuna.Study) -> str:
    sampler = study.sampler if isinstance(study.sampler, type(tiny())) else None
    pruner = study.pruner if isinstance(study.pruner, LowFidelityPruner) else None
    return state_of_the_search(Source(study, sampler, pruner))


def finished(values: list[float], *, low: float = 0.0, log: bool = False) -> optuna.Study:
    """Return a study of complete trials whose parameter is their value."""
    study = optuna.create_study(sampler=tiny())
    space = {"x": FloatDistribution(low, 1.0, log=log)}
    for value in values:
        study.add_trial(create_trial(params={"x": value}, distributions=space, value=value))
    return study


def test_an_empty_study_has_nothing_to_say() -> None:
    text = note(optuna.create_study(sampler=tiny()))
    assert "**Trials.** None yet." in text
    assert "No trial has a value yet." in text


def test_it_counts_trials_and_names_the_best() -> None:
    study = finished([0.5, 0.25, 0.75])
    study.add_trial(create_trial(state=TrialState.FAIL))
    study.ask()
    text = note(study)
    assert "**Trials.** 5: 3 complete, 1 failed, 1 running." in text
    assert "0.25 (lower is better), trial 1: `x` 0.25. 1 trials have ended since." in text


def test_it_tells_the_cutoff_and_what_it_saved(trainings: optuna.Study) -> None:
    study = trainings
    rule = study.pruner.rule(study)  # type: ignore[attr-defined]
    curves = [t for t in study.trials if t.intermediate_values]
    spent = sum(len(t.intermediate_values) for t in curves)
    text = note(study)
    assert f"Training stops at step {rule.cutoff:g} of 8" in text
    assert f"has saved {1 - spent / (8 * len(curves)):.0%} of all steps" in text


def test_it_tells_how_the_predictor_ranks_and_what_comes_next(trainings: optuna.Study) -> None:
    text = note(trainings)
    assert "Kendall's tau" in text.split("**Predictor.**")[1]
    assert "\n1. `lr`" in text


def test_candidates_that_are_named_differ_by_more_than_a_little() -> None:
    study = optuna.create_study(sampler=tiny())
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=20)
    text = note(study).split("**Next.**")[1].split("**What")[0]
    named = [
        float(line.split()[-1]) for line in text.splitlines() if line[:2] in ("1.", "2.", "3.")
    ]
    assert len(named) >= 2
    assert min(abs(a - b) for i, a in enumerate(named) for b in named[:i]) > 0.0499


FLOAT, INT = FloatDistribution, IntDistribution
EDGES: list[tuple[BaseDistribution, float, str | None]] = [
    (FLOAT(-1.0, 1.0), -0.98, "lower end of its range (-1): try lower values, if they make sense"),
    (FLOAT(-1.0, 1.0), 0.99, "upper end of its range (1): try higher values"),
    (FLOAT(-1.0, 0.0), 0.0, "upper"),
    (FLOAT(1e-5, 1.0, log=True), 1.1e-5, "lower end of its range (1e-05)"),
    (FLOAT(1e-5, 1.0, log=True), 1.0, "upper"),
    (FLOAT(0.1, 0.5), 0.1, "lower"),
    (FLOAT(0.0, 0.5), 0.5, "upper"),
    (FLOAT(0.0, 0.5), 0.0, None),  # a dropout of less than nothing
    (FLOAT(0.5, 1.0), 1.0, None),  # more than all rows
    (INT(1, 3), 1, None),  # fewer layers than one
    (INT(0, 30), 0, None),
    (INT(1, 512, log=True), 1, None),
    (INT(1, 9, step=2), 1, None),
    (INT(1, 3), 3, "upper end of its range (3)"),
    (INT(16, 256, log=True), 16, "lower"),
    (INT(-3, 3), -3, "lower"),
    (INT(0, 1), 1, None),  # a switch
    (INT(1, 3), 2, None),
    (INT(2, 2), 2, None),
]


@pytest.mark.parametrize(("space", "value", "hint"), EDGES)
def test_a_best_value_at_the_end_of_a_range_is_pointed_out_where_the_range_could_go_on(
    space: BaseDistribution, value: float, hint: str | None
) -> None:
    study = optuna.create_study(sampler=tiny())
    study.add_trial(create_trial(params={"x": value}, distributions={"x": space}, value=0.0))
    text = note(study)
    if hint is None:
        assert "of its range" not in text
    else:
        assert f"The best `x` lies at the {hint}" in text


def test_what_users_name_things_is_no_markup() -> None:
    names = ["a`b", "", "a\nb", "\n\n# b", "a`<img src=x>`b", "z" * 2000]
    values = ["<unk>", "*x*", "![](http://host/pixel.png)", "y" * 2000, "\n\n- a", " "]
    study = optuna.create_study(sampler=tiny())
    params: dict[str, str | float] = dict(zip(names, values, strict=True))
    space: dict[str, BaseDistribution] = {
        n: CategoricalDistribution((params[n], 1)) for n in names
    }
    numbers = [f"*{name}*" for name in names]
    params |= dict.fromkeys(numbers, -1.0)
    space |= dict.fromkeys(numbers, FloatDistribution(-1.0, 1.0))
    study.add_trial(create_trial(params=params, distributions=space, value=0.0))
    parsed = MarkdownIt("gfm-like", {"linkify": False}).parse(note(study))
    assert {token.type for token in parsed if token.nesting == 1} == {
        "heading_open", "paragraph_open", "bullet_list_open", "list_item_open",
    }  # fmt: skip
    inline = [child for token in parsed for child in token.children or []]
    assert {t.type for t in inline} == {"text", "strong_open", "strong_close", "code_inline"}
    assert "".join(t.content for t in inline if t.type == "strong_open") == ""
    shown = [t.content for t in inline if t.type == "code_inline"]
    assert max(map(len, shown)) == 60
    assert shown[:6] == ["a`b", "<unk>", '""', "*x*", "a\\nb", "![](http://host/pixel.png)"]
    assert sum(t.content.count("z") for t in inline if t.type == "text") == 0


def test_a_small_value_inside_of_a_logarithmic_range_is_not_pointed_out() -> None:
    assert "end of its range" not in note(finished([1e-3, 0.1], low=1e-6, log=True))


def test_many_failures_are_pointed_out() -> None:
    study = finished([0.5, 0.4])
    study.add_trial(create_trial(state=TrialState.FAIL))
    assert "1 of 3 trials failed" in note(study)


def test_stopped_trials_with_better_labels_are_to_be_trained_to_the_end() -> None:
    study = finished([0.5, 0.4])
    study.add_trial(
        create_trial(
            state=TrialState.PRUNED, params={"x": 0.3}, value=0.6, intermediate_values={1: 0.6},
            distributions={"x": FloatDistribution(0.0, 1.0)},
            user_attrs={"predictor_rl:low_fidelity_label": 0.3},
        )
    )  # fmt: skip
    assert "Trials 2 were stopped early and are labelled among the best" in note(study)


def test_a_predictor_that_hardly_ranks_is_pointed_out() -> None:
    def noise(trial: Trial) -> float:
        return math.sin(1e7 * trial.suggest_float("x", 0, 1))

    study = optuna.create_study(sampler=tiny())
    study.optimize(noise, n_trials=40)
    assert "hardly ranks" in note(study)


def test_a_study_without_a_feasible_trial_has_no_best() -> None:
    def infeasible(trial: Trial) -> float:
        trial.set_constraint("budget", 1.0)
        return trial.suggest_float("x", 0, 1)

    study = optuna.create_study(sampler=tiny())
    study.optimize(infeasible, n_trials=3)
    assert publish(study) == ["note"]
    assert "None of the 3 complete trials satisfies all constraints yet" in note(study)
