"""Constraints of trials as columns, and columns of numbers without infinite ones."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from optuna.trial import FrozenTrial


def constraint_columns(trials: Sequence[FrozenTrial]) -> Float[ndarray, "n c"]:
    """Return the value of every constraint that any trial has; NaN where a trial lacks it."""
    found = [trial.constraints for trial in trials]
    names = list(dict.fromkeys(name for constraints in found for name in constraints))
    values = [[constraints.get(name, math.nan) for name in names] for constraints in found]
    return np.array(values, dtype=np.float64).reshape(len(trials), len(names))


def finite(columns: Float[ndarray, "n t"]) -> Float[ndarray, "n t"]:
    """Replace infinite numbers by the smallest or largest finite one of their column."""
    replaced = [_finite(column) for column in columns.T]
    return np.stack(replaced, axis=1) if replaced else columns


def _finite(column: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
    found = column[np.isfinite(column)]
    low, high = (found.min(), found.max()) if len(found) else (0.0, 0.0)
    return np.where(np.isnan(column), np.nan, np.clip(column, low, high))
