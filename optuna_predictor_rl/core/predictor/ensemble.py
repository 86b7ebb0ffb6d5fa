"""The predictor: networks trained by ranking, and Gaussian processes, as one ensemble (Eq. 5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy import ndarray

from optuna_predictor_rl.core.encoding import Encoding
from optuna_predictor_rl.core.predictor.acquisition import (
    log_expected_improvement,
    log_feasibility,
)
from optuna_predictor_rl.core.predictor.config import PredictorConfig
from optuna_predictor_rl.core.predictor.members import (
    Networks,
    Processes,
    fit_networks,
    fit_processes,
)
from optuna_predictor_rl.core.predictor.transfer import Lift, Moments, Opinions, lift
from optuna_predictor_rl.core.space import Rows, SearchSpace
from optuna_predictor_rl.core.targets import (
    TARGETS,
    Target,
    feasible_rank,
    rank_targets,
    signed_target,
    target_errors,
    transformed,
)

TINY = 1e-6
"""Standard deviation of a cost that is known exactly."""

_Pair = tuple[ndarray, ndarray]
"""Means and standard deviations."""

N_REFERENCE = 256
"""Random configurations on which the input of the networks is centred and scaled."""


@dataclass(frozen=True)
class Constraints:
    """What a fitted predictor knows of constraints.

    Args:
        feasible: Which of the ensemble's rows satisfy all of them.
        thresholds: For each member, the largest feasible target of each constraint.
    """

    feasible: Bool[ndarray, " n"]
    thresholds: tuple[Float[ndarray, " c"], ...]


@dataclass(frozen=True)
class Ensemble:
    """A fitted predictor of targets: transformed labels, of unit variance, lower is better.

    Members predict the tasks and, after them, the constraints.

    Args:
        encoding: From rows to inputs.
        members: Networks and processes.
        rows: The labelled rows it was fitted on, and those that are expected.
        kinds: What each member models of the labels.
        exact_cost: The last task of rows, if it is known and not predicted.
        constraints: What is known of constraints, if there are any.
        best_means: Each member's lowest mean on the feasible rows, by weight of the tasks.
        opinions: What other searches predict, if there are any.
        lifts: How each member is lifted onto that.
    """

    encoding: Encoding
    members: tuple[Networks | Processes, ...]
    rows: Float[ndarray, "n d"]
    kinds: tuple[Target, ...]
    exact_cost: Callable[[Rows], Float[ndarray, " n"]] | None = None
    constraints: Constraints | None = None
    best_means: dict[tuple[float, ...], list[float]] = field(default_factory=dict)
    opinions: Opinions | None = None
    lifts: tuple[Lift, ...] = ()

    def predict(self, rows: Rows) -> Moments:
        """Mean and standard deviation of each task's target over the members, (n, t) each."""
        moments = [tasks for tasks, _ in self._tasks_and_constraints(rows)]
        mean = np.mean([m for m, _ in moments], axis=0)  # Eq. (5)
        square = np.mean([s**2 + m**2 for m, s in moments], axis=0)
        return mean, np.sqrt(np.maximum(square - mean**2, 1e-12))

    def mean(self, rows: Rows, weight: Float[ndarray, " t"]) -> Float[ndarray, " n"]:
        """Eq. (6): the weighted sum over tasks of the ensemble's means."""
        return self.predict(rows)[0] @ weight

    def greedy(self, rows: Rows, weight: Float[ndarray, " t"]) -> Float[ndarray, " n"]:
        """Eq. (6), less the logarithm of the probability of feasibility."""
        mean = self.mean(rows, weight)
        if self.constraints is None:
            return mean
        return mean - np.log(np.maximum(self.feasibility(rows), 1e-300))

    def log_improvement(self, rows: Rows, weight: Float[ndarray, " t"]) -> Float[ndarray, " n"]:
        """Logarithm of the expected improvement of Eq. (6)'s sum, the mean over members.

        It is multiplied by the probability of feasibility, which stands alone while no feasible
        row is known.
        """
        best = self._best(tuple(weight))
        value = []
        for i, ((mean, std), limited) in enumerate(self._tasks_and_constraints(rows)):
            spread = np.sqrt(std**2 @ weight**2)
            gain = np.zeros(len(rows))
            if best:
                gain = log_expected_improvement(mean @ weight, spread, best[i])
            if self.constraints is not None:
                gain = gain + log_feasibility(*limited, self.constraints.thresholds[i])
            value.append(gain)
        return np.logaddexp.reduce(value, axis=0) - np.log(len(value))

    def feasibility(self, rows: Rows) -> Float[ndarray, " n"]:
        """Probability that a row satisfies all constraints, the mean over members."""
        if self.constraints is None:
            return np.ones(len(rows))
        probability = [
            np.exp(log_feasibility(*limited, threshold))
            for (_, limited), threshold in zip(
                self._tasks_and_constraints(rows), self.constraints.thresholds, strict=True
            )
        ]
        return np.mean(probability, axis=0)

    def expecting(self, rows: Rows) -> Ensemble:
        """The ensemble while rows are being evaluated, each believed to become as predicted.

        It is surer around them, and what improves on the best so far must improve on them too, so
        that other places win (the "believer" of Ginsbourger et al., 2010, "Kriging is well-suited
        to parallelize optimization").
        """
        if not len(rows):
            return self
        x = self.encoding(rows)
        return replace(
            self,
            rows=np.concatenate([self.rows, rows]),
            best_means={},
            constraints=self._constraints_expecting(rows),
            members=tuple(
                member.expecting(x) if isinstance(member, Processes) else member
                for member in self.members
            ),
        )

    def targets(self, labels: Float[ndarray, "n t"]) -> list[Float[ndarray, "n t"]]:
        """What the labels that it was fitted on are to each member."""
        return [transformed(labels, TARGETS[kind]) for kind in self.kinds]

    def member_moments(self, rows: Rows) -> list[Moments]:
        """Moments of each member's targets: those of the labels, then those of constraints."""
        moments = self._moments(self.encoding(rows))
        if self.opinions is None:
            return moments
        said = self.opinions(rows)
        n = said.shape[2]
        lifted = []
        for member_lift, (mean, std) in zip(self.lifts, moments, strict=True):
            up = member_lift(said, (mean[:, :n], std[:, :n]))
            lifted.append((np.hstack([up[0], mean[:, n:]]), np.hstack([up[1], std[:, n:]])))
        return lifted

    def _moments(self, x: Float[ndarray, "n c"]) -> list[Moments]:
        """Moments of each member; networks are as sure of a place as the first process is."""
        moments = [member.predict(x) for member in self.members]
        known = [m for m in self.members if isinstance(m, Processes)]
        if not known:
            return moments
        first = moments[self.members.index(known[0])][1] / known[0].prior_std
        return [
            (mean, std * first if isinstance(member, Networks) else std)
            for member, (mean, std) in zip(self.members, moments, strict=True)
        ]

    def _tasks_and_constraints(self, rows: Rows) -> list[tuple[_Pair, _Pair]]:
        """Moments of each member, of the tasks and of the constraints."""
        split = []
        moments = self.member_moments(rows)
        exact = None if self.exact_cost is None else self.exact_cost(rows)[:, None]
        n_constraints = 0 if self.constraints is None else len(self.constraints.thresholds[0])
        for mean, std in moments:
            n_tasks = mean.shape[1] - n_constraints
            tasks = mean[:, :n_tasks], std[:, :n_tasks]
            if exact is not None:
                tasks = np.hstack([tasks[0], exact]), np.hstack([tasks[1], 0.0 * exact + TINY])
            split.append((tasks, (mean[:, n_tasks:], std[:, n_tasks:])))
        return split

    def _best(self, weight: tuple[float, ...]) -> list[float]:
        """Each member's lowest mean on the rows known to be feasible; empty if there are none."""
        if weight not in self.best_means:
            known = self.rows if self.constraints is None else self.rows[self.constraints.feasible]
            means = [
                mean @ np.asarray(weight)
                for (mean, _), _ in (self._tasks_and_constraints(known) if len(known) else ())
            ]
            self.best_means[weight] = [float(mean.min()) for mean in means]
        return self.best_means[weight]

    def _constraints_expecting(self, rows: Rows) -> Constraints | None:
        """Rows that are being evaluated count as feasible where that is more likely than not."""
        if self.constraints is None:
            return None
        expected = self.feasibility(rows) >= 0.5
        return replace(
            self.constraints, feasible=np.concatenate([self.constraints.feasible, expected])
        )


def fit_ensemble(
    config: PredictorConfig,
    space: SearchSpace,
    rows: Rows,
    labels: Float[ndarray, "n t"],
    *,
    rng: np.random.Generator,
    errors: Float[ndarray, "n t"] | None = None,
    opinions: Opinions | None = None,
    device: torch.device | str = "cpu",
    exact_cost: Callable[[Rows], Float[ndarray, " n"]] | None = None,
    constraints: Float[ndarray, "n c"] | None = None,
) -> Ensemble:
    """Fit the predictor to labelled configurations.

    Args:
        config: Settings of the predictor.
        space: The search space.
        rows: Rows of the configurations.
        labels: Labels of each task, finite or NaN where missing; lower is better.
        rng: Source of all randomness.
        errors: Standard deviations of the labels' errors; None is 0. The processes know them.
        opinions: What other searches predict of rows' labels, if there are any.
        device: Where the networks are trained.
        exact_cost: A last task without labels, known for all rows, of about unit variance.
        constraints: Value of each constraint, feasible up to zero, finite or NaN where missing.
    """
    limited = np.empty((len(rows), 0)) if constraints is None else constraints
    encoding = Encoding(space, config.structured_features, rows)
    x = encoding(rows)
    kinds: list[Target] = ["rank", *(config.targets if config.gaussian_process else ())]
    targets = [transformed(labels, TARGETS[kind]) for kind in kinds]
    noise = [None if errors is None else target_errors(labels, y, errors) for y in targets[1:]]
    lifts: tuple[Lift, ...] = ()
    if opinions is not None:
        said = opinions(rows)
        lifts, targets = zip(*(lift(said, target) for target in targets), strict=True)
    members: list[Networks | Processes] = []
    if config.gaussian_process:
        signed = fit_processes(x, transformed(limited, signed_target), encoding.column_feature)
        for target, known in zip(targets[1:], noise, strict=True):
            fitted = fit_processes(x, target, encoding.column_feature, known)
            members.append(Processes(fitted.processes + signed.processes))
    reference = encoding(space.random(N_REFERENCE, np.random.default_rng(0)))
    center, scale = _input_scale(config, reference, members)
    everything = np.hstack([targets[0], rank_targets(limited)])
    networks = fit_networks(
        config, x, everything, center=center, scale=scale, rng=rng, device=device
    )
    return Ensemble(
        encoding,
        (networks, *members),
        rows,
        tuple(kinds),
        exact_cost=exact_cost,
        constraints=_constraints(limited, len(members)),
        opinions=opinions,
        lifts=lifts,
    )


def _constraints(values: Float[ndarray, "n c"], n_processes: int) -> Constraints | None:
    """Zero is where it was for the processes, and among the ranks for the networks."""
    if not values.shape[1]:
        return None
    by_rank = np.array([feasible_rank(y[~np.isnan(y)]) for y in values.T])
    zero = np.zeros(values.shape[1])
    return Constraints((np.nan_to_num(values) <= 0.0).all(1), (by_rank, *[zero] * n_processes))


def _input_scale(
    config: PredictorConfig,
    reference: Float[ndarray, "m c"],
    members: list[Networks | Processes],
) -> tuple[Float[ndarray, " c"], Float[ndarray, " c"]]:
    """Centre and factor of each column, so that the input has unit variance on average."""
    n_columns = reference.shape[1]
    center = reference.mean(0)
    if members and isinstance(members[0], Processes):
        # NOTE[paper]: inputs are scaled by the relevance that the process found.
        relevance = members[0].relevance
    elif config.structured_features:
        relevance = 1.0 / np.maximum(reference.std(0), 1e-6)
    else:
        return np.zeros(n_columns), np.ones(n_columns)
    spread = ((reference - center) * relevance) ** 2
    return center, relevance / np.sqrt(max(spread.sum(1).mean() / max(n_columns, 1), 1e-12))
