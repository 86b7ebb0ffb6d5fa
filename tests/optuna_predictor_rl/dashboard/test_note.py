"""The note says what is so, in plain words."""

import math

import optuna
import pytest
from optuna.distributions import FloatDistribution
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
    """A study of complete trials whose parameter is their value."""
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


@pytest.mark.parametrize(
    ("study", "end"),
    [
        (finished([0.5, 0.01]), "lower"),
        (finished([0.991, 0.999]), "upper"),
        (finished([1e-6, 1e-3], low=1e-6, log=True), "lower"),
    ],
)
def test_a_best_value_at_the_end_of_a_range_is_pointed_out(study: optuna.Study, end: str) -> None:
    assert f"The best `x` lies at the {end} end of its range" in note(study)


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
    assert "No trial has a value yet" in note(study)
