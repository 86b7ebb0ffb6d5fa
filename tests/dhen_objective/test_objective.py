import json
import math
import os
import pickle
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest

from dhen_objective import objective as module
from dhen_objective.checkpoints import checkpoint_path
from dhen_objective.config import DHENConfig, Interaction, TrainConfig
from dhen_objective.cost import flops_per_example
from dhen_objective.metrics import ne_gain
from dhen_objective.objective import DHENObjective
from dhen_objective.streams import ArrayStream, Batch, Columns, SyntheticStream, TableStream
from dhen_objective.train import train
from dhen_objective.trainer import Trainer

BASE = DHENConfig(n_layers=1, modules=(Interaction.LINEAR,), dim=8)
FAST = TrainConfig(batch_size=100, n_reports=5, window=0.4)
ALWAYS = {"baseline", "config", "flops", "parameters", "memory", "rows", "seconds", "qps"}


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)


@pytest.fixture(scope="module")
def stream() -> SyntheticStream:
    return SyntheticStream("medium", rows=1500)


def small(trial: optuna.Trial) -> tuple[DHENConfig, TrainConfig]:
    config = replace(BASE, n_layers=trial.suggest_int("n_layers", 1, 2))
    return config, replace(FAST, lr=trial.suggest_float("lr", 1e-3, 1e-2))


class StopAt(optuna.pruners.BasePruner):
    def __init__(self, step: int) -> None:
        self.step = step

    def prune(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> bool:
        del study
        return (trial.last_step or 0) >= self.step


def run(objective: DHENObjective, pruner: optuna.pruners.BasePruner | None = None,
        n: int = 1) -> optuna.Study:  # fmt: skip
    sampler = optuna.samplers.RandomSampler(seed=0)
    study = optuna.create_study(sampler=sampler, pruner=pruner or optuna.pruners.NopPruner())
    study.optimize(objective, n_trials=n)
    return study


def test_a_trial_gives_the_gain_of_its_last_window(stream: SyntheticStream) -> None:
    study = run(DHENObjective(stream, baseline=BASE, training=FAST, suggest=small))
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
    score = DHENObjective(stream, baseline=BASE, training=FAST).score(BASE)
    assert (score.gain, score.error) == (0.0, 0.0)


def test_attributes_are_plain_python_and_describe_the_trial(stream: SyntheticStream) -> None:
    (trial,) = run(DHENObjective(stream, baseline=BASE, training=FAST)).trials
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
    objective = DHENObjective(stream, baseline=BASE, training=FAST)
    (trial,) = run(objective, StopAt(600)).trials
    assert trial.state == optuna.trial.TrialState.PRUNED
    assert set(trial.user_attrs) >= ALWAYS
    assert 600 <= trial.user_attrs["rows"] < 1500
    assert list(trial.intermediate_values) == [300, 600]
    assert trial.user_attrs["ne_gain"] == trial.intermediate_values[600]


def test_a_label_takes_the_place_of_pruning(stream: SyntheticStream) -> None:
    objective = DHENObjective(stream, baseline=BASE, training=FAST, label=lambda _: 7.5)
    (trial,) = run(objective, StopAt(600)).trials
    assert trial.state == optuna.trial.TrialState.COMPLETE
    assert trial.value == 7.5
    assert trial.user_attrs["rows"] < 1500


def test_a_diverged_trial_fails_with_a_reason_and_the_study_goes_on(
    stream: SyntheticStream,
) -> None:
    def suggest(trial: optuna.Trial) -> tuple[DHENConfig, TrainConfig]:
        return BASE, replace(FAST, lr=1e30 if trial.number == 0 else 1e-3)

    objective = DHENObjective(stream, baseline=BASE, training=FAST, suggest=suggest)
    failed, fine = run(objective, n=2).trials
    assert failed.state == optuna.trial.TrialState.FAIL
    assert "diverged after" in failed.user_attrs["failure"]
    assert set(failed.user_attrs) >= ALWAYS
    assert fine.state == optuna.trial.TrialState.COMPLETE


@pytest.mark.parametrize("lr", [1.0, 1e30])
def test_a_baseline_that_diverges_is_named_at_the_first_trial(
    stream: SyntheticStream, lr: float
) -> None:
    objective = DHENObjective(
        stream, baseline=BASE, training=replace(FAST, lr=lr, batch_size=20), suggest=small
    )
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
        objective = DHENObjective(stream, baseline=BASE, training=FAST)
        assert objective.baseline_result.rows == 1000


@pytest.mark.parametrize(("name", "value"), [("n_reports", 7), ("window", 0.6)])
def test_reports_at_other_rows_than_the_baselines_are_refused(
    stream: SyntheticStream, name: str, value: float
) -> None:
    def suggest(_: optuna.Trial) -> tuple[DHENConfig, TrainConfig]:
        return BASE, replace(FAST, **{name: value})

    objective = DHENObjective(stream, baseline=BASE, training=FAST, suggest=suggest)
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
    (trial,) = run(DHENObjective(stream, baseline=BASE, training=FAST, suggest=small)).trials
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
    objective = DHENObjective(stream, baseline=BASE, training=FAST)
    threads = [threading.Thread(target=lambda: objective.baseline_result) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1


def test_trials_in_two_threads_give_what_they_give_in_one(stream: SyntheticStream) -> None:
    def values(n_jobs: int) -> list[float | None]:
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
        for n_layers in (1, 2):
            study.enqueue_trial({"n_layers": n_layers, "lr": 2e-3})
        objective = DHENObjective(stream, baseline=BASE, training=FAST, suggest=small)
        study.optimize(objective, n_trials=2, n_jobs=n_jobs)
        return [trial.value for trial in study.trials]

    assert values(2) == values(1)


def test_an_objective_survives_pickling_with_its_baseline(stream: SyntheticStream) -> None:
    objective = DHENObjective(stream, baseline=BASE, training=FAST)
    result = objective.baseline_result
    copy = pickle.loads(pickle.dumps(objective))
    assert copy.baseline_result.curve == result.curve
    assert copy.score(BASE).gain == 0.0


class KilledError(BaseException):
    """Ends a trial as a killed process would: nothing catches it."""


def killed_at(at: int, run: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs until a trial would report a step."""
    original = optuna.Trial.report

    def report(trial: optuna.Trial, value: float, step: int) -> None:
        if step == at:
            raise KilledError
        original(trial, value, step)

    with monkeypatch.context() as patch:
        patch.setattr(optuna.Trial, "report", report)
        with pytest.raises(KilledError):
            run()


@pytest.mark.parametrize("step", [300, 600, 1500])
def test_a_killed_trial_continues_with_the_same_curve(
    stream: SyntheticStream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    (whole,) = run(DHENObjective(stream, baseline=BASE, training=FAST, suggest=small)).trials
    folder = tmp_path / "states"
    objective = DHENObjective(
        stream, baseline=BASE, training=FAST, suggest=small, checkpoints=folder
    )
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    killed_at(step, lambda: study.optimize(objective, n_trials=1), monkeypatch)
    assert len(list(folder.iterdir())) == (step > 300)
    study.enqueue_trial(study.trials[0].params)
    seen: list[int] = []
    learn = Trainer.step

    def watched(self: Trainer, batch: Batch) -> list[int]:
        seen.append(self.rows)
        return learn(self, batch)

    monkeypatch.setattr(Trainer, "step", watched)
    study.optimize(objective, n_trials=1)
    again = study.trials[1]
    assert seen[0] == step - 300  # it did not begin anew
    assert again.intermediate_values.keys() == whole.intermediate_values.keys()
    for rows, value in whole.intermediate_values.items():
        assert again.intermediate_values[rows] == pytest.approx(value, rel=1e-4, abs=1e-4)
    assert again.value == pytest.approx(whole.value, rel=1e-4)
    assert list(folder.iterdir()) == []


class HidesFirst(optuna.Study):
    """A study as a searcher sees it that is compared with others: trials are missing."""

    def get_trials(self, *arguments: Any, **options: Any) -> list[optuna.trial.FrozenTrial]:
        return super().get_trials(*arguments, **options)[1:]


def retry(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
    """Does what RetryHeartbeatStaleTrialCallback does where reports are inherited."""
    study.add_trial(
        optuna.create_trial(
            state=optuna.trial.TrialState.WAITING,
            params=trial.params,
            distributions=trial.distributions,
            intermediate_values=trial.intermediate_values,
        )
    )


@pytest.mark.parametrize("hidden", [False, True])
def test_a_retried_trial_reports_only_what_it_did_not_inherit(
    hidden: bool, stream: SyntheticStream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objective = DHENObjective(
        stream, baseline=BASE, training=FAST, suggest=small, checkpoints=tmp_path
    )
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    if hidden:
        study.add_trial(optuna.create_trial(value=0.0))
        study = HidesFirst(study.study_name, study._storage, sampler=study.sampler)
    killed_at(900, lambda: study.optimize(objective, n_trials=1), monkeypatch)
    first = study.trials[0]
    assert list(first.intermediate_values) == [300, 600]
    retry(study, first)
    study.optimize(objective, n_trials=1)  # a second report of a step would warn
    assert list(study.trials[1].intermediate_values) == [300, 600, 900, 1200, 1500]


def days(folder: Path, *, rows: int = 1500, changed: slice = slice(0)) -> TableStream:
    """Two files, of which some labels may be others than usual."""
    rng = np.random.default_rng(0)
    labels, shops = rng.integers(2, size=rows), rng.integers(5, size=rows)
    labels[changed] = 1 - labels[changed]
    lines = [f"{y},{shop}\n" for y, shop in zip(labels, shops, strict=True)]
    for day, part in enumerate((lines[: rows // 2], lines[rows // 2 :])):
        (folder / f"day_{day}.csv").write_text("y,shop\n" + "".join(part))
    columns = Columns(label="y", sparse={"shop": 8})
    return TableStream(sorted(folder.glob("*.csv")), columns, prior=0.5)


@pytest.mark.parametrize(
    ("change", "with_checkpoints"),
    [
        ({"changed": slice(100)}, True),
        ({"changed": slice(400, 500)}, True),
        ({"changed": slice(400, 500)}, False),
        ({"rows": 1200}, False),
    ],
)
def test_a_retried_trial_does_not_keep_reports_of_other_rows(
    change: dict, with_checkpoints: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def objective(stream: TableStream) -> DHENObjective:
        folder = tmp_path / "states" if with_checkpoints else None
        return DHENObjective(
            stream, baseline=BASE, training=FAST, suggest=small, checkpoints=folder
        )

    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    first = objective(days(tmp_path))
    killed_at(900, lambda: study.optimize(first, n_trials=1), monkeypatch)
    for _ in range(2):
        retry(study, study.trials[0])
    second = objective(days(tmp_path, **change))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the state, or the baseline, is of other data
        study.optimize(second, n_trials=1, catch=ValueError)
        assert study.trials[1].state is optuna.trial.TrialState.FAIL
        with pytest.raises(ValueError, match=r"trial 2 must not keep .* study\.enqueue_trial"):
            study.optimize(second, n_trials=1)
        study.enqueue_trial(study.trials[0].params)
        study.optimize(second, n_trials=1)
    assert len(study.trials[3].intermediate_values) == 5


@pytest.mark.parametrize("when", ["before", "after the baseline", "while a trial runs"])
def test_files_that_change_while_an_objective_lives_are_named(
    when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objective = DHENObjective(days(tmp_path), baseline=BASE, training=FAST, suggest=small)
    if when != "before":
        _ = objective.baseline_result
    if when == "while a trial runs":
        monkeypatch.setattr(
            optuna.Trial, "report", lambda *_, **__: days(tmp_path, changed=slice(1))
        )
    else:
        with (tmp_path / "day_1.csv").open("a") as file:
            file.write("1,1\n")
        with pytest.raises(ValueError, match=r"but \S*day_1\.csv changed; make the stream"):
            objective.score(BASE)
    with pytest.raises(ValueError, match=r"stream must not change while an objective lives"):
        run(objective)


def table(rows: int = 500) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"y": rng.integers(2, size=rows), "x": rng.normal(size=rows)})


def test_a_stream_keeps_the_frame_as_it_was() -> None:
    frame = table()
    stream = TableStream(frame, Columns(label="y", sparse={}, dense=("x",)), prior=0.5)
    objective = DHENObjective(stream, baseline=BASE, training=FAST)
    _ = objective.baseline_result
    frame["y"] = 1 - frame["y"]
    frame.loc[:, "x"] = 0.0
    assert objective.score(BASE).gain == 0


def test_arrays_that_change_while_an_objective_lives_are_refused() -> None:
    frame = table()
    arrays = {"dense": frame[["x"]].to_numpy().copy(), "labels": frame["y"].to_numpy().copy()}
    for name, message in (("dense", "its identity changed"), ("labels", "its identity changed")):
        stream = ArrayStream(**arrays, sparse=np.zeros((500, 0), int), field_sizes=(), prior=0.5)
        objective = DHENObjective(stream, baseline=BASE, training=FAST)
        _ = objective.baseline_result
        arrays[name][:] = 1 - arrays[name]
        with pytest.raises(ValueError, match=message):
            objective.score(BASE)


class Turning(ArrayStream):
    """A stream whose labels change with each pass, without a word."""

    def batches(self, batch_size: int, *, start: int = 0) -> Iterator[Batch]:
        self.flip = not getattr(self, "flip", True)
        for batch in super().batches(batch_size, start=start):
            labels = 1 - batch.labels if self.flip else batch.labels
            yield Batch(dense=batch.dense, sparse=batch.sparse, labels=labels)


def test_other_labels_than_those_of_the_baseline_are_refused() -> None:
    frame = table()
    stream = Turning(
        dense=frame[["x"]], labels=frame["y"], sparse=np.zeros((500, 0), int), field_sizes=(),
        prior=0.5,
    )  # fmt: skip
    objective = DHENObjective(stream, baseline=BASE, training=FAST, suggest=small)
    with pytest.raises(ValueError, match=r"must not change .* row 100 has \d+ positives of 100"):
        run(objective)


def test_a_study_that_goes_on_with_other_data_is_told_of() -> None:
    frame, columns = table(), Columns(label="y", sparse={}, dense=("x",))
    other = frame.assign(y=frame["x"] > 0.5)
    objectives = [
        DHENObjective(
            TableStream(rows, columns, prior=0.5), baseline=BASE, training=FAST, suggest=small
        )
        for rows in (frame, frame.copy(), other)
    ]
    study = run(objectives[0])
    study.optimize(objectives[1], n_trials=1)  # no warning, which would be an error
    with pytest.warns(UserWarning, match="Trial 0 of this study was held against another base"):
        study.optimize(objectives[2], n_trials=1)
    assert (
        json.loads(study.trials[2].user_attrs["baseline"])["positives"] == other["y"][300:].sum()
    )


@pytest.mark.parametrize("changed", ["training", "data", "fields"])
def test_a_baseline_of_nearly_the_same_loss_is_told_of(changed: str) -> None:
    frame = table().assign(s="a")
    columns = Columns(label="y", sparse={"s": 5}, dense=("x",))
    first = DHENObjective(TableStream(frame, columns, prior=0.5), baseline=BASE, training=FAST)
    study = run(first)
    if changed == "fields":
        columns = replace(columns, sparse={"s": 6})
    elif changed == "data":
        frame.loc[499, "x"] += 0.01
    training = replace(FAST, lr=FAST.lr * 1.0001) if changed == "training" else FAST
    stream = TableStream(frame, columns, prior=0.5)
    second = DHENObjective(stream, baseline=BASE, training=training)
    loss, other = (o.baseline_result.last_window.log_loss for o in (first, second))
    assert loss == pytest.approx(other, rel=0.004)
    with pytest.warns(UserWarning, match=f"another baseline than this objective's .*{changed}: "):
        study.optimize(second, n_trials=1)


def test_a_baseline_that_is_set_to_another_is_trained_anew() -> None:
    stream = TableStream(table(), Columns(label="y", sparse={}, dense=("x",)), prior=0.5)
    objective = DHENObjective(stream, baseline=BASE, training=FAST)
    before = objective.baseline_result
    assert objective.baseline_result is before
    objective.training = replace(FAST, lr=0.01)
    assert objective.score(BASE).gain == 0
    assert objective.baseline_result.lifetime == train(stream, BASE, objective.training).lifetime


def test_values_that_change_where_no_label_tells_of_it_are_refused() -> None:
    rows = 1999  # of which the identity of arrays knows each second
    dense, labels = np.zeros((rows, 1)), np.arange(rows) % 2
    stream = ArrayStream(
        dense=dense, labels=labels, sparse=np.zeros((rows, 0), int), field_sizes=(), prior=0.5
    )
    objective = DHENObjective(stream, baseline=BASE, training=FAST)
    _ = objective.baseline_result
    identity = stream.identity
    dense[1] = 1.0
    assert stream.identity == identity
    with pytest.raises(ValueError, match=r"stream must not change .* the same examples in each"):
        objective.score(BASE)


def test_a_study_that_maximizes_is_refused(stream: SyntheticStream) -> None:
    study = optuna.create_study(direction="maximize")
    with pytest.raises(ValueError, match="direction must be 'minimize'"):
        study.optimize(DHENObjective(stream, baseline=BASE, training=FAST), n_trials=1)


def test_what_other_killed_runs_left_in_the_folder_is_swept(
    stream: SyntheticStream, tmp_path: Path
) -> None:
    left = tmp_path / "other.pt.elsewhere.1.1.tmp"
    left.touch()
    os.utime(left, (0, 0))
    objective = DHENObjective(stream, baseline=BASE, training=FAST, checkpoints=tmp_path)
    assert objective.baseline_result.rows == 1500
    assert list(tmp_path.iterdir()) == []


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
