"""The score of a trained network: its NE gain over the baseline, on the same rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dhen_objective.checked import checked
from dhen_objective.metrics import Tally, ne_gain, ne_gain_with_error
from dhen_objective.same_data import check_window
from dhen_objective.train import TrainResult


@checked
@dataclass(frozen=True, kw_only=True)
class Score:
    """A network's result compared with the baseline's, on the same rows.

    Attributes:
        gain: NE gain of the last window, in %; negative is better.
        error: Standard error of `gain` over the choice of the window's rows; NaN if the pass
            stopped before its end.
        result: The training.
    """

    gain: float
    error: float
    result: TrainResult


def score_of(result: TrainResult, base: TrainResult) -> Score:
    """Return the score of a training; its gain is NaN if it diverged or has no window.

    Args:
        result: The training.
        base: That of the baseline.

    Raises:
        ValueError: See `window_gain`.
    """
    if result.diverged or not result.curve:
        return Score(gain=math.nan, error=math.nan, result=result)
    gain, error = window_gain(max(result.curve), result.last_window, base), math.nan
    if result.rows == base.rows and len(result.losses) == len(base.losses):
        gain, error = ne_gain_with_error(result.losses, base.losses)
    return Score(gain=gain, error=error, result=result)


def window_gain(rows: int, window: Tally, base: TrainResult) -> float:
    """Return the NE gain of one window in %; negative is better.

    Args:
        rows: Number of rows at which the window ends.
        window: The network's result on it.
        base: The baseline's training, which has a window that ends there.

    Raises:
        ValueError: If the baseline's window has other labels.
    """
    ours = base.curve[rows]
    check_window(rows, window, ours)
    return ne_gain(window.log_loss, ours.log_loss)
