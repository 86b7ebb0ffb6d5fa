"""Constraints of trials as columns, and columns of numbers without infinite ones."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from optuna.trial import FrozenTrial


def is_feasible(trial: FrozenTrial) -> bool:
    """Return whether a trial satisfies all constraints that it has; NaN is not satisfied."""
    return all(value <= 0.0 for value in trial.constraints.values())


def constraint_columns(trials: Sequence[FrozenTrial]) -> Float[ndarray, "n c"]:
    """Return the value of every constraint that any trial has; NaN where a trial lacks it.

    A value that is NaN is infinite: nothing says that the constraint is satisfied.
    """
    found = [trial.constraints for trial in trials]
    names = list(dict.fromkeys(name for constraints in found for name in constraints))
    columns = np.full((len(trials), len(names)), math.nan)
    for i, constraints in enumerate(found):
        for name, value in constraints.items():
            columns[i, names.index(name)] = math.inf if math.isnan(value) else value
    return columns


def finite_constraints(columns: Float[ndarray, "n c"]) -> Float[ndarray, "n c"]:
    """Replace infinite numbers by the largest finite size of their column, or 1, with their sign.

    So a constraint that is broken stays broken.
    """
    sizes = np.abs(np.where(np.isfinite(columns), columns, 0.0)).max(0, initial=0.0)
    sizes = np.where(sizes > 0.0, sizes, 1.0)
    return np.clip(columns, -sizes, sizes)


def finite(columns: Float[ndarray, "n t"]) -> Float[ndarray, "n t"]:
    """Replace infinite numbers by the smallest or largest finite one of their column."""
    replaced = [_finite(column) for column in columns.T]
    return np.stack(replaced, axis=1) if replaced else columns


def _finite(column: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
    found = column[np.isfinite(column)]
    low, high = (found.min(), found.max()) if len(found) else (0.0, 0.0)
    return np.where(np.isnan(column), np.nan, np.clip(column, low, high))
