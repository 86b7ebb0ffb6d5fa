"""Rows of one search space as rows of another one, decision by decision of the same name."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.core.decisions import Categorical, Decision, Numeric
from optuna_predictor_rl.core.space import Rows, SearchSpace


def translated(
    rows: Rows, source: SearchSpace, target: SearchSpace, default: Float[ndarray, " d"]
) -> Rows:
    """Return the rows of the target space that are closest to rows of the source space.

    Values outside of the target's range are moved to its ends; choices that it lacks are missing
    (NaN), as are decisions that are inactive; decisions that it lacks are left out.

    Args:
        rows: Rows of the source space.
        source: The space they are of.
        target: The space to translate them to.
        default: A row of the target space: its positions in decisions that the source lacks.

    Example:
        >>> wide = SearchSpace((Numeric(name="x", low=0.0, high=10.0),))
        >>> narrow = SearchSpace((Numeric(name="x", low=0.0, high=4.0),))
        >>> translated(np.array([[0.2], [0.9]]), wide, narrow, np.array([0.5])).tolist()
        [[0.5], [1.0]]
    """
    index = {decision.name: i for i, decision in enumerate(source.decisions)}
    found = np.tile(default, (len(rows), 1))
    for j, decision in enumerate(target.decisions):
        i = index.get(decision.name)
        if i is not None:
            found[:, j] = _positions(rows[:, i], source.decisions[i], decision)
    return target.canonical(found)


def _positions(
    positions: Float[ndarray, " n"], source: Decision, target: Decision
) -> Float[ndarray, " n"]:
    present = ~np.isnan(positions)
    found = np.full(len(positions), np.nan)
    if isinstance(source, Categorical):
        table = np.array([_position(choice, target) for choice in source.choices])
        found[present] = table[positions[present].astype(np.int64)]
    elif isinstance(target, Numeric):
        found[present] = target.snap(target.position(source.value(positions[present])))
    else:
        found[present] = [_position(source.decode(p), target) for p in positions[present]]
    return found


def _position(value: object, target: Decision) -> float:
    """Return the position of a single value, NaN if the target has nothing like it."""
    if isinstance(target, Numeric):
        if not _is_number(value):
            return math.nan
        return float(target.snap(target.position(np.array([float(value)])))[0])  # type: ignore[arg-type]
    try:
        return float(target.index(value))
    except ValueError:
        if target.ordinal is None or not _is_number(value):
            return math.nan
        return float(np.abs(np.array(target.choices) - float(value)).argmin())  # type: ignore[arg-type]


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]
