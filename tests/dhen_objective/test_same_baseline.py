"""Gains are over one baseline: data that change meanwhile, or from study to study, are told of."""

import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import optuna
import pandas as pd
import pytest

from dhen_objective.objective import DHENObjective
from dhen_objective.streams import ArrayStream, Batch, Columns, SyntheticStream, TableStream
from dhen_objective.train import train
from tests.dhen_objective.objectives import BASE, FAST, run, small


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
        json.loads(study.trials[2].user_attrs["ne_gain_over"])["positives"]
        == other["y"][300:].sum()
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


@pytest.mark.parametrize("size", [100, 7, 1999])
def test_values_that_change_are_refused_in_a_pass_that_stops_early(size: int) -> None:
    rows = 1999
    dense, labels = np.zeros((rows, 1)), np.arange(rows) % 2
    stream = ArrayStream(
        dense=dense, labels=labels, sparse=np.zeros((rows, 0), int), field_sizes=(), prior=0.5
    )
    objective = DHENObjective(stream, baseline=BASE, training=FAST)
    training, seen = replace(FAST, batch_size=size), []

    def report(rows: int, _: object) -> bool:
        seen.append(rows)
        return rows >= 800

    objective.score(BASE, training, report=report)
    dense[1] = 1.0
    with pytest.raises(ValueError, match=r"stream must not change .* the same examples in each"):
        objective.score(BASE, training, report=report)
    assert seen == [400, 800] * 2


def test_a_study_that_maximizes_is_refused() -> None:
    study = optuna.create_study(direction="maximize")
    stream = SyntheticStream("medium", rows=1500)
    with pytest.raises(ValueError, match="direction must be 'minimize'"):
        study.optimize(DHENObjective(stream, baseline=BASE, training=FAST), n_trials=1)
