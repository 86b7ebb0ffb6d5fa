"""Ranges that follow another parameter, so that a search stays where trials can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial

from optuna_predictor_rl.core.space import Categorical, Numeric, Rows, SearchSpace

MIN_TRIALS = 6
"""Trials that have to show how a range follows; for choices, two trials each at least."""

FOLLOWS = 0.25
"""Share of a range's movement that another parameter may leave unexplained."""


@dataclass(frozen=True, eq=False)
class Follower:
    """A numeric decision whose range moves with an earlier decision.

    Args:
        child: Index of the decision.
        parent: Index of the one it follows.
        known: Positions of the parent, ascending.
        low: Lowest position of the child at each.
        high: Highest position at each.
    """

    child: int
    parent: int
    known: Float[ndarray, " k"]
    low: Float[ndarray, " k"]
    high: Float[ndarray, " k"]

    def confine(self, rows: Rows) -> None:
        """Move the child of rows into its range, in place."""
        parent = np.nan_to_num(rows[:, self.parent])
        low = np.interp(parent, self.known, self.low)
        high = np.interp(parent, self.known, self.high)
        rows[:, self.child] = np.clip(rows[:, self.child], low, high)


def learn_followers(
    space: SearchSpace, rows: Rows, trials: Sequence[FrozenTrial]
) -> tuple[Follower, ...]:
    """The decisions whose ranges are explained by one earlier decision.

    Ends of ranges are taken to be linear in the position of a numeric decision, or the same for
    each choice of a categorical one.

    Args:
        space: The space of the trials.
        rows: Their rows, (n, decisions).
        trials: The trials.
    """
    found = (_follower(space, rows, trials, j) for j in range(len(space.decisions)))
    return tuple(follower for follower in found if follower is not None)


def _follower(
    space: SearchSpace, rows: Rows, trials: Sequence[FrozenTrial], child: int
) -> Follower | None:
    decision = space.decisions[child]
    if not isinstance(decision, Numeric):
        return None
    own = [trial.distributions.get(decision.name) for trial in trials]
    ends = np.full((len(trials), 2), np.nan)
    for i, d in enumerate(own):
        if isinstance(d, (FloatDistribution, IntDistribution)):
            ends[i] = d.low, d.high
    known = ~np.isnan(ends[:, 0])
    if known.sum() < MIN_TRIALS or (ends[known] == ends[known][0]).all():
        return None
    ends = decision.position(ends)
    movement = np.nanmax(np.ptp(ends[known], axis=0))
    best, least = None, FOLLOWS * movement
    for parent in range(child):
        used = known & ~np.isnan(rows[:, parent])
        if used.sum() < MIN_TRIALS:
            continue
        at, fitted, error = _fit(space, rows[used, parent], ends[used], parent)
        if error < least:
            low, high = np.minimum(*fitted.T) - error, np.maximum(*fitted.T) + error
            best, least = Follower(child, parent, at, low, high), error
    return best


def _fit(
    space: SearchSpace, positions: Float[ndarray, " n"], ends: Float[ndarray, "n 2"], parent: int
) -> tuple[Float[ndarray, " k"], Float[ndarray, "k 2"], float]:
    """Where ends are told, the ends there, and the largest error of the trials' ends."""
    decision = space.decisions[parent]
    if isinstance(decision, Categorical):
        at = np.unique(positions)
        fitted = np.array([ends[positions == choice].mean(axis=0) for choice in at])
        if len(positions) < 2 * len(at):
            return at, fitted, np.inf
        told = fitted[np.searchsorted(at, positions)]
        everywhere = np.tile([0.0, 1.0], (decision.n_values, 1))  # where no trial has been
        everywhere[at.astype(np.int64)] = fitted
        return (
            np.arange(decision.n_values, dtype=np.float64),
            everywhere,
            float(np.abs(told - ends).max()),
        )
    if not np.ptp(positions):
        return np.zeros(1), ends[:1], np.inf
    columns = np.column_stack([np.ones_like(positions), positions])
    line = np.linalg.lstsq(columns, ends, rcond=None)[0]
    at = np.array([0.0, 1.0])
    return at, np.column_stack([np.ones(2), at]) @ line, float(np.abs(columns @ line - ends).max())
