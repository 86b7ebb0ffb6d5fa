"""Other searches as a start: used where they agree, forgotten where they do not."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.samplers import RandomSampler
from optuna.study import Study, StudyDirection
from optuna.trial import Trial, TrialState, create_trial

from optuna_predictor_rl import PolicyConfig, PredictorConfig, PredictorRLSampler, Source
from optuna_predictor_rl.core.decisions import Numeric
from optuna_predictor_rl.core.space import SearchSpace
from optuna_predictor_rl.search.warm_start import WarmStart


def sampler(**options: Any) -> PredictorRLSampler:
    """A sampler whose suggestions cost little."""
    predictor = PredictorConfig(n_members=3, n_epochs=8)
    return PredictorRLSampler(
        predictor=predictor, policy=PolicyConfig(n_steps=4), **{"seed": 0, **options}
    )


def loss(x: float, y: float, kind: str) -> float:
    return (x - 0.8) ** 2 + (y - 0.2) ** 2 + 0.5 * (kind == "b") + 0.3 * (kind == "c")


def objective(trial: Trial) -> float:
    return loss(
        trial.suggest_float("x", 0.0, 1.0),
        trial.suggest_float("y", 0.0, 1.0),
        trial.suggest_categorical("kind", ["a", "b", "c"]),
    )


def finished(
    of: Callable[[Trial], float], n_trials: int = 30, direction: str = "minimize"
) -> Study:
    study = optuna.create_study(sampler=RandomSampler(seed=5), direction=direction)
    study.optimize(of, n_trials=n_trials)
    return study


def elsewhere(trial: Trial) -> float:
    """The same problem, maximized, in other units and ranges, a parameter more and one fewer."""
    x = trial.suggest_float("x", 0.1, 10.0, log=True)
    kind = trial.suggest_categorical("kind", ["c", "old", "a"])
    extra = trial.suggest_float("extra", 0.0, 1.0)
    worse = loss(x, 0.2, "b" if kind == "old" else kind) + 0.01 * extra
    return -1e6 * np.exp(worse)


def best_values(source: Any, n_trials: int = 12, seed: int = 0, **options: Any) -> list[float]:
    study = optuna.create_study(sampler=sampler(warm_start=source, seed=seed, **options))
    study.optimize(objective, n_trials=n_trials)
    return [trial.value or 0.0 for trial in study.trials]


def test_the_first_trials_are_the_best_of_the_source_and_differ() -> None:
    source = finished(objective)
    study = optuna.create_study(sampler=sampler(warm_start=[source]))
    study.optimize(objective, n_trials=5)
    order = sorted(source.trials, key=lambda trial: trial.value or 0.0)
    assert study.trials[0].params == order[0].params
    best = [trial.params for trial in order[:20]]
    chosen = [trial.params for trial in study.trials]
    assert all(any(p == pytest.approx(b) for b in best if b["kind"] == p["kind"]) for p in chosen)
    assert len({repr(p) for p in chosen}) == 5


def test_parallel_first_trials_differ() -> None:
    study = optuna.create_study(sampler=sampler(warm_start=[finished(objective)]))
    trials = [study.ask() for _ in range(4)]
    for trial in trials:
        objective(trial)
    assert len({repr(trial.params) for trial in trials}) == 4


def test_a_source_in_other_units_ranges_and_direction_helps() -> None:
    source = finished(elsewhere, direction="maximize")
    warm = [min(best_values([source], 6, seed)) for seed in range(3)]
    cold = [min(best_values([], 6, seed)) for seed in range(3)]
    assert np.mean(warm) < 0.7 * np.mean(cold)


@pytest.mark.parametrize("given", [lambda s: [s], lambda s: s.trials, lambda s: [Source.of(s)]])
def test_studies_trials_and_sources_are_the_same_start(given: Callable[[Study], Any]) -> None:
    source = finished(objective, 15)
    assert best_values(given(source), 10) == best_values([source], 10)


def test_a_stored_source_is_the_same_start(tmp_path: Path) -> None:
    source = finished(objective, 15)
    Source.of(source).save(tmp_path / "search.npz")
    assert best_values([Source.load(tmp_path / "search.npz")], 10) == best_values([source], 10)


@pytest.mark.parametrize("make", [lambda v, _: -v, lambda _, rng: rng.random()])
def test_a_source_that_misleads_is_forgotten(make: Callable[..., float]) -> None:
    rng = np.random.default_rng(0)
    misleading = finished(lambda trial: make(objective(trial), rng))
    assert min(best_values([misleading], 30)) < 0.02


def test_several_sources_are_tried_in_turns_and_a_bad_one_does_no_harm() -> None:
    good, bad = finished(objective), finished(lambda trial: -objective(trial))
    found = best_values([bad, good], 20)
    assert min(found[:2]) < 0.3 < max(found[:2])
    assert min(found) < 0.02


def test_a_source_s_other_decisions_are_expected_to_be_as_in_its_best_trial() -> None:
    x, extra = (Numeric(name=name, low=0.0, high=1.0) for name in ("x", "extra"))
    rows = np.random.default_rng(0).random((12, 2))
    rows[7] = 0.3, 0.9
    labels = np.abs(rows - rows[7]).sum(1, keepdims=True)
    source, config = Source(SearchSpace((x, extra)), rows, labels), PredictorConfig(n_epochs=8)
    predictions = WarmStart([source], config).source_predictions(
        SearchSpace((x,)), 1, [StudyDirection.MINIMIZE]
    )
    assert predictions is not None
    expected = source.fit(config).predict(np.array([[0.1, 0.9], [0.8, 0.9]])).mean
    assert predictions(np.array([[0.1], [0.8]]))[:, 0] == pytest.approx(expected)


def test_the_source_is_read_when_the_sampler_is_made_and_survives_pickling() -> None:
    source = finished(objective, 15)
    made = sampler(warm_start=[source])
    copied = pickle.loads(pickle.dumps(made))
    source.optimize(objective, n_trials=5)
    found = []
    for each in (made, copied):
        study = optuna.create_study(sampler=each)
        study.optimize(objective, n_trials=10)
        found.append([trial.params for trial in study.trials])
    assert found[0] == found[1]


@pytest.mark.parametrize("cost", [None, "flops"])
def test_a_source_goes_with_a_cost_that_it_does_not_have(cost: str | None) -> None:
    def priced(trial: Trial) -> float:
        value = objective(trial)
        trial.set_user_attr("flops", trial.params["x"])
        return value

    made = sampler(warm_start=[finished(objective, 15)], cost=cost)
    study = optuna.create_study(sampler=made)
    study.optimize(priced, n_trials=10)
    assert len(made.recommend(study, 2)) == 2


def test_a_study_without_values_is_no_start() -> None:
    with pytest.raises(ValueError, match="study must have finished trials"):
        sampler(warm_start=[optuna.create_study()])


@pytest.mark.parametrize("state", [TrialState.FAIL, TrialState.WAITING, TrialState.COMPLETE])
def test_trials_without_parameters_or_an_end_are_no_start(state: TrialState) -> None:
    trial = create_trial(state=state, value=1.0 if state == TrialState.COMPLETE else None)
    with pytest.raises(ValueError, match="warm_start must hold finished trials with parameters"):
        sampler(warm_start=trial)


def test_one_study_source_or_trial_is_a_start_as_a_list_of_it_is() -> None:
    study = finished(objective, n_trials=8)
    for given in (study, Source.of(study), study.trials[0]):
        assert best_values(given, n_trials=3) == best_values([given], n_trials=3)
