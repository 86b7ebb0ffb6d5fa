"""The score of a training against a baseline's, from numbers that are known by hand."""

import math
from dataclasses import replace

import pytest
import torch

from dhen_objective.metrics import Tally
from dhen_objective.score import score_of, window_gain
from dhen_objective.train import TrainResult


def result_of(losses: list[float], *, rows: int) -> TrainResult:
    window = Tally(rows=len(losses), positives=1, loss=sum(losses), predicted=1.0)
    return TrainResult(
        curve={rows: window},
        lifetime=replace(window, rows=rows),
        losses=torch.tensor(losses, dtype=torch.float64),
        n_missing=0,
        seconds=1.0,
        qps=1.0,
        stopped=False,
        diverged=False,
    )


BASE = result_of([0.4, 0.8], rows=8)


def test_a_score_has_the_gain_and_its_error() -> None:
    score = score_of(result_of([0.2, 0.4], rows=8), BASE)
    assert score.gain == pytest.approx(-50)
    # the differences -0.2 and -0.4 have the standard error 0.1, over the mean loss 0.6
    assert score.error == pytest.approx(100 * 0.1 / 0.6)


def test_a_pass_that_stopped_early_has_no_error() -> None:
    long = replace(BASE, curve={4: BASE.last_window, 8: BASE.last_window})
    score = score_of(result_of([0.2, 0.4], rows=4), long)
    assert score.gain == pytest.approx(-50)
    assert math.isnan(score.error)


def test_a_training_that_diverged_has_no_gain() -> None:
    score = score_of(replace(BASE, diverged=True), BASE)
    assert math.isnan(score.gain)


def test_windows_of_other_labels_are_refused() -> None:
    window = replace(BASE.last_window, positives=2)
    with pytest.raises(ValueError, match="row 8 has 2 positives of 2, where the baseline's had 1"):
        window_gain(8, window, BASE)
