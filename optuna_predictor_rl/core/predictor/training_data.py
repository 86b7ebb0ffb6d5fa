"""What a predictor is fitted to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.core.space import Rows


@dataclass(frozen=True)
class TrainingData:
    """Labelled configurations of a search space.

    Args:
        rows: Their rows, (n, decisions).
        labels: Label of each task, finite or NaN where missing; lower is better.
        errors: Standard deviations of the labels' errors; None is 0. Only the
            Gaussian processes use them.
        constraints: Value of each constraint, feasible up to zero, finite or NaN where missing;
            None is no constraint.
        exact_cost: Cost of rows, known for all of them and of about unit variance on these; it is
            added as the last task, which has no labels.
    """

    rows: Float[ndarray, "n d"]
    labels: Float[ndarray, "n t"]
    errors: Float[ndarray, "n t"] | None = None
    constraints: Float[ndarray, "n c"] | None = None
    exact_cost: Callable[[Rows], Float[ndarray, " n"]] | None = None
