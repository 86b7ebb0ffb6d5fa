"""A check that all trials of a study were compared with the same baseline."""

from __future__ import annotations

import json
import math
import warnings
from dataclasses import asdict
from typing import Any

import optuna

from dhen_objective.config import DHENConfig, TrainConfig
from dhen_objective.fingerprint import Fingerprint
from dhen_objective.streams.base import ClickStream
from dhen_objective.train import TrainResult

BASELINE = "ne_gain_over"
"""The user attribute that describes the baseline of a trial."""

_SAME_LOSS = 0.005
"""Relative difference that another processor can make to the loss of one training."""


def about_baseline(
    result: TrainResult,
    model: DHENConfig,
    training: TrainConfig,
    stream: ClickStream,
    data: Fingerprint | None,
) -> dict[str, Any]:
    """Return a description of the baseline in JSON values, without the device, which may differ.

    Args:
        result: The baseline's training.
        model: Its network.
        training: How it was trained.
        stream: On what.
        data: The examples; None if they are not known.
    """
    window = result.last_window
    about = {
        "rows": result.rows,
        "positives": window.positives,
        "loss": window.log_loss,
        "fields": [int(size) for size in stream.field_sizes],
        "prior": float(stream.prior),
        "model": model.to_dict(),
        "training": {k: v for k, v in training.to_dict().items() if k != "device"},
        "data": None if data is None else asdict(data),
    }
    parsed: dict[str, Any] = json.loads(json.dumps(about))
    return parsed


def warn_of_another_baseline(trial: optuna.Trial, ours: dict[str, Any]) -> None:
    """Store a trial's baseline, and warn if the first trial of its study had another one.

    Gains over different baselines cannot be compared: the best gain need not be that of the best
    network.

    Args:
        trial: Of which the study may have other trials.
        ours: What `about_baseline` returns.
    """
    trial.set_user_attr(BASELINE, json.dumps(ours))
    for other in trial.study.get_trials(deepcopy=False):
        theirs = _parsed(other.user_attrs.get(BASELINE))
        if theirs is None:
            continue
        differing = [name for name in ours if not _same(name, theirs.get(name), ours[name])]
        if differing:
            values = "; ".join(f"{name}: {theirs.get(name)}, {ours[name]}" for name in differing)
            warnings.warn(
                f"Trial {other.number} of this study was held against another baseline than this "
                f"objective's ({values}). Their values are of other data or another training, "
                "and cannot be compared: make a study for each.",
                stacklevel=3,
            )
        return


def _parsed(attribute: Any) -> dict[str, Any] | None:
    """Return the baseline that a trial has stored; None if the attribute is absent or not JSON."""
    try:
        known = json.loads(attribute)
    except (TypeError, ValueError):
        return None
    return known if isinstance(known, dict) else None


def _same(name: str, one: Any, other: Any) -> bool:
    """Return True if two baselines agree on one entry; unknown data agree with any."""
    try:
        if name == "data" and one is not None and other is not None:
            return _fingerprint(one).same(_fingerprint(other))
        if name == "loss":
            return math.isclose(one, other, rel_tol=_SAME_LOSS)
    except TypeError:
        return False
    return name == "data" or bool(one == other)


def _fingerprint(stored: dict[str, Any]) -> Fingerprint:
    """Return a fingerprint of JSON, which has lists for tuples."""
    known: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in stored.items()
    }
    return Fingerprint(**known)
