"""What a trial is given depends on the seed, its number and the stored trials, on nothing else."""

import copy
import json
import multiprocessing
import pickle
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import optuna
import pytest
import torch
from optuna.samplers import RandomSampler
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import Study
from optuna.trial import Trial

from optuna_predictor_rl import PredictorRLSampler
from tests.optuna_predictor_rl.samplers import N_STARTUP, params, tiny

ANOTHER_PROCESS = """
import json, random, sys, optuna
from optuna_predictor_rl import PolicyConfig, PredictorConfig, PredictorRLSampler
sampler = PredictorRLSampler(
    predictor=PredictorConfig(n_members=2, n_epochs=5),
    policy=PolicyConfig(n_steps=3),
    n_startup_trials=4,
    seed=0,
)
for path in sys.argv[1:]:
    study = optuna.load_study(study_name="s", storage=f"sqlite:///{path}", sampler=sampler)
    before = random.getstate()  # beartype draws from it where it checks the types of calls
    trial = study.ask()
    trial.suggest_float("x", 0.0, 1.0)
    trial.suggest_int("n", 1, 8, log=True)
    trial.suggest_categorical("kind", ["a", "b", None])
    assert random.getstate() == before
    print(json.dumps(trial.params))
"""


def objective(trial: Trial) -> float:
    x = trial.suggest_float("x", 0.0, 1.0)
    n = trial.suggest_int("n", 1, 8, log=True)
    return (x - 0.3) ** 2 + 0.1 * n + (trial.suggest_categorical("kind", ["a", "b", None]) == "a")


def study_with(n_trials: int, storage: BaseStorage | None = None, **options: Any) -> Study:
    study = optuna.create_study(study_name="s", storage=storage, sampler=tiny(**options))
    study.optimize(objective, n_trials=n_trials)
    return study


def next_params(study: Study) -> dict[str, Any]:
    trial = study.ask()
    objective(trial)
    return trial.params


def journal(folder: Path) -> BaseStorage:
    return JournalStorage(JournalFileBackend(str(folder / "study.log")))


def sqlite(folder: Path, name: str = "study.db") -> BaseStorage:
    return RDBStorage(f"sqlite:///{folder / name}")


@pytest.fixture
def close() -> Iterator[Callable[[BaseStorage], BaseStorage]]:
    """Closes the connections of storages, which would warn as they are collected."""
    opened: list[BaseStorage] = []

    def register(storage: BaseStorage) -> BaseStorage:
        opened.append(storage)
        return storage

    yield register
    for storage in opened:
        storage.remove_session()
        if isinstance(storage, RDBStorage):
            storage.engine.dispose()


@pytest.mark.parametrize("make", [journal, sqlite])
@pytest.mark.parametrize("interrupted_after", [2, 7])
def test_a_resumed_study_goes_on_as_one_that_was_never_interrupted(
    make: Callable[[Path], BaseStorage],
    interrupted_after: int,
    tmp_path: Path,
    close: Callable[[BaseStorage], BaseStorage],
) -> None:
    study_with(interrupted_after, close(make(tmp_path)))
    again = optuna.load_study(study_name="s", storage=close(make(tmp_path)), sampler=tiny())
    again.optimize(objective, n_trials=9 - interrupted_after)
    assert params(again) == params(study_with(9))


def test_seeds_differ_and_without_one_every_sampler_differs() -> None:
    found = [params(study_with(4, seed=seed)) for seed in (0, 0, 1, None, None)]
    assert found[0] == found[1]
    for i, j in ((0, 2), (0, 3), (3, 4)):
        assert all(a != b for a, b in zip(found[i], found[j], strict=True))


def test_a_suggestion_does_not_depend_on_what_the_sampler_did_before() -> None:
    study, other = study_with(7), study_with(5)
    study.sampler = other.sampler
    assert next_params(study) == next_params(study_with(7))


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy]
    + [
        lambda sampler, p=p: pickle.loads(pickle.dumps(sampler, p))
        for p in range(pickle.HIGHEST_PROTOCOL + 1)
    ],
)
def test_a_copied_sampler_suggests_the_same(
    copied: Callable[[PredictorRLSampler], PredictorRLSampler],
) -> None:
    study = study_with(6, seed=None)
    sampler = study.sampler
    assert isinstance(sampler, PredictorRLSampler)
    expected = next_params(study)
    study.tell(study.trials[-1].number, state=optuna.trial.TrialState.FAIL)
    again = optuna.create_study(sampler=copied(sampler))
    again.add_trials(study.trials[:6])
    assert next_params(again) == expected


@pytest.mark.parametrize("n_trials", [N_STARTUP - 2, N_STARTUP + 2])
def test_a_suggestion_leaves_every_global_setting_as_it_was(n_trials: int) -> None:
    study = study_with(n_trials)
    n_threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        before = global_state()
        next_params(study)
        after = global_state()
    finally:
        torch.set_num_threads(n_threads)
    assert after == before


def global_state() -> list[str]:
    with np.printoptions(threshold=sys.maxsize):
        return [
            str(torch.random.get_rng_state().tolist()),
            str(np.random.get_state()),  # noqa: NPY002 # the global stream is what is compared
            str(torch.get_num_threads()),
            str(torch.get_default_dtype()),
            str(torch.is_grad_enabled()),
            str(np.geterr()),
        ]


def test_global_seeds_do_not_matter() -> None:
    def seeded(seed: int) -> list[dict[str, Any]]:
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        return params(study_with(7))

    assert seeded(1) == seeded(2)


def test_two_threads_share_a_sampler() -> None:
    study = optuna.create_study(sampler=tiny())
    study.optimize(objective, n_trials=14, n_jobs=2)
    assert len(study.trials) == 14
    assert all(trial.state == optuna.trial.TrialState.COMPLETE for trial in study.trials)
    assert len({str(configuration) for configuration in params(study)}) == 14


def test_a_process_of_its_own_suggests_the_same_and_never_what_is_pending(
    tmp_path: Path, close: Callable[[BaseStorage], BaseStorage]
) -> None:
    storage = close(sqlite(tmp_path))
    study = study_with(7, storage)
    copied = tmp_path / "copy.db"
    shutil.copy(tmp_path / "study.db", copied)
    expected = next_params(study)
    command = [sys.executable, "-c", ANOTHER_PROCESS, str(copied), str(tmp_path / "study.db")]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    same, beside = map(json.loads, ran.stdout.splitlines())
    assert same == expected
    assert beside != expected


def ask_in_a_process(path: str, results: Any) -> None:
    storage = JournalStorage(JournalFileBackend(path))
    results.put(next_params(optuna.load_study(study_name="s", storage=storage, sampler=tiny())))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_forked_and_spawned_processes_suggest_the_same(method: str, tmp_path: Path) -> None:
    study = study_with(7, journal(tmp_path))
    copied = shutil.copy(tmp_path / "study.log", tmp_path / "copy.log")
    context = multiprocessing.get_context(method)
    results = context.Queue()
    process = context.Process(target=ask_in_a_process, args=(str(copied), results))
    process.start()
    suggested = results.get(timeout=120)
    process.join()
    assert suggested == next_params(study)


def test_the_independent_sampler_gives_what_no_trial_has_had() -> None:
    independent = Mock(spec=RandomSampler, **{"sample_independent.return_value": 0.125})
    study = optuna.create_study(sampler=tiny(independent_sampler=independent))
    study.optimize(lambda trial: trial.suggest_float("x", 0.0, 1.0), n_trials=1)
    study.sampler.reseed_rng()
    assert params(study) == [{"x": 0.125}]
    called = [name for name, *_ in independent.method_calls]
    assert called == ["before_trial", "sample_independent", "after_trial", "reseed_rng"]


def test_first_values_are_independent_of_each_other() -> None:
    """Parameters that no trial has had are drawn from streams of their own."""
    first = [params(study_with(1, seed=seed))[0] for seed in range(40)]
    assert len({configuration["x"] for configuration in first}) == 40

    def objective(trial: Trial) -> float:
        return sum(trial.suggest_float(f"x{i}", 0.0, 1.0) for i in range(200))

    study = optuna.create_study(sampler=tiny())
    study.optimize(objective, n_trials=1)
    values = np.array(list(study.trials[0].params.values()))
    assert len(set(values)) == 200
    assert np.histogram(values, 4, (0, 1))[0].min() > 25
