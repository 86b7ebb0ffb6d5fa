"""Names of the attributes that the package writes on trials and studies, and their reading.

Anybody with access to the storage may have written an attribute, so none is trusted.
"""

from __future__ import annotations

import sys

# Low fidelity, on trials
LABEL = "predictor_rl:low_fidelity_label"
"""User attribute: the final value to expect of a stopped trial, in the unit of the reports."""

LABEL_STD = "predictor_rl:low_fidelity_label_std"
"""User attribute: the label's standard error, in the unit of the reports; absent if unknown."""

FIDELITY = "predictor_rl:fidelity"
"""User attribute: the step at which the training was stopped."""

AGAINST_ORDER = "predictor_rl:against_order"
"""User attribute: true if a trial trains to its end to show which trainings learn late."""

FULL_FIDELITY = "full_fidelity"
"""User attribute that the user sets when enqueuing a trial: true lets it run to its end."""

# Low fidelity, on studies
RULE = "predictor_rl:low_fidelity_rule:"
"""User attribute, with a number after it: the rule that so many full trials decided."""

FIXED_RULE = f"{RULE}fixed"
"""User attribute: the rule of a pruner whose cutoff the user fixed; None if it is over."""

# The sampler, on trials; optuna-dashboard sorts and draws them
PHASE = "predictor_rl:phase"
"""User attribute: "startup" (space-filling), "search" or, if all has been seen, "random"."""

ROUND = "predictor_rl:rl_round"
"""User attribute: the round of REINFORCE that proposed the trial; -1 for the local moves."""

PREDICTED = "predictor_rl:predicted_{task}"
"""User attribute: what the predictor expects, in the unit of the value or the cost."""

PREDICTED_STD = "predictor_rl:predicted_{task}_std"
"""User attribute: its standard deviation, not calibrated, in the same unit."""

VIOLATION = "predictor_rl:violation"
"""User attribute: sum of the constraints that are broken, 0 if the trial is feasible."""

FEASIBLE = "predictor_rl:feasible"
"""User attribute: 1 or 0, as optuna-dashboard does not sort truth values."""

PLANNED = "predictor_rl:relative_params"
"""System attributes, with a number after it: what a trial will be given, as JSON in pieces."""

# Comparisons, on trials
SEARCHER = "predictor_rl:searcher"
"""User attribute: the searcher that a trial belongs to; "shared", or absent, if to all."""

SUGGESTION_SECONDS = "predictor_rl:suggestion_seconds"
"""User attribute: wall time of the sampler. A trial that was cut short has none."""

EVALUATION_SECONDS = "predictor_rl:evaluation_seconds"
"""User attribute: wall time of the objective, without the sampler's."""

WORKER = "predictor_rl:worker"
"""System attribute: the process that runs the trial, see `comparison.workers`."""

# Comparisons and the dashboard, on studies
COMPARISON_SETTINGS = "predictor_rl:comparison"
"""User attribute: protocol and numbers of trials."""

SEARCHER_PREFIX = f"{SEARCHER}:"
"""Attributes that a searcher has written, with its name and their own name after it."""

PUBLISHED = "predictor_rl:published"
"""User attribute: when a worker last began to publish, in s since 1970, and its duration."""


def as_number(value: object) -> float | None:
    """Return a stored number, infinite and NaN included, or None if it is anything else.

    Example:
        >>> as_number(3), as_number("3"), as_number(True), as_number(10**400)
        (3.0, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        return None
    return float(value)
