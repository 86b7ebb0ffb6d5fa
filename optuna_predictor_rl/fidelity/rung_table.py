"""The values that trials reported at rungs, geometric shares of a full training, and between."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl.core.curves import Curve
from optuna_predictor_rl.core.curves.curve import float_step
from optuna_predictor_rl.fidelity.full_curves import with_full_curves
from optuna_predictor_rl.fidelity.labels import is_full
from optuna_predictor_rl.study import storage

RUNG_SHARES = (1 / 64, 1 / 16, 1 / 4)
"""Shares of a full training at which trainings are compared."""

MAX_GRID = 48
"""Further steps at which values are kept, for trials that others stopped there."""

MAX_LATE_FACTOR = 2.0
"""A report counts for a step if less than this many times as much has been trained by then."""


@dataclass(frozen=True)
class Rungs:
    """Steps at which trainings are compared.

    Attributes:
        steps: Growing, before the end.
        grid: These and others, growing.
        end: The last step of a full training.
        start: Where training began: one interval before its first report.
    """

    steps: Float[ndarray, " k"]
    grid: Float[ndarray, " g"]
    end: float
    start: float

    @classmethod
    def of(cls, full: Sequence[FrozenTrial], n_steps: int | None = None) -> Rungs | None:
        """Return the rungs that full trials lead to; None before one has reported a curve.

        A rung is the first step, of those at which the longest training reported, that is at or
        past its share.

        Args:
            full: Full trials.
            n_steps: The last step of a full training, if it is told.
        """
        usable = with_full_curves(full)
        if not usable:
            return None
        longest = max(usable, key=lambda t: (max(t.intermediate_values), -t.number))
        reported = np.sort(np.array([float_step(s) for s in longest.intermediate_values]))
        end = float(reported[-1]) if n_steps is None else float(n_steps)
        interval = float(np.median(np.diff(reported))) if len(reported) > 1 else 0.0
        start = float(reported[0]) - interval
        reported = reported[reported < end]
        shares = start + (end - start) * np.array(RUNG_SHARES) * (1.0 - 1e-12)
        places = np.searchsorted(reported, shares)
        steps = np.unique(reported[places[places < len(reported)]])
        thinned = np.linspace(0, len(reported) - 1, min(len(reported), MAX_GRID)).round()
        grid = np.union1d(steps, reported[thinned.astype(int)])
        return cls(steps, grid, end, start)

    @property
    def columns(self) -> list[int]:
        """Return the places of the rungs in the grid."""
        return [int(place) for place in np.searchsorted(self.grid, self.steps)]

    def next_after(self, step: float) -> float:
        """Return the next rung's step; infinite after the last one."""
        passed = int(np.searchsorted(self.steps, step, side="right"))
        return float(self.steps[passed]) if passed < len(self.steps) else math.inf

    def values(self, curve: Curve, *, ended: bool = False) -> Float[ndarray, " g"]:
        """Return a curve's first value at or past each step of the grid.

        NaN where there is none in time: the training did not come there, or began later. One that
        `ended` early keeps its last value from then on.
        """
        found = np.full(len(self.grid), math.nan)
        if len(curve) == 0:
            return found
        places = np.searchsorted(curve.steps, self.grid)
        reached = places < len(curve)
        first = curve.steps[np.minimum(places, len(curve) - 1)]
        late = first - self.start >= MAX_LATE_FACTOR * (self.grid - self.start)
        in_time = reached & ~(late & (first > self.grid))
        found[in_time] = curve.values[places[in_time]]
        if ended:
            found[~reached] = curve.values[-1]
        return found


@dataclass(frozen=True)
class RungTable:
    """What trials came to.

    Attributes:
        rungs: Where they are compared.
        trials: Those that reported a value, in their order.
        values: Theirs on the grid and, of full trials, at the end; lower is better; NaN if none.
        rows: Those of finished trials by their identifier, so that they are read once.
    """

    rungs: Rungs
    trials: list[FrozenTrial]
    values: Float[ndarray, "n g"]
    rows: dict[int, Float[ndarray, " g"]]

    @classmethod
    def of(
        cls,
        trials: Sequence[FrozenTrial],
        rungs: Rungs,
        sign: float,
        before: RungTable | None = None,
    ) -> RungTable:
        """Read trials.

        Args:
            trials: Of any state; those that failed are left out.
            rungs: Where to compare.
            sign: 1 if the study minimizes, -1 if it maximizes.
            before: An earlier table, of whose grid finished trials are not read again.
        """
        same = before is not None and np.array_equal(before.rungs.grid, rungs.grid)
        known = before.rows if before is not None and same else {}
        rows: dict[int, Float[ndarray, " g"]] = {}
        kept, values = [], []
        for trial in trials:
            if not trial.intermediate_values or trial.state == TrialState.FAIL:
                continue
            key = storage.trial_id(trial)
            row = known.get(key)
            if row is None:
                row = row_of(trial, rungs, sign)
            if trial.state.is_finished():
                rows[key] = row
            if not np.isnan(row).all():
                kept.append(trial)
                values.append(row)
        shape = (len(values), len(rungs.grid) + 1)
        return cls(rungs, kept, np.array(values, dtype=np.float64).reshape(shape), rows)

    @property
    def full(self) -> Bool[ndarray, " n"]:
        """Return which trials have a final value."""
        return np.asarray(~np.isnan(self.values[:, -1]))

    @property
    def trained(self) -> float:
        """Return the steps of all trials, in full trainings."""
        shares = (np.append(self.rungs.grid, self.rungs.end) - self.rungs.start) / (
            self.rungs.end - self.rungs.start
        )
        return float(np.where(np.isnan(self.values), 0.0, shares).max(axis=1).sum())


def row_of(trial: FrozenTrial, rungs: Rungs, sign: float) -> Float[ndarray, " g"]:
    """Return a trial's values on the grid and, if it is full, at the end; lower is better."""
    full = is_full(trial)
    final = trial.value if full and trial.value is not None else math.nan
    curve = Curve.of(trial.intermediate_values)
    row = sign * np.append(rungs.values(curve, ended=full), final)
    row[~np.isfinite(row)] = math.nan
    return np.asarray(row)


def column_of(row: Float[ndarray, " g"]) -> int | None:
    """Return the last column of the grid at which a row has a value; None without one."""
    known = np.flatnonzero(~np.isnan(row[:-1]))
    return int(known[-1]) if len(known) else None
