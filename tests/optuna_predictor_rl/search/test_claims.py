"""Workers that ask at the same time are given different configurations."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.study import Study
from optuna.trial import Trial

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
