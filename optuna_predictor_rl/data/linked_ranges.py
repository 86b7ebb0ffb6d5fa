"""Ranges that move with another parameter, so that a search stays where trials can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial

from optuna_predictor_rl.core.decisions import Categorical, Numeric
from optuna_predictor_rl.core.space import Rows, SearchSpace

MIN_TRIALS = 6
"""Trials that have to show how a range moves; for choices, two trials each at least."""

MAX_UNEXPLAINED = 0.25
"""Share of a range's movement that another parameter may leave unexplained."""


@dataclass(frozen=True, eq=False)
class LinkedRange:
    """The range of a numeric decision that moves with an earlier decision.

    Args:
        child: Index of the decision.
        parent: Index of the earlier one.
        at: Positions of the parent, ascending.
        low: Lowest position of the child at each.
        high: Highest position at each.
    """

    child: int
    parent: int
    at: Float[ndarray, " k"]
    low: Float[ndarray, " k"]
    high: Float[ndarray, " k"]

    def confine(self, rows: Rows) -> None:
        """Move the child of rows into its range, in place."""
        parent = np.nan_to_num(rows[:, self.parent])
        low = np.interp(parent, self.at, self.low)
        high = np.interp(parent, self.at, self.high)
        rows[:, self.child] = np.clip(rows[:, self.child], low, high)


def learn_linked_ranges(
    space: SearchSpace, rows: Rows, trials: Sequence[FrozenTrial]
) -> tuple[LinkedRange, ...]:
    """Return the ranges whose movement one earlier decision explains.

    Ends of ranges are taken to be linear in the position of a numeric decision, or the same for
    each choice of a categorical one.

    Args:
        space: The space of the trials.
        rows: Their rows, (n, decisions).
        trials: The trials.
    """
    found = (_linked_range(space, rows, trials, j) for j in range(len(space.decisions)))
    return tuple(linked for linked in found if linked is not None)


def _linked_range(
    space: SearchSpace, rows: Rows, trials: Sequence[FrozenTrial], child: int
) -> LinkedRange | None:
    decision = space.decisions[child]
    if not isinstance(decision, Numeric):
        return None
    ends = np.full((len(trials), 2), np.nan)
    for i, trial in enumerate(trials):
        d = trial.distributions.get(decision.name)
        if isinstance(d, (FloatDistribution, IntDistribution)):
            ends[i] = d.low, d.high
    has_range = ~np.isnan(ends[:, 0])
    if has_range.sum() < MIN_TRIALS or (ends[has_range] == ends[has_range][0]).all():
        return None
    ends = decision.position(ends)
    movement = np.nanmax(np.ptp(ends[has_range], axis=0))
    best, least = None, MAX_UNEXPLAINED * movement
    for parent in range(child):
        used = has_range & ~np.isnan(rows[:, parent])
        if used.sum() < MIN_TRIALS:
            continue
        at, fitted, error = _fit(space, rows[used, parent], ends[used], parent)
        if error < least:
            # As wide as the fit errs, so that no trial's own range is cut.
            low, high = np.minimum(*fitted.T) - error, np.maximum(*fitted.T) + error
            best, least = LinkedRange(child, parent, at, low, high), error
    return best


def _fit(
    space: SearchSpace, positions: Float[ndarray, " n"], ends: Float[ndarray, "n 2"], parent: int
) -> tuple[Float[ndarray, " k"], Float[ndarray, "k 2"], float]:
    """Return positions of the parent, the fitted ends there, and the largest error of a trial."""
    decision = space.decisions[parent]
    if isinstance(decision, Categorical):
        tried = np.unique(positions)
        means = np.array([ends[positions == choice].mean(axis=0) for choice in tried])
        if len(positions) < 2 * len(tried):
            return tried, means, np.inf
        error = float(np.abs(means[np.searchsorted(tried, positions)] - ends).max())
        fitted = np.tile([0.0, 1.0], (decision.n_values, 1))  # a choice without trials: any range
        fitted[tried.astype(np.int64)] = means
        return np.arange(decision.n_values, dtype=np.float64), fitted, error
    if not np.ptp(positions):
        return np.zeros(1), ends[:1], np.inf
    columns = np.column_stack([np.ones_like(positions), positions])
    line = np.linalg.lstsq(columns, ends, rcond=None)[0]
    at = np.array([0.0, 1.0])
    return at, np.column_stack([np.ones(2), at]) @ line, float(np.abs(columns @ line - ends).max())
