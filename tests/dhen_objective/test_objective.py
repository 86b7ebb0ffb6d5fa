import json
import math
import pickle
import threading
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import pytest

from dhen_objective import objective as module
from dhen_objective.checkpoints import checkpoint_path
from dhen_objective.config import DHENConfig, TrainConfig
from dhen_objective.cost import flops_per_example
from dhen_objective.metrics import ne_gain
from dhen_objective.streams import ArrayStream, SyntheticStream
from dhen_objective.train import train
from tests.dhen_objective.objectives import BASE, FAST, new_study, objective_on, run, small

ALWAYS = {"config", "flops", "parameters", "memory", "ne_gain_over", "rows", "seconds", "qps"}


@pytest.fixture(scope="module")
def stream() -> SyntheticStream:
    return SyntheticStream("medium", rows=1500)


class StopAt(optuna.pruners.BasePruner):
    def __init__(self, step: int) -> None:
        self.step = step

    def prune(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> bool:
        del study
        return (trial.last_step or 0) >= self.step


def test_a_trial_gives_the_gain_of_its_last_window(stream: SyntheticStream) -> None:
    study = run(objective_on(stream))
    (trial,) = study.trials
    config, training = small(optuna.trial.FixedTrial(trial.params))
    mine, base = train(stream, config, training), train(stream, BASE, FAST)
    expected = ne_gain(mine.normalized_entropy, base.normalized_entropy)
    assert trial.value == pytest.approx(expected, rel=1e-3)
    assert trial.user_attrs["ne"] == mine.normalized_entropy
    assert list(trial.intermediate_values) == [300, 600, 900, 1200, 1500]
    for rows, reported in trial.intermediate_values.items():
        paired = ne_gain(mine.curve[rows].log_loss, base.curve[rows].log_loss)
        assert reported == pytest.approx(paired)


def test_the_baseline_gains_nothing_on_itself(stream: SyntheticStream) -> None:
    score = objective_on(stream).score(BASE)
    assert (score.gain, score.error) == (0.0, 0.0)


def test_attributes_are_plain_python_and_describe_the_trial(stream: SyntheticStream) -> None:
    (trial,) = run(objective_on(stream, suggest=None)).trials
    attributes = trial.user_attrs
    more = {"ne", "ne_gain", "ne_gain_error", "calibration", "lifetime_ne"}
    assert set(attributes) == ALWAYS | more
    assert json.loads(json.dumps(attributes)) == attributes
    assert all(type(value) in (int, float, str) for value in attributes.values())
    config = DHENConfig.from_dict(json.loads(attributes["config"])["model"])
    assert attributes["flops"] == flops_per_example(config, n_fields=10, n_dense=4)
    assert attributes["rows"] == 1500
    assert attributes["ne_gain"] == trial.value


def test_a_pruned_trial_keeps_its_attributes(stream: SyntheticStream) -> None:
    objective = objective_on(stream, suggest=None)
    (trial,) = run(objective, StopAt(600)).trials
    assert trial.state == optuna.trial.TrialState.PRUNED
    assert set(trial.user_attrs) >= ALWAYS
    assert 600 <= trial.user_attrs["rows"] < 1500
    assert list(trial.intermediate_values) == [300, 600]
    assert trial.user_attrs["ne_gain"] == trial.intermediate_values[600]


def test_a_label_takes_the_place_of_pruning(stream: SyntheticStream) -> None:
    objective = objective_on(stream, label=lambda _: 7.5, suggest=None)
    (trial,) = run(objective, StopAt(600)).trials
    assert trial.state == optuna.trial.TrialState.COMPLETE
    assert trial.value == 7.5
    assert trial.user_attrs["rows"] < 1500


def test_a_diverged_trial_fails_with_a_reason_and_the_study_goes_on(
    stream: SyntheticStream,
) -> None:
    def suggest(trial: optuna.Trial) -> tuple[DHENConfig, TrainConfig]:
        return BASE, replace(FAST, lr=1e30 if trial.number == 0 else 1e-3)

    objective = objective_on(stream, suggest=suggest)
    failed, fine = run(objective, n=2).trials
    assert failed.state == optuna.trial.TrialState.FAIL
    assert "diverged after" in failed.user_attrs["failure"]
    assert set(failed.user_attrs) >= ALWAYS
    assert fine.state == optuna.trial.TrialState.COMPLETE


@pytest.mark.parametrize("lr", [1.0, 1e30])
def test_a_baseline_that_diverges_is_named_at_the_first_trial(
    stream: SyntheticStream, lr: float
) -> None:
    objective = objective_on(stream, training=replace(FAST, lr=lr, batch_size=20))
    with pytest.raises(ValueError, match=r"with lr = .* the baseline diverged after \d+ rows"):
        run(objective)
    with pytest.raises(ValueError, match="the baseline diverged"):
        objective.score(BASE, replace(FAST, lr=1e-3))


def test_a_baseline_without_signal_or_with_a_wrong_prior_has_not_diverged() -> None:
    rng = np.random.default_rng(0)
    for prior, rate in ((0.02, 0.02), (0.5, 0.02), (0.02, 0.5)):
        stream = ArrayStream(
            dense=rng.normal(size=(1000, 2)).astype(np.float32),
            sparse=rng.integers(50, size=(1000, 2)), labels=rng.random(1000) < rate,
            field_sizes=(50, 50), prior=prior,
        )  # fmt: skip
        objective = objective_on(stream)
        assert objective.baseline_result.rows == 1000


@pytest.mark.parametrize(("name", "value"), [("n_reports", 7), ("window", 0.6)])
def test_reports_at_other_rows_than_the_baselines_are_refused(
    stream: SyntheticStream, name: str, value: float
) -> None:
    def suggest(_: optuna.Trial) -> tuple[DHENConfig, TrainConfig]:
        return BASE, replace(FAST, **{name: value})

    objective = objective_on(stream, suggest=suggest)
    message = rf"{name} must be the baseline's, .*, but got {value}"
    with pytest.raises(ValueError, match=message):
        run(objective)
    with pytest.raises(ValueError, match=message):
        objective.score(*suggest(None))


def test_windows_without_positives_are_reported_all_the_same() -> None:
    labels = np.zeros(300, np.int8)
    labels[10] = 1
    stream = ArrayStream(
        dense=np.zeros((300, 0), np.float32), sparse=np.zeros((300, 1), np.int64),
        labels=labels, field_sizes=(1,), prior=0.1,
    )  # fmt: skip
    (trial,) = run(objective_on(stream)).trials
    assert trial.state == optuna.trial.TrialState.COMPLETE
    assert "ne" not in trial.user_attrs
    assert len(trial.intermediate_values) == 5
    assert all(map(math.isfinite, trial.intermediate_values.values()))


def test_threads_share_one_training_of_the_baseline(
    stream: SyntheticStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def counted(*args: object, **kwargs: object) -> object:
        calls.append(1)
        return train(*args, **kwargs)

    monkeypatch.setattr(module, "train", counted)
    objective = objective_on(stream)
    threads = [threading.Thread(target=lambda: objective.baseline_result) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1


def test_trials_in_two_threads_give_what_they_give_in_one(stream: SyntheticStream) -> None:
    def values(n_jobs: int) -> list[float | None]:
        study = new_study()
        for n_layers in (1, 2):
            study.enqueue_trial({"n_layers": n_layers, "lr": 2e-3})
        objective = objective_on(stream)
        study.optimize(objective, n_trials=2, n_jobs=n_jobs)
        return [trial.value for trial in study.trials]

    assert values(2) == values(1)


def test_an_objective_survives_pickling_with_its_baseline(stream: SyntheticStream) -> None:
    objective = objective_on(stream)
    result = objective.baseline_result
    copy = pickle.loads(pickle.dumps(objective))
    assert copy.baseline_result.curve == result.curve
    assert copy.score(BASE).gain == 0.0


def test_a_checkpoint_belongs_to_one_stream_and_one_configuration(tmp_path: Path) -> None:
    streams = [SyntheticStream("medium", rows=1500, seed=seed) for seed in (0, 1)]
    paths = [
        checkpoint_path(tmp_path, stream, config, training)
        for stream in streams
        for config in (BASE, replace(BASE, n_layers=2))
        for training in (FAST, replace(FAST, lr=0.5))
    ]
    assert len(set(paths)) == 8
    assert paths[0] == checkpoint_path(tmp_path, streams[0], BASE, FAST)


def test_streams_that_differ_in_their_prior_alone_have_checkpoints_of_their_own(
    tmp_path: Path,
) -> None:
    one = SyntheticStream("medium", rows=1500)
    streams = [one, copy(one)]
    streams[1].prior = 0.5 * one.prior
    assert len({checkpoint_path(tmp_path, stream, BASE, FAST) for stream in streams}) == 2
