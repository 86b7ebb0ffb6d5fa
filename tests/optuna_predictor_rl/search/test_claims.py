"""Workers that ask at the same time are given different configurations."""

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.study import Study
from optuna.trial import Trial

from optuna_predictor_rl.core.space import Rows
from optuna_predictor_rl.data.history import History
from optuna_predictor_rl.search.claims import Planner
from optuna_predictor_rl.study import storage
from tests.optuna_predictor_rl.search.samplers import tiny

N_WORKERS = 8


def coarse(trial: Trial) -> float:
    x, y = trial.suggest_int("x", 0, 9), trial.suggest_int("y", 0, 9)
    return float((x - 3) ** 2 + (y - 6) ** 2)


def fine(trial: Trial) -> float:
    x, y = trial.suggest_float("x", 0.0, 1.0), trial.suggest_float("y", 0.0, 1.0)
    return (x - 0.3) ** 2 + (y - 0.6) ** 2


def asked_at_once(
    objective: Callable[[Trial], float], monkeypatch: pytest.MonkeyPatch
) -> list[dict[str, Any]]:
    """What workers with samplers of their own are given, none of whom saw another's first plan.

    They write their first plans only when all of them have picked.
    """
    study = optuna.create_study(sampler=tiny(n_startup_trials=4))
    study.optimize(objective, n_trials=10)
    all_have_picked = threading.Barrier(N_WORKERS)
    waited: set[int] = set()
    write = storage.set_planned

    def written_together(study: Study, trial: Any, numbers: Any) -> None:
        if trial.number not in waited:
            waited.add(trial.number)
            all_have_picked.wait(60)
        write(study, trial, numbers)

    monkeypatch.setattr(storage, "set_planned", written_together)
    trials: list[Trial] = []

    def work() -> None:
        own = optuna.load_study(
            study_name=study.study_name, storage=study._storage, sampler=tiny(n_startup_trials=4)
        )
        trial = own.ask()
        objective(trial)
        trials.append(trial)

    workers = [threading.Thread(target=work) for _ in range(N_WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert len(trials) == N_WORKERS
    return [trial.params for trial in trials]


@pytest.mark.parametrize("objective", [coarse, fine])
def test_workers_that_pick_at_once_are_given_different_configurations(
    objective: Callable[[Trial], float], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = asked_at_once(objective, monkeypatch)
    assert len({tuple(params.values()) for params in given}) == N_WORKERS


def test_they_spread_as_those_do_that_ask_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the distance of each to its nearest neighbour."""

    def spread(given: list[dict[str, Any]]) -> float:
        points = np.array([list(params.values()) for params in given])
        distance = np.linalg.norm(points[:, None] - points, axis=-1)
        np.fill_diagonal(distance, np.inf)
        return float(np.median(distance.min(axis=1)))

    study = optuna.create_study(sampler=tiny(n_startup_trials=4))
    study.optimize(fine, n_trials=10)
    trials = [study.ask() for _ in range(N_WORKERS)]
    for trial in trials:
        fine(trial)
    at_once = spread(asked_at_once(fine, monkeypatch))
    assert at_once > 0.3 * spread([trial.params for trial in trials])


@pytest.mark.parametrize(("method", "n_finished"), [("claim", 4), ("value", 0)])
def test_threads_that_share_a_sampler_ask_one_at_a_time(
    method: str, n_finished: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values are asked for one by one as long as no trial has finished."""
    study = optuna.create_study(sampler=tiny(n_startup_trials=N_WORKERS))
    study.optimize(coarse, n_trials=n_finished)
    inside: list[int] = []
    at_once: list[int] = []
    ask = getattr(Planner, method)

    def counted(self: Planner, *arguments: Any) -> Any:
        inside.append(1)
        at_once.append(len(inside))
        time.sleep(0.02)  # so that another thread comes in if nothing stops it
        answer = ask(self, *arguments)
        inside.pop()
        return answer

    monkeypatch.setattr(Planner, method, counted)
    study.optimize(coarse, n_trials=N_WORKERS, n_jobs=N_WORKERS)
    assert set(at_once) == {1}


@pytest.mark.parametrize(("own", "expected"), [(0, [1, 1]), (1, [1, 1, 2])])
def test_of_two_trials_that_took_the_same_the_later_one_expects_the_choice_of_the_earlier(
    own: int, expected: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the number of pending trials whenever the trial picks; its first pick is the other's."""
    study = optuna.create_study(sampler=tiny(n_startup_trials=4))
    study.optimize(coarse, n_trials=4)
    trials = [study.ask(), study.ask()]
    storage.set_planned(study, trials[1 - own]._cached_frozen_trial, {"x": 0.0, "y": 0.0})
    pending: list[int] = []

    def scripted(_planner: Planner, _study: Study, history: History, _number: int) -> Rows:
        pending.append(len(history.pending))
        return history.space.rows([{"x": len(pending) - 1, "y": 0}])[0]

    monkeypatch.setattr(Planner, "_pick", scripted)
    assert coarse(trials[own]) == (trials[own].params["x"] - 3) ** 2 + 36.0
    assert pending == expected
    assert trials[own].params == {"x": len(expected) - 1, "y": 0}
