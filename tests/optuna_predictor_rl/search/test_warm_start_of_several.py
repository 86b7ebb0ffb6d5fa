"""Searches of several objectives as a start for another of as many."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.study import Study
from optuna.trial import Trial

from optuna_predictor_rl import PolicyConfig, PredictorConfig, PredictorRLSampler, Source
from optuna_predictor_rl.search.warm_start import WarmStart, with_weights

TINY = PredictorConfig(n_members=2, n_epochs=3)
POLICY = PolicyConfig(n_rounds=2, n_steps=2, batch_size=4)


def sampler(**options: Any) -> PredictorRLSampler:
    return PredictorRLSampler(
        predictor=TINY, policy=POLICY, **{"seed": 0, "n_startup_trials": 5, **options}
    )


def two(trial: Trial) -> tuple[float, float]:
    """The front is x in [0, 1] with y = 0."""
    x, y = trial.suggest_float("x", -2.0, 3.0), trial.suggest_float("y", -2.0, 2.0)
    return x**2 + y**2, (x - 1.0) ** 2 + y**2


def upside_down(trial: Trial) -> tuple[float, float]:
    first, second = two(trial)
    return 7.0 - 1e6 * first, second


def finished(of: Any = two, directions: Any = ("minimize", "minimize"), n: int = 60) -> Study:
    study = optuna.create_study(
        directions=directions, sampler=optuna.samplers.RandomSampler(seed=5)
    )
    study.optimize(of, n_trials=n)
    return study


def optimized(n_trials: int, **options: Any) -> Study:
    study = optuna.create_study(directions=["minimize"] * 2, sampler=sampler(**options))
    study.optimize(two, n_trials=n_trials)
    return study


def test_the_first_trials_are_on_the_sources_front() -> None:
    source = finished()
    front = [t.params for t in source.best_trials]
    first = [t.params for t in optimized(2, warm_start=source).trials]
    assert all(any(params == pytest.approx(best) for best in front) for params in first)


def test_a_source_predicts_the_next_trials_one_objective_by_the_same_weights() -> None:
    source = Source.of(finished(n=20))
    start, study = WarmStart(source, TINY), optimized(6)
    space = source.space
    weights = np.array([0.3, 0.7])
    predict = start.source_predictions(space, 1, study.directions, weights)
    assert predict is not None
    alone = Source(space, source.rows, with_weights(source, weights).labels)
    rows = space.random(9, np.random.default_rng(0))
    expected = alone.fit(TINY).predict(rows).mean
    assert predict(rows)[:, 0] == pytest.approx(expected)
    both = start.source_predictions(space, 2, study.directions)
    assert both is not None
    assert both(rows)[:, 0] == pytest.approx(source.fit(TINY).predict(rows).mean)


def test_a_source_of_the_same_search_teaches_its_predictor() -> None:
    warm, cold = optimized(8, warm_start=finished()), optimized(8)
    new = [{"x": x, "y": y} for x in np.linspace(-2, 3, 9) for y in (-1.5, 0.0, 1.5)]
    true = np.array([[p["x"] ** 2 + p["y"] ** 2, (p["x"] - 1) ** 2 + p["y"] ** 2] for p in new])
    errors = []
    for study in (warm, cold):
        asked = study.sampler
        assert isinstance(asked, PredictorRLSampler)
        same = optuna.create_study(directions=study.directions, sampler=asked)
        same.add_trials(cold.trials)  # what it has seen is the same, its start is not
        errors.append(np.abs(asked.predict(same, new).mean - true).mean())
    assert errors[0] < 0.8 * errors[1]


def test_directions_of_a_source_do_not_matter() -> None:
    down, up = finished(), finished(upside_down, ["maximize", "minimize"])
    found = [[t.params for t in optimized(4, warm_start=s).trials] for s in (down, up)]
    assert [list(p.values()) for p in found[0]] == [
        pytest.approx(list(p.values())) for p in found[1]
    ]


def test_a_resumed_study_with_a_source_goes_on_as_one_that_was_not_interrupted() -> None:
    source = finished(n=20)
    whole = optimized(8, warm_start=source)
    resumed = optimized(6, warm_start=source)
    resumed.sampler = sampler(warm_start=source)
    resumed.optimize(two, n_trials=2)
    assert [t.params for t in resumed.trials] == [t.params for t in whole.trials]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (lambda: finished(lambda t: two(t)[0], ["minimize"], 5), "got 1 in Source(n_trials=5"),
        (lambda: finished(lambda t: two(t)[0], ["minimize"], 5).trials, "got 1 in trial 0"),
        (
            lambda: finished(lambda t: (*two(t), 1.0), ["minimize"] * 3, 5),
            "got 3 in Source(n_trials=5, n_tasks=3, n_objectives=3",
        ),
    ],
)
def test_another_number_of_objectives_is_refused_before_the_first_trial(
    source: Any, found: str
) -> None:
    trained: list[int] = []

    def objective(trial: Trial) -> tuple[float, float]:
        values = two(trial)
        trained.append(trial.number)
        return values

    study = optuna.create_study(directions=["minimize"] * 2, sampler=sampler(warm_start=source()))
    message = "warm_start must have as many objectives as the study, which has 2, but "
    with pytest.raises(ValueError, match=re.escape(message + found)):
        study.optimize(objective, n_trials=1)
    assert trained == []


def test_several_objectives_do_not_start_a_study_of_one() -> None:
    study = optuna.create_study(sampler=sampler(warm_start=finished(n=5)))
    with pytest.raises(ValueError, match="which has 1, but got 2 in Source"):
        study.optimize(lambda trial: two(trial)[0], n_trials=1)


def test_a_file_keeps_the_number_of_objectives(tmp_path: Path) -> None:
    kept = Source.of(finished(n=5))
    kept.save(tmp_path / "two")
    assert Source.load(tmp_path / "two").n_objectives == kept.n_objectives == 2


@pytest.mark.parametrize("n_objectives", [0, 3])
def test_a_source_has_a_label_of_each_objective(n_objectives: int) -> None:
    kept = Source.of(finished(n=5))
    message = f"n_objectives must be from 1 to the number of labels, 2, but got {n_objectives}"
    with pytest.raises(ValueError, match=message):
        Source(kept.space, kept.rows, kept.labels, n_objectives)
