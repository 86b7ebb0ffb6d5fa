"""What is left between the labels of stopped trials and final values, learned from full trials.

A label is taken for the final value without what the training after it would still have changed.
That depends on the configuration: a search that believes its labels ends where they flatter. The
trials that ran to their end tell both, so the difference can be modelled (Kennedy and O'Hagan,
2000, "Predicting the output from a complex computer code when fast approximations are available").
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl.core.curves import Curve
from optuna_predictor_rl.core.encoding import Encoding
from optuna_predictor_rl.core.gaussian_process import fit_gaussian_process
from optuna_predictor_rl.core.space import Rows, SearchSpace
from optuna_predictor_rl.labels import is_full, stored_label
from optuna_predictor_rl.stopping import StoppingRule

MIN_FULL = 5
"""Full trials without which nothing is learned."""

CLIPPED = 10.0
"""Percent of the differences at either end that are clipped: diverged trials teach nothing."""


def expected_discrepancy(
    rule: StoppingRule | None, trials: Sequence[FrozenTrial], space: SearchSpace, rows: Rows
) -> Float[ndarray, " n"]:
    """What to add to the label of each labelled trial; 0 for full trials and without a rule.

    Args:
        rule: What the study's pruner decided.
        trials: The labelled trials.
        space: The search space.
        rows: Their rows, (n, decisions).

    Returns:
        In the unit and with the sign of the labels.
    """
    left = np.array([_left(rule, trial) for trial in trials])
    if rule is None or not left.any():
        return np.zeros(len(trials))
    gap = np.array([_gap(rule, trial) for trial in trials])
    known = np.isfinite(gap)
    if known.sum() < MIN_FULL:
        return np.zeros(len(trials))
    y = np.clip(gap[known], *np.percentile(gap[known], [CLIPPED, 100.0 - CLIPPED]))
    mean, spread = y.mean(), y.std()
    if not spread > 1e-12 * np.abs(y).max():
        return left * mean
    encoding = Encoding(space)
    process = fit_gaussian_process(
        encoding(rows[known]), (y - mean) / spread, encoding.column_feature
    )
    stopped = left > 0
    left[stopped] *= mean + spread * process.predict(encoding(rows[stopped]))[0]
    return left


def _left(rule: StoppingRule | None, trial: FrozenTrial) -> float:
    """The share of the difference that is still to come for a labelled trial: 1 at the cutoff."""
    labelled = trial.state == TrialState.RUNNING or stored_label(trial) is not None
    if rule is None or is_full(trial) or not labelled:
        return 0.0
    return rule.left(Curve.of(trial.intermediate_values))


def _gap(rule: StoppingRule, trial: FrozenTrial) -> float:
    """A full trial's final value without the label that it would have had at the cutoff."""
    if rule.cutoff is None or trial.value is None or not is_full(trial):
        return math.nan
    reached = {s: v for s, v in trial.intermediate_values.items() if s <= rule.cutoff}
    label = rule.label(Curve.of(reached)) if reached else None
    return math.nan if label is None else trial.value - label.value
