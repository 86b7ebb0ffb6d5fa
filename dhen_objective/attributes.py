"""User attributes of a trial: its network before the training, and its measures after it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from dhen_objective.config import DHENConfig, TrainConfig
from dhen_objective.cost import flops_per_example
from dhen_objective.size import network_size
from dhen_objective.streams.base import ClickStream
from dhen_objective.train import TrainResult

Attributes = Mapping[str, str | int | float]
"""Names and values in plain Python types, which every storage keeps."""


def description(stream: ClickStream, config: DHENConfig, training: TrainConfig) -> Attributes:
    """Return the attributes that a trial has before its network is trained."""
    fields, n_dense = stream.field_sizes, stream.n_dense
    size = network_size(config, field_sizes=fields, n_dense=n_dense)
    return {
        "config": json.dumps({"model": config.to_dict(), "training": training.to_dict()}),
        "flops": flops_per_example(config, n_fields=len(fields), n_dense=n_dense),
        "parameters": size.parameters,
        "memory": size.memory,
    }


def measures(result: TrainResult, *, gain: float, error: float) -> Attributes:
    """Return the attributes that a training adds, without values that are not finite.

    Args:
        result: The training.
        gain: NE gain of the last window, in %.
        error: Standard error of the gain.
    """
    measured = {
        "rows": result.rows,
        "seconds": result.seconds,
        "qps": result.qps,
        "ne": result.normalized_entropy,
        "ne_gain": gain,
        "ne_gain_error": error,
        "calibration": result.last_window.calibration,
        "lifetime_ne": result.lifetime.normalized_entropy,
    }
    return {name: value for name, value in measured.items() if math.isfinite(value)}
