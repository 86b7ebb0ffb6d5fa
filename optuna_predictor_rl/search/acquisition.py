"""What a search is for, and the score of rows that it minimizes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from optuna_predictor_rl.core.policy.config import PolicyConfig
from optuna_predictor_rl.core.policy.spacing import near_to
from optuna_predictor_rl.core.predictor.ensemble import Ensemble
from optuna_predictor_rl.core.predictor.success import SuccessModel
from optuna_predictor_rl.core.predictor.training_data import TrainingData
from optuna_predictor_rl.core.predictor.transfer import SourcePredictions
from optuna_predictor_rl.core.space import Rows
from optuna_predictor_rl.core.targets import rank_targets, signed_target, transformed
from optuna_predictor_rl.data.history import History
from optuna_predictor_rl.search.known_costs import KnownCosts, RowFunction
from optuna_predictor_rl.search.penalty import FORBIDDEN, beyond_limit
from optuna_predictor_rl.search.risk import RiskLimit

N_ELITE = 5
"""Best trials so far from which rounds of the policy and local moves start.

Mean regret after 25 trials is .068, and .101 if all rounds start uniform: 12 tasks, seed 0
(`benchmarks/search/ablations.py`).
"""

FEASIBILITY_POWER = 3.0
"""Power of the probability of feasibility that the improvement is multiplied by."""

N_FREE = 25
"""Labelled trials from which on a trial must be likely enough to be feasible.

On three tasks (`benchmarks search constraints`, seeds 0 to 2) the share of infeasible trials is
.39 with neither this limit nor the power, .23 with the power alone, .13 with the limit alone and
.10 with both, at the same regret; a limit from trial 40 on gives .17 alone.
"""


@dataclass(frozen=True)
class SearchProblem:
    """The trials so far, how their tasks are weighed, and what is known beside them.

    Args:
        history: The trials.
        weight: Weight of each task in Eq. (6).
        source_predictions: What other searches predict of rows, if there are any.
        logits: Where the policies start, on the options of their grid; None is uniform.
    """

    history: History
    weight: Float[ndarray, " t"]
    source_predictions: SourcePredictions | None
    logits: Float[ndarray, "d o"] | None

    def training_data(self, exact_cost: RowFunction | None) -> TrainingData:
        """Return what a predictor is fitted to, with a known cost as the last task."""
        trials = self.history
        return TrainingData(
            trials.rows, trials.labels, trials.errors, trials.constraints, exact_cost
        )

    @cached_property
    def fit_key(self) -> bytes:
        """Digest of all that a fit depends on: sources predict the same for the same trials."""
        history = self.history
        digest = hashlib.blake2b(repr((history.space, history.fixed)).encode(), digest_size=16)
        optional = (history.errors, history.objective_weights)  # sources are weighed by the latter
        errors, weights = (np.empty(0) if array is None else array for array in optional)
        for array in (history.rows, history.labels, errors, history.constraints, weights):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.digest()

    @property
    def key(self) -> bytes:
        """The same for problems with the same search: pending trials do not count."""
        history = self.history
        failed = history.failed.tobytes() + history.succeeded.tobytes()
        return self.fit_key + self.weight.tobytes() + history.scope.key.encode() + failed


@dataclass(frozen=True)
class Acquisition:
    """The score of rows, lower is better: how little it would be worth to try them.

    The policy's settings say what the reward is, and how far to keep from trials. Both the
    improvement and the mean count as much as a trial is likely to succeed, if any failed. What is
    too likely to fail is worse than all else.
    """

    problem: SearchProblem
    ensemble: Ensemble
    costs: KnownCosts
    policy: PolicyConfig
    success: SuccessModel | None = None

    def __call__(self, rows: Rows) -> Float[ndarray, " n"]:
        """Return the score that a search minimizes: that of the reward, worse near to trials."""
        return self.reward_score(rows) + FORBIDDEN * self._is_near(rows)

    def reward_score(self, rows: Rows) -> Float[ndarray, " n"]:
        """Return the negative of the reward, or worse over the budget and at too large a risk."""
        if self.policy.reward == "mean":
            return self.posterior_mean_score(rows)
        improvement, feasibility = self.ensemble.log_improvement(rows, self.problem.weight)
        score = self._penalty(rows) - improvement - FEASIBILITY_POWER * feasibility
        return score + self._infeasibility.penalty(feasibility)

    def posterior_mean_score(self, rows: Rows) -> Float[ndarray, " n"]:
        """Return Eq. (6) with the log probabilities of feasibility and success, or worse."""
        return self.ensemble.mean(rows, self.problem.weight) + self.handicap(rows)

    def condition_on_pending(self) -> Acquisition:
        """Return the acquisition once the history's pending trials have become as predicted."""
        ensemble = self.ensemble.condition_on_pending(self.problem.history.pending)
        return replace(self, ensemble=ensemble)

    def elite(self) -> Rows:
        """Return the best labelled rows, feasible ones first, best first, (at most 5, decisions).

        They are compared by the ranks of their labels, which need no fit; a missing label is in
        the middle, a missing constraint satisfied.
        """
        history = self.problem.history
        rows, labels = history.rows, history.labels
        signed = np.nan_to_num(transformed(history.constraints, signed_target))
        violation = np.maximum(signed, 0.0).sum(1) + self.costs.excess(rows)
        if self.costs.standard is not None:
            labels = np.column_stack([labels, self.costs.standard(rows)])
        standing = np.nan_to_num(rank_targets(labels))
        return rows[np.lexsort((standing @ self.problem.weight, violation))[:N_ELITE]]

    def handicap(self, rows: Rows) -> Float[ndarray, " n"]:
        """Return what `posterior_mean_score` adds to Eq. (6)."""
        return self._penalty(rows) + self.ensemble.infeasibility(rows)

    def is_acceptable(self, rows: Rows) -> Bool[ndarray, " n"]:
        """Return which rows are more likely feasible than not, within the budget and its risk."""
        return (self.ensemble.feasibility(rows) >= 0.5) & (self._penalty(rows) < FORBIDDEN)

    def _penalty(self, rows: Rows) -> Float[ndarray, " n"]:
        penalty = beyond_limit(self.costs.excess(rows))
        if self.success is not None:
            success = self.success.log_probability(rows)
            penalty = penalty + self._failure.penalty(success) - success
        return penalty

    @cached_property
    def _infeasibility(self) -> RiskLimit:
        """How likely a trial may be to break a constraint."""
        history = self.problem.history
        feasible = history.feasible
        if len(feasible) < N_FREE or feasible.all() or not feasible.any():
            return RiskLimit(-np.inf)
        return RiskLimit.of(self.ensemble.log_feasibility(history.rows[feasible]), feasible)

    @cached_property
    def _failure(self) -> RiskLimit:
        """How likely a trial may be to fail."""
        assert self.success is not None
        history = self.problem.history
        return RiskLimit.of(self.success.log_probability(history.rows), history.succeeded)

    @cached_property
    def _is_near(self) -> Callable[[Rows], Bool[ndarray, " n"]]:
        """Which rows are too near to a trial, by a distance that changes with each that ends."""
        history, distances = self.problem.history, self.policy.distances
        distance = distances[len(history.rows) % len(distances)]
        return near_to(history.space, history.seen, distance)
