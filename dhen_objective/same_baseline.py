"""Whether the trials of a study were held against one baseline, so that they can be compared."""

from __future__ import annotations

import json
import math
import warnings
from typing import Any

import optuna

from dhen_objective.train import TrainResult

BASELINE = "baseline"
"""The user attribute that says what a trial was held against."""

_SAME_LOSS = 0.005
"""Relative difference that another processor can make to the loss of one training."""


def warn_of_another_baseline(trial: optuna.Trial, baseline: TrainResult) -> None:
    """Notes a trial's baseline, and warns if the first trial of its study had another one.

    Gains over another baseline are of other data or of another training: the best of them need
    not be the best network.
    """
    window = baseline.last_window
    ours = {"rows": baseline.rows, "positives": window.positives, "loss": window.log_loss}
    trial.set_user_attr(BASELINE, json.dumps(ours))
    for other in trial.study.get_trials(deepcopy=False):
        theirs = _parsed(other.user_attrs.get(BASELINE))
        if theirs is None:
            continue
        if not _same(theirs, ours):
            warnings.warn(
                f"Trial {other.number} of this study was held against another baseline, {theirs}, "
                f"than this objective's, {ours}. Their values are of other data or another "
                "training, and cannot be compared: make a study for each.",
                stacklevel=3,
            )
        return


def _parsed(attribute: Any) -> dict[str, Any] | None:
    """Returns what a trial notes of its baseline; None if it notes nothing, or something else."""
    try:
        known = json.loads(attribute)
    except (TypeError, ValueError):
        return None
    return known if isinstance(known, dict) else None


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    counts = all(one.get(name) == other[name] for name in ("rows", "positives"))
    return counts and math.isclose(one.get("loss", math.nan), other["loss"], rel_tol=_SAME_LOSS)
