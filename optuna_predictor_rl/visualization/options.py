"""The options of a policy's decision as text."""

from itertools import pairwise

import numpy as np

from optuna_predictor_rl.core.decisions import Categorical, Numeric
from optuna_predictor_rl.core.policy.factorized import Grid
from optuna_predictor_rl.support.text import shortened
from optuna_predictor_rl.visualization.style import distinct

WIDEST_TICK = 10
"""Characters of a choice that are written beside a panel."""


def option_names(grid: Grid, j: int) -> list[str]:
    """Return the options of decision `j` as text: choices, values, or intervals of values."""
    decision = grid.space.decisions[j]
    if isinstance(decision, Categorical):
        return distinct([shortened(choice) for choice in decision.choices])
    n = int(grid.n_options[j])
    if _are_values(decision, n):
        return [f"{decision.decode(position):g}" for position in decision.member_positions]
    edges = decision.value(np.linspace(0.0, 1.0, n + 1))
    return distinct([f"{low:.3g} to {high:.3g}" for low, high in pairwise(edges)])


def option_ticks(grid: Grid, j: int) -> list[str]:
    """Return the options of decision `j` in a few characters; an interval by its middle."""
    decision = grid.space.decisions[j]
    if isinstance(decision, Categorical):
        return [shortened(choice, WIDEST_TICK) for choice in decision.choices]
    n = int(grid.n_options[j])
    if _are_values(decision, n):
        return option_names(grid, j)
    middles = decision.value((np.arange(n) + 0.5) / n)
    return [f"{v:.0f}" if 100 <= abs(v) < 1e5 else f"{v:.2g}" for v in middles]


def _are_values(decision: Numeric, n_options: int) -> bool:
    """Return whether each option is one value, not an interval of values."""
    return decision.n_values is not None and decision.n_values <= n_options
