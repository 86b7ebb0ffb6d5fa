"""Local moves around the best candidates: the last step from the policy's grid to an optimum."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.core.decisions import Categorical
from optuna_predictor_rl.core.space import Rows, SearchSpace

N_BEST = 6
N_JOINT = 12
FIRST_STEP = 0.2

MANY = 64
"""Decisions of a space, or choices of a decision, up to which all of them are tried."""

N_DECISIONS = 32
"""Decisions that are moved in a larger space, drawn anew in each pass."""

N_CHOICES = 128
"""Choices that are tried in all of them together."""


def refine(
    space: SearchSpace,
    cost: Callable[[Rows], Float[ndarray, " n"]],
    rows: Rows,
    costs: Float[ndarray, " n"],
    n_passes: int,
    rng: np.random.Generator,
) -> tuple[Rows, Float[ndarray, " m"]]:
    """Move the best rows by one decision, or a little in all numeric ones, and keep what is best.

    The steps in numeric decisions halve from pass to pass.

    Args:
        space: The search space.
        cost: What to minimize.
        rows: Where to start; the best few of all that is known are moved in each pass.
        costs: Costs of the rows.
        n_passes: Number of passes.
        rng: Source of randomness.

    Returns:
        The rows that were tried, and their costs.
    """
    tried = [rows[:0]]
    tried_costs = [costs[:0]]
    for i in range(n_passes):
        best = np.argsort(costs, kind="stable")[:N_BEST]
        rows, costs = rows[best], costs[best]
        moved = neighbours(space, rows, FIRST_STEP * 0.5**i, rng)
        if not len(moved):
            break
        value = cost(moved)
        tried.append(moved)
        tried_costs.append(value)
        rows, costs = np.concatenate([rows, moved]), np.concatenate([costs, value])
    return np.concatenate(tried), np.concatenate(tried_costs)


def neighbours(space: SearchSpace, rows: Rows, step: float, rng: np.random.Generator) -> Rows:
    """All rows that differ in one decision, by another choice or a Gaussian step, and some joint.

    In a space of more than 64 decisions, or of one with more than 64 choices, at most 32 decisions
    and 128 of their choices are drawn instead.

    Args:
        space: The search space.
        rows: Rows to move, (n, decisions).
        step: Standard deviation of a step in a numeric decision's position.
        rng: Source of randomness.
    """
    moved = [rows[:0]]
    decisions, n_choices = _drawn(space, rng)
    for j in decisions:
        decision = space.decisions[j]
        if isinstance(decision, Categorical):
            choices = np.arange(decision.n_values, dtype=np.float64)
            if len(choices) > n_choices:
                choices = rng.choice(choices, n_choices, replace=False)
            positions = np.tile(choices, (len(rows), 1))
        else:
            signed = np.abs(rng.normal(size=(len(rows), 4))) * [step, -step, step / 4, -step / 4]
            positions = np.clip(rows[:, j, None] + signed, 0.0, 1.0)
        copies = np.repeat(rows, positions.shape[1], axis=0)
        copies[:, j] = positions.ravel()
        moved.append(copies)
    numeric = [j for j, d in enumerate(space.decisions) if not isinstance(d, Categorical)]
    if numeric:
        copies = np.repeat(rows, N_JOINT, axis=0)
        scale = step * rng.choice([1.0, 0.3, 0.1], size=(len(copies), 1))
        copies[:, numeric] += scale * rng.normal(size=(len(copies), len(numeric)))
        moved.append(
            np.clip(copies, 0.0, np.where(np.isin(range(rows.shape[1]), numeric), 1.0, np.inf))
        )
    everything = np.concatenate(moved)
    uniform = rng.random(everything.shape)
    missing = np.isnan(everything)
    if missing.any():  # what becomes active takes any value
        free = SearchSpace(space.decisions).from_uniform(uniform)
        everything = np.where(missing, free, everything)
    return space.snap(everything)


def _drawn(space: SearchSpace, rng: np.random.Generator) -> tuple[Sequence[int], int]:
    """The decisions to move, and how many choices of each are tried."""
    n = len(space.decisions)
    widest = max((d.n_values for d in space.decisions if isinstance(d, Categorical)), default=0)
    if n <= MANY and widest <= MANY:
        return range(n), MANY
    drawn = rng.choice(n, min(n, N_DECISIONS), replace=False)
    return drawn.tolist(), N_CHOICES // len(drawn)
