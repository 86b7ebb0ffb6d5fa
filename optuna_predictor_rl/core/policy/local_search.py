"""Local moves around the best candidates: the last step from the policy's grid to an optimum."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.core.decisions import Categorical
from optuna_predictor_rl.core.space import Rows, SearchSpace

Score = Callable[[Rows], Float[ndarray, " n"]]
"""What a search minimizes: rows (n, decisions) -> scores (n,)."""

N_MOVED = 6
"""Best rows that each pass moves."""

N_JOINT_MOVES = 12
"""Moves of a row in all of its numeric decisions at once."""

FIRST_STEP = 0.2
"""Standard deviation of the first pass's steps in a numeric decision, as a share of its range."""

MAX_EXHAUSTIVE = 64
"""Most decisions of a space, and choices of a decision, that are all tried in each pass."""

N_DRAWN_DECISIONS = 32
"""Decisions that are moved in a larger space, drawn anew in each pass."""

N_DRAWN_CHOICES = 128
"""Choices that are tried in all decisions of a larger space together."""


def refine(
    space: SearchSpace,
    score: Score,
    rows: Rows,
    scores: Float[ndarray, " n"],
    n_passes: int,
    rng: np.random.Generator,
) -> tuple[Rows, Float[ndarray, " m"]]:
    """Move the best rows by one decision, or a little in all numeric ones, and keep the best.

    The steps in numeric decisions halve from pass to pass.

    Args:
        space: The search space.
        score: What to minimize.
        rows: Where to start; each pass moves the best few of all rows so far.
        scores: Scores of the rows.
        n_passes: Number of passes.
        rng: Source of randomness.

    Returns:
        The rows that were tried, and their scores.
    """
    tried, tried_scores = [rows[:0]], [scores[:0]]
    for i in range(n_passes):
        best = np.argsort(scores, kind="stable")[:N_MOVED]
        rows, scores = rows[best], scores[best]
        moved = neighbours(space, rows, FIRST_STEP * 0.5**i, rng)
        if not len(moved):
            break
        tried.append(moved)
        tried_scores.append(score(moved))
        rows, scores = np.concatenate([rows, moved]), np.concatenate([scores, tried_scores[-1]])
    return np.concatenate(tried), np.concatenate(tried_scores)


def neighbours(space: SearchSpace, rows: Rows, step: float, rng: np.random.Generator) -> Rows:
    """Return rows that differ in one decision, by a choice or a Gaussian step, and joint moves.

    Spaces of more than 64 decisions, or of one with more than 64 choices, are too large to try
    all: at most 32 decisions and 128 of their choices are drawn instead.

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
        copies = np.repeat(rows, N_JOINT_MOVES, axis=0)
        scale = step * rng.choice([1.0, 0.3, 0.1], size=(len(copies), 1))
        joint = copies[:, numeric] + scale * rng.normal(size=(len(copies), len(numeric)))
        copies[:, numeric] = np.clip(joint, 0.0, 1.0)
        moved.append(copies)
    everything = np.concatenate(moved)
    uniform = rng.random(everything.shape)
    missing = np.isnan(everything)
    if missing.any():  # a move may activate a decision, which then takes any value
        free = SearchSpace(space.decisions).from_uniform(uniform)
        everything = np.where(missing, free, everything)
    return space.snap(everything)


def _drawn(space: SearchSpace, rng: np.random.Generator) -> tuple[Sequence[int], int]:
    """Return the decisions to move, and how many choices of each are tried."""
    n = len(space.decisions)
    most = max((d.n_values for d in space.decisions if isinstance(d, Categorical)), default=0)
    if n <= MAX_EXHAUSTIVE and most <= MAX_EXHAUSTIVE:
        return range(n), MAX_EXHAUSTIVE
    drawn = rng.choice(n, min(n, N_DRAWN_DECISIONS), replace=False)
    return drawn.tolist(), N_DRAWN_CHOICES // len(drawn)
