"""Ranges that move with another parameter, so that a search stays where trials can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial

from optuna_predictor_rl.core.decisions import Categorical, Decision, Numeric
from optuna_predictor_rl.core.space import Rows, SearchSpace

MIN_TRIALS = 6
"""Trials that have to show how a range moves; for choices, two trials each at least."""

MAX_NODES = 65
"""Positions between which the ends of a range are interpolated; all of fewer numbers."""

MAX_VALUE = 1e100
"""Largest value of which a line is fitted: the squares of larger ones overflow."""

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

    Ends of ranges are taken to be linear in the value of a numeric decision, as in `float(0, x)`
    and `int(n - 3, n + 3)`, or their positions in its position, as in `float(x / 10, x, log=True)`
    with a logarithmic x; or to be the same for each choice of a categorical one.

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
    best, least = None, MAX_UNEXPLAINED * np.ptp(decision.position(ends[has_range]), axis=0).max()
    for parent in range(child):
        used = has_range & ~np.isnan(rows[:, parent])
        if used.sum() < MIN_TRIALS:
            continue
        for fit in _fits(space.decisions[parent], rows[used, parent], decision, ends[used]):
            if fit.error < least:
                # As wide as the fit errs, so that no trial's own range is cut.
                low, high = np.minimum(*fit.ends.T), np.maximum(*fit.ends.T)
                least = fit.error
                best = LinkedRange(child, parent, fit.at, low - least, high + least)
    return best


@dataclass(frozen=True, eq=False)
class _Fit:
    """Ends of a range, in positions, as a function of another decision.

    Args:
        at: Positions of the other decision, ascending.
        ends: Positions of the ends there.
        error: The largest of a trial.
    """

    at: Float[ndarray, " k"]
    ends: Float[ndarray, "k 2"]
    error: float


def _fits(
    parent: Decision, positions: Float[ndarray, " n"], child: Numeric, ends: Float[ndarray, "n 2"]
) -> Iterator[_Fit]:
    """Yield ways in which the ends, given as values, may follow the parent's positions."""
    wanted = child.position(ends)
    if isinstance(parent, Categorical):
        tried = np.unique(positions)
        if len(positions) < 2 * len(tried):
            return
        means = np.array([wanted[positions == choice].mean(axis=0) for choice in tried])
        error = float(np.abs(means[np.searchsorted(tried, positions)] - wanted).max())
        fitted = np.tile([0.0, 1.0], (parent.n_values, 1))  # a choice without trials: any range
        fitted[tried.astype(np.int64)] = means
        yield _Fit(np.arange(parent.n_values, dtype=np.float64), fitted, error)
    elif np.ptp(positions):
        few = parent.n_values is not None and parent.n_values <= MAX_NODES
        at = parent.member_positions if few else np.linspace(0.0, 1.0, MAX_NODES)
        line = _line(positions, wanted)
        yield _Fit(at, line(at), float(np.abs(line(positions) - wanted).max()))
        values = parent.value(positions)
        if np.abs(values).max() < MAX_VALUE > np.abs(ends).max() and np.ptp(values):
            line = _line(values, ends)
            error = float(np.abs(child.position(line(values)) - wanted).max())
            yield _Fit(at, child.position(line(parent.value(at))), error)


def _line(
    x: Float[ndarray, " n"], y: Float[ndarray, "n 2"]
) -> Callable[[Float[ndarray, " m"]], Float[ndarray, "m 2"]]:
    """Return the line through y at x with the least squared error."""
    center, scale = x.mean(), np.ptp(x)
    columns = np.column_stack([np.ones_like(x), (x - center) / scale])
    found = np.linalg.lstsq(columns, y, rcond=None)[0]
    return lambda at: np.column_stack([np.ones_like(at), (at - center) / scale]) @ found
