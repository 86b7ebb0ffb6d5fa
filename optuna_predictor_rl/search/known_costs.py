"""Costs that are known in advance, and the budget, for the rows of a history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.core.policy.local_search import refine
from optuna_predictor_rl.core.space import Rows
from optuna_predictor_rl.core.targets import ROUNDING
from optuna_predictor_rl.data.costs import RowCosts
from optuna_predictor_rl.data.history import History

RowFunction = Callable[[Rows], Float[ndarray, " n"]]

N_CHEAPER = 12
"""Passes of local moves towards the budget, whose steps end at a 10,000th of a range."""


@dataclass(frozen=True)
class KnownCosts:
    """Costs of a history's rows that are known in advance; if they are not, all is affordable."""

    history: History
    row_costs: RowCosts | None

    @cached_property
    def exact(self) -> RowFunction | None:
        """The cost of rows, if it is known."""
        costs = self.row_costs
        if costs is None:
            return None
        return lambda rows: costs(self.history.space, self.history.fixed, rows)

    @cached_property
    def standard(self) -> RowFunction | None:
        """The cost of rows, standardized on the labelled ones, if it is known."""
        exact = self.exact
        if exact is None:
            return None
        center, scale = self._center_and_scale
        return lambda rows: (exact(rows) - center) / scale

    def excess(self, rows: Rows) -> Float[ndarray, " n"]:
        """Return how far rows are over the budget, in standard deviations of the labelled ones."""
        if self.row_costs is None or self.row_costs.budget is None:
            return np.zeros(len(rows))
        over = self.row_costs.excess(self.history.space, self.history.fixed, rows)
        return over / self._center_and_scale[1]

    def is_over_budget(self, row: Float[ndarray, " d"]) -> bool:
        """Return whether a row costs more than is allowed."""
        return bool(self.excess(row[None])[0] > 0.0)

    def affordable(self, rows: Rows) -> Rows:
        """Return the rows within the budget or, if there are none, all, the cheapest first."""
        over = self.excess(rows)
        within = over == 0.0
        return rows[within] if within.any() else rows[np.argsort(over, kind="stable")]

    def cheaper(self, rows: Rows, rng: np.random.Generator) -> Rows:
        """Return rows, and what local moves towards the budget find from the cheapest of them."""
        scope = self.history.scope
        start = scope.to_free(rows)
        found, _ = refine(
            scope.space,
            lambda moved: self.excess(scope.to_model(moved)),
            start,
            self.excess(scope.to_model(start)),
            N_CHEAPER,
            rng,
        )
        return np.concatenate([rows, scope.to_model(found)])

    @cached_property
    def _center_and_scale(self) -> tuple[float, float]:
        """Mean and standard deviation on the labelled rows; their size where all are the same."""
        assert self.exact is not None
        costs = self.exact(self.history.rows)
        size = float(np.abs(costs).max(initial=0.0)) or 1.0
        spread = float(costs.std()) if len(costs) else 0.0
        center = float(costs.sum() / max(len(costs), 1))
        return center, spread if spread > ROUNDING * size else size
