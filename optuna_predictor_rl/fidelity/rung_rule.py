"""Whether a training stops at a rung: by its rank there, and by the probability of a gain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.fidelity.rung_model import RungModel
from optuna_predictor_rl.fidelity.rung_table import RungTable

MIN_FULL = 3
"""Full trials before which none is stopped, and none labelled."""

KEPT = 0.25
"""Share of the trials at a rung that may train on: rungs are as far apart, so that each rung costs
as much as the others together, as in successive halving."""

WINDOW = 30
"""The latest trials at a rung that a trial is compared with: a search improves."""

MIN_PROBABILITY = 0.02
"""Least probability of a gain with which a training goes on."""

LIKELY = 0.1
"""Probability of a gain with which a training goes on although it is behind."""

GAIN = 0.02
"""The gain worth having, as a share of what separates the median full trial from the best."""

PRIOR_COMPARISONS = (3.0, 1.0)
"""Comparisons that agree and that do not, believed in before any are seen."""

MIN_AGREEMENT = 0.5
"""A rung is open for as long as its order may agree with later orders in this share of pairs."""

AGREEMENT_QUANTILE = 0.9
"""Of the belief about the share, that has to be as high: a rung closes by evidence, not by doubt,
as the earliest ones cost little."""


def is_open(here: Float[ndarray, " n"], later: Float[ndarray, "n l"]) -> bool:
    """Return whether the order at a rung has been seen to agree with later orders.

    Each pair of trials is compared at the latest step to which both came. Of n trials, n - 1
    comparisons are counted as independent.

    Args:
        here: Values at the rung; lower is better, NaN where there is none.
        later: Values at the later rungs and at the end.
    """
    kept = ~np.isnan(here) & ~np.isnan(later).all(axis=1)
    here, later = here[kept][-WINDOW:], later[kept][-WINDOW:]
    n = len(here)
    order, agree = np.sign(here[:, None] - here), np.zeros((n, n))
    for column in later.T:
        difference = column[:, None] - column
        agree = np.where(np.isnan(difference), agree, order * np.sign(difference))
    n_agree, n_differ = int((agree > 0).sum()), int((agree < 0).sum())
    if n_agree + n_differ == 0:
        return False
    share = n_agree / (n_agree + n_differ)
    agreed, differed = PRIOR_COMPARISONS
    belief = agreed + (n - 1) * share, differed + (n - 1) * (1.0 - share)
    return bool(scipy.special.betaincinv(*belief, AGREEMENT_QUANTILE) >= MIN_AGREEMENT)


@dataclass(frozen=True)
class Standing:
    """A trial at a rung.

    Attributes:
        table: Of the others.
        model: Learned from them.
        row: The trial's values on the grid; lower is better.
        column: Of the rung in the grid.
        x: Its encoded parameters; None without any.
    """

    table: RungTable
    model: RungModel
    row: Float[ndarray, " g"]
    column: int
    x: Float[ndarray, "1 c"] | None

    def finals(self) -> Float[ndarray, " s"]:
        """Return draws of the value that the trial would come to."""
        return np.asarray(self.model.final(self.row[None, :], self.column, self.x)[0])

    def stops(self) -> bool:
        """Return whether the trial is behind the others, or will hardly beat the best.

        One that is behind goes on if trials nearby, in its parameters, came to so much that it is
        likely to be the best.
        """
        later = [c for c in self.table.rungs.columns if c > self.column]
        values = self.table.values
        if not is_open(values[:, self.column], values[:, [*later, -1]]):
            return False
        probability = self._probability_of_gain()
        return probability < (LIKELY if self._is_behind() else MIN_PROBABILITY)

    def _is_behind(self) -> bool:
        """Return whether enough of the latest trials were better at this rung."""
        others = self.table.values[:, self.column]
        others = others[~np.isnan(others)][-WINDOW:]
        ahead = int((others < self.row[self.column]).sum())
        return ahead >= KEPT * len(others)

    def _probability_of_gain(self) -> float:
        """Return how likely the trial is to beat the best one by a gain worth having."""
        known = self.table.values[self.table.full, -1]
        gain = GAIN * float(np.median(known) - known.min())
        return float((self.finals() < self.model.best - gain).mean())
