"""The fitted predictor: ranking networks and Gaussian processes as one ensemble (Eq. 5).

Notation:

    row             A configuration as positions in the search space, (d,), NaN if inactive.
    x               Its encoding, the members' input, (c,).
    label           What a trial has of a task: its value or its cost, lower is better.
    target          A label transformed to about unit variance (`core.targets`), lower is better.
                    Members differ in the transformation; it is monotone, so that order is kept.
    task            Column of labels: the value, a measured cost and, last, a cost known exactly.
    member          The networks together, or the processes of one transformation: each predicts
                    a normal distribution of every target, N(mean, std^2).
    M               Number of members. The ensemble is their mixture with weights 1 / M.
    weight          The weight of each task in Eq. (6), (t,).
    threshold       Largest feasible target of a constraint.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from optuna_predictor_rl.core.encoding import Encoding
from optuna_predictor_rl.core.predictor.acquisition import (
    log_expected_improvement,
    log_feasibility,
)
from optuna_predictor_rl.core.predictor.members import Networks, Processes
from optuna_predictor_rl.core.predictor.moments import MemberMoments, Moments
from optuna_predictor_rl.core.predictor.transfer import FitResidual, SourcePredictions
from optuna_predictor_rl.core.space import Rows
from optuna_predictor_rl.core.targets import TARGETS, Target, transformed

EXACT_STD = 1e-6
"""Standard deviation of a cost that is known exactly: the improvement divides by it."""

LEAST_LOG_FEASIBILITY = float(np.log(1e-300))
"""Bound of the log probability where it is added to a mean, which is not to be lost beside it."""


@dataclass(frozen=True)
class Constraints:
    """Feasibility of the rows that a predictor was fitted on.

    Args:
        feasible: Which of the ensemble's rows satisfy all constraints.
        thresholds: For each member, the largest feasible target of each constraint.
    """

    feasible: Bool[ndarray, " n"]
    thresholds: tuple[Float[ndarray, " c"], ...]


class LogImprovement(NamedTuple):
    """What rows are worth trying for, in logarithms, (n,) each."""

    improvement: Float[ndarray, " n"]
    feasibility: Float[ndarray, " n"]


def _log_mean(logarithms: list[Float[ndarray, " n"]]) -> Float[ndarray, " n"]:
    """Return the logarithm of the mean."""
    return np.asarray(np.logaddexp.reduce(logarithms, axis=0) - np.log(len(logarithms)))


@dataclass(frozen=True)
class Ensemble:
    """A fitted predictor of targets.

    Members predict the tasks and, after them, the constraints.

    Args:
        encoding: From rows to inputs.
        networks: The first member.
        processes: The others, one for each kind of target but the ranks.
        rows: The rows it was fitted on, and pending ones that it was conditioned on.
        kinds: What each member models of the labels.
        exact_cost: The last task of rows, if it is known and not predicted.
        constraints: Feasibility of the rows, if there are constraints.
        source_predictions: What other searches predict, if there are any.
        residuals: What each member models beside those.
    """

    encoding: Encoding
    networks: Networks
    processes: tuple[Processes, ...]
    rows: Float[ndarray, "n d"]
    kinds: tuple[Target, ...]
    exact_cost: Callable[[Rows], Float[ndarray, " n"]] | None = None
    constraints: Constraints | None = None
    source_predictions: SourcePredictions | None = None
    residuals: tuple[FitResidual, ...] = ()
    _best_means: dict[tuple[float, ...], list[float]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def predict(self, rows: Rows) -> Moments:
        """Return mean and standard deviation of each task's target, (n, t) each."""
        moments = [member.tasks for member in self._with_exact_cost(rows)]
        mean = np.mean([m for m, _ in moments], axis=0)  # Eq. (5)
        square = np.mean([s**2 + m**2 for m, s in moments], axis=0)
        # Rounding leaves less than 0 of a mixture of equal members without spread.
        return Moments(mean, np.sqrt(np.maximum(square - mean**2, 1e-12)))

    def mean(self, rows: Rows, weight: Float[ndarray, " t"]) -> Float[ndarray, " n"]:
        """Return Eq. (6): the weighted sum over tasks of the ensemble's means."""
        return self.predict(rows).mean @ weight

    def posterior_mean_score(
        self, rows: Rows, weight: Float[ndarray, " t"]
    ) -> Float[ndarray, " n"]:
        """Return Eq. (6) less the log probability of feasibility; lower is better."""
        return self.mean(rows, weight) + self.infeasibility(rows)

    def infeasibility(self, rows: Rows) -> Float[ndarray, " n"]:
        """Return the negative log probability of feasibility, bounded so that a mean counts."""
        return -np.maximum(self.log_feasibility(rows), LEAST_LOG_FEASIBILITY)

    def log_improvement(self, rows: Rows, weight: Float[ndarray, " t"]) -> LogImprovement:
        """Return the logarithm of the expected improvement of Eq. (6)'s sum, the members' mean.

        It is 0 while no feasible row is known. Each member improves on its own mean at the best
        row, so that none must be right about the noise of that row's label.
        """
        members = self._with_exact_cost(rows)
        values = [np.zeros(len(rows))]
        if best := self._best(tuple(weight)):
            values = []
            for (tasks, _), lowest in zip(members, best, strict=True):
                spread = np.sqrt(tasks.std**2 @ weight**2)  # of a sum of independent tasks
                values.append(log_expected_improvement(tasks.mean @ weight, spread, lowest))
        # The mean of the members' logarithms instead did not help on 34 tasks.
        return LogImprovement(_log_mean(values), self._log_feasibility(members))

    def log_feasibility(self, rows: Rows) -> Float[ndarray, " n"]:
        """Return the log probability that a row satisfies all constraints, the members' mean."""
        if self.constraints is None:
            return np.zeros(len(rows))
        return self._log_feasibility(self.member_moments(rows))

    def feasibility(self, rows: Rows) -> Float[ndarray, " n"]:
        """Return the probability that a row satisfies all constraints, the mean over members."""
        return np.exp(self.log_feasibility(rows))

    def _log_feasibility(self, members: list[MemberMoments]) -> Float[ndarray, " n"]:
        if self.constraints is None:
            return np.zeros(len(members[0].tasks.mean))
        thresholds = self.constraints.thresholds
        return _log_mean(
            [log_feasibility(*m.constraints, t) for m, t in zip(members, thresholds, strict=True)]
        )

    def condition_on_pending(self, rows: Rows) -> Ensemble:
        """Return the ensemble once pending rows are observed to be as predicted.

        It is surer around them, and what improves on the best so far must improve on them too, so
        that other places win (the "believer" of Ginsbourger et al., 2010, "Kriging is well-suited
        to parallelize optimization"). They count as feasible where that is more likely than not.
        """
        if not len(rows):
            return self
        x = self.encoding(rows)
        constraints = self.constraints
        if constraints is not None:
            feasible = np.concatenate([constraints.feasible, self.feasibility(rows) >= 0.5])
            constraints = replace(constraints, feasible=feasible)
        return replace(
            self,
            rows=np.concatenate([self.rows, rows]),
            constraints=constraints,
            processes=tuple(process.condition_on_pending(x) for process in self.processes),
        )

    def targets(self, labels: Float[ndarray, "n t"]) -> list[Float[ndarray, "n t"]]:
        """Return each member's targets of the labels that it was fitted on."""
        return [transformed(labels, TARGETS[kind]) for kind in self.kinds]

    def member_moments(self, rows: Rows) -> list[MemberMoments]:
        """Return what each member predicts, without a cost that is known exactly."""
        joint = self._joint_moments(self.encoding(rows))
        n_tasks = joint[0].mean.shape[1]
        if self.constraints is not None:
            n_tasks -= len(self.constraints.thresholds[0])
        tasks = [Moments(mean[:, :n_tasks], std[:, :n_tasks]) for mean, std in joint]
        limited = [Moments(mean[:, n_tasks:], std[:, n_tasks:]) for mean, std in joint]
        if self.source_predictions is not None:
            predictions = self.source_predictions(rows)
            tasks = [
                residual.to_targets(predictions, moments)
                for residual, moments in zip(self.residuals, tasks, strict=True)
            ]
        return list(map(MemberMoments, tasks, limited))

    def _joint_moments(self, x: Float[ndarray, "n c"]) -> list[Moments]:
        """Return each member's moments of what it models, tasks and constraints side by side."""
        networks = self.networks.predict(x)
        processes = [process.predict(x) for process in self.processes]
        if processes:
            # Networks do not know where trials are. They are as sure of a place as the first
            # processes are, in shares of what these know of one far from all trials.
            share = processes[0].std / self.processes[0].prior_std
            networks = Moments(networks.mean, networks.std * share)
        return [networks, *processes]

    def _with_exact_cost(self, rows: Rows) -> list[MemberMoments]:
        """Return what each member predicts, with a known cost as the last task."""
        members = self.member_moments(rows)
        if self.exact_cost is None:
            return members
        cost = self.exact_cost(rows)[:, None]
        std = np.full_like(cost, EXACT_STD)
        return [
            MemberMoments(
                Moments(np.hstack([tasks.mean, cost]), np.hstack([tasks.std, std])), limited
            )
            for tasks, limited in members
        ]

    def _best(self, weight: tuple[float, ...]) -> list[float]:
        """Return each member's lowest mean on feasible rows, once; none if there are no such."""
        if weight not in self._best_means:
            rows = self.rows if self.constraints is None else self.rows[self.constraints.feasible]
            members = self._with_exact_cost(rows) if len(rows) else []
            means = [member.tasks.mean @ np.asarray(weight) for member in members]
            self._best_means[weight] = [float(mean.min()) for mean in means]
        return self._best_means[weight]
