"""Values that fit an annotation, and values of the right type that break any sensible rule."""

import math
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin
from unittest.mock import MagicMock, NonCallableMagicMock

import numpy as np
import optuna
import torch
from numpy.typing import ArrayLike
from optuna.study import Study

from dhen_objective import DHENConfig, TrainConfig
from dhen_objective.streams import CSV, Columns, SyntheticStream
from optuna_predictor_rl import LowFidelityPruner, PredictorConfig, PredictorRLSampler
from optuna_predictor_rl.core.curves import Curve

CURVES = Sequence[Mapping[int, float] | Curve]
LABELS = np.ndarray
FIXED = dict[str, int]

PLAIN: dict[Any, Callable[[], Any]] = {
    int: lambda: 1,
    float: lambda: 0.5,
    str: lambda: "a",
    bool: lambda: True,
    Any: lambda: 1,
    type(None): lambda: None,
    Columns: lambda: Columns(label="y", sparse={"a": 2}),
    CSV: CSV,
    DHENConfig: DHENConfig,
    LowFidelityPruner: LowFidelityPruner,
    PredictorConfig: PredictorConfig,
    PredictorRLSampler: PredictorRLSampler,
    ArrayLike: lambda: [1.0, 2.0, 3.0],
    SyntheticStream: lambda: SyntheticStream("easy", rows=10),
    TrainConfig: TrainConfig,
    Study: optuna.create_study,
    FIXED: dict,
    CURVES: lambda: [{1: 0.5, 2: 0.4}, {1: 0.6, 2: 0.5}, {1: 0.7, 2: 0.6}],
    LABELS: lambda: np.array([0, 1]),
}
"""Values where a stand-in for the class would not do."""

CONTAINERS = (Sequence, Iterable, list)


def fitting(hint: Any) -> Any:
    """A value that fits an annotation; of a class, a stand-in."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in PLAIN:
        return PLAIN[hint]()
    if origin in (Union, types.UnionType):
        return fitting(arguments[0])
    if origin is Literal:
        return arguments[0]
    if origin is tuple:
        return tuple(fitting(a) for a in arguments if a is not ...)
    if origin in (Mapping, dict):
        return {fitting(arguments[0]): fitting(arguments[1])}
    if origin in CONTAINERS:
        return [fitting(arguments[0])]
    if origin is Callable or hint is Callable:
        return MagicMock()
    if origin is type:
        return arguments[0]
    if hasattr(hint, "array_type"):
        return _array(hint)
    return NonCallableMagicMock(spec=origin or hint)


def _array(hint: Any) -> Any:
    shape = (2,) * len(hint.dim_str.split())
    if hint.array_type is torch.Tensor:
        return torch.zeros(shape, dtype=torch.int64 if "int64" in hint.dtypes else torch.float32)
    return np.zeros(shape)


def senseless(hint: Any) -> list[Any]:
    """Values of the annotated type that no rule allows: NaN, -2, a name that nothing has."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return [value for a in arguments for value in senseless(a)]
    if origin is tuple and arguments[1:] == (...,):
        return [(value,) for value in senseless(arguments[0])]
    if origin is tuple:
        rest = [fitting(a) for a in arguments[1:]]
        return [(value, *rest) for value in senseless(arguments[0])]
    if origin in (Mapping, dict):
        return [{fitting(arguments[0]): value} for value in senseless(arguments[1])]
    if origin in CONTAINERS:
        return [[value] for value in senseless(arguments[0])]
    if origin is Literal or hint is str:
        return ["no such name"]
    return {int: [-2], float: [math.nan]}.get(hint, [])
