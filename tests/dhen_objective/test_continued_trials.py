"""Trials that were killed and come back, data that change meanwhile, and what is left behind."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest

from dhen_objective.objective import DHENObjective
from dhen_objective.streams import Batch, Columns, SyntheticStream, TableStream
from dhen_objective.trainer import Trainer
from tests.dhen_objective.objectives import BASE, new_study, objective_on, run

STREAM = SyntheticStream("medium", rows=1500)


class KilledError(BaseException):
    """Ends a trial as a killed process would: nothing catches it."""


def killed_at(at: int, run: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run until a trial would report a step."""
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
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    (whole,) = run(objective_on(STREAM)).trials
    folder = tmp_path / "states"
    objective = objective_on(STREAM, checkpoints=folder)
    study = new_study()
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
    """Do what RetryHeartbeatStaleTrialCallback does where reports are inherited."""
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
    hidden: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objective = objective_on(STREAM, checkpoints=tmp_path)
    study = new_study()
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
    """Return a stream of two files, in which some labels may be changed."""
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
        return objective_on(stream, checkpoints=folder)

    study = new_study()
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


@pytest.mark.filterwarnings("ignore:.* changed while the stream was read")
@pytest.mark.parametrize("when", ["before", "after the baseline", "while a trial runs"])
def test_files_that_change_while_an_objective_lives_are_named(
    when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objective = objective_on(days(tmp_path))
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


def test_what_other_killed_runs_left_in_the_folder_is_swept(tmp_path: Path) -> None:
    left = tmp_path / "other.pt.elsewhere.1.1.tmp"
    left.touch()
    os.utime(left, (0, 0))
    objective = objective_on(STREAM, checkpoints=tmp_path)
    assert objective.baseline_result.rows == 1500
    assert list(tmp_path.iterdir()) == []
