"""The predictor: networks trained by ranking, and Gaussian processes, as one ensemble (Eq. 5)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.core.acquisition import log_expected_improvement
from optuna_predictor_rl.core.encoding import Encoding
from optuna_predictor_rl.core.members import (
    Networks,
    Processes,
    fit_networks,
    fit_processes,
)
from optuna_predictor_rl.core.predictor import PredictorConfig
from optuna_predictor_rl.core.space import Rows, SearchSpace
from optuna_predictor_rl.core.targets import Target, transformed
from optuna_predictor_rl.core.transfer import Lift, Moments, Opinions, lift

N_REFERENCE = 256
"""Random configurations on which the input of the networks is centred and scaled."""


@dataclass(frozen=True)
class Ensemble:
    """A fitted predictor of targets: transformed labels, of unit variance, lower is better.

    Args:
        encoding: From rows to inputs.
        members: Networks and processes.
        rows: The labelled rows it was fitted on, and those that are expected.
        kinds: What each member models.
        best_means: Each member's lowest mean on those rows, by weight of the tasks.
        opinions: What other searches predict, if there are any.
        lifts: How each member is lifted onto that.
    """

    encoding: Encoding
    members: tuple[Networks | Processes, ...]
    rows: Float[ndarray, "n d"]
    kinds: tuple[Target, ...]
    best_means: dict[tuple[float, ...], list[float]] = field(default_factory=dict)
    opinions: Opinions | None = None
    lifts: tuple[Lift, ...] = ()

    def predict(self, rows: Rows) -> Moments:
        """Mean and standard deviation of each task's target over the members, (n, t) each."""
        moments = self.member_moments(rows)
        mean = np.mean([m for m, _ in moments], axis=0)  # Eq. (5)
        square = np.mean([s**2 + m**2 for m, s in moments], axis=0)
        return mean, np.sqrt(np.maximum(square - mean**2, 1e-12))

    def mean(self, rows: Rows, weight: Float[ndarray, " t"]) -> Float[ndarray, " n"]:
        """Eq. (6): the weighted sum over tasks of the ensemble's means."""
        return self.predict(rows)[0] @ weight

    def log_improvement(self, rows: Rows, weight: Float[ndarray, " t"]) -> Float[ndarray, " n"]:
        """Logarithm of the expected improvement of Eq. (6)'s sum, the mean over members."""
        best = self._best(tuple(weight))
        value = [
            log_expected_improvement(mean @ weight, np.sqrt(std**2 @ weight**2), member_best)
            for (mean, std), member_best in zip(self.member_moments(rows), best, strict=True)
        ]
        return np.logaddexp.reduce(value, axis=0) - np.log(len(value))

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
            members=tuple(
                member.expecting(x) if isinstance(member, Processes) else member
                for member in self.members
            ),
        )

    def targets(self, labels: Float[ndarray, "n t"]) -> list[Float[ndarray, "n t"]]:
        """What the labels that it was fitted on are to each member."""
        return [transformed(kind, labels) for kind in self.kinds]

    def member_moments(self, rows: Rows) -> list[Moments]:
        """Moments of each member's targets."""
        moments = self._of_members(self.encoding(rows))
        if self.opinions is None:
            return moments
        said = self.opinions(rows)
        return [lift(said, own) for lift, own in zip(self.lifts, moments, strict=True)]

    def _of_members(self, x: Float[ndarray, "n c"]) -> list[Moments]:
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

    def _best(self, weight: tuple[float, ...]) -> list[float]:
        """Each member's lowest mean on the labelled rows."""
        if weight not in self.best_means:
            means = [mean @ np.asarray(weight) for mean, _ in self.member_moments(self.rows)]
            self.best_means[weight] = [float(mean.min()) for mean in means]
        return self.best_means[weight]


def fit_ensemble(
    config: PredictorConfig,
    space: SearchSpace,
    rows: Rows,
    labels: Float[ndarray, "n t"],
    *,
    rng: np.random.Generator,
    opinions: Opinions | None = None,
    device: torch.device | str = "cpu",
) -> Ensemble:
    """Fit the predictor to labelled configurations.

    Args:
        config: Settings of the predictor.
        space: The search space.
        rows: Rows of the configurations.
        labels: Labels of each task, finite or NaN where missing; lower is better.
        rng: Source of all randomness.
        opinions: What other searches predict of rows, if there are any.
        device: Where the networks are trained.
    """
    encoding = Encoding(space, structured=config.structured_features)
    x = encoding(rows)
    said = None if opinions is None else opinions(rows)
    kinds: list[Target] = ["rank", *(config.targets if config.gaussian_process else ())]
    targets = [transformed(kind, labels) for kind in kinds]
    lifts: tuple[Lift, ...] = ()
    if said is not None:
        lifts, targets = zip(*(lift(said, target) for target in targets), strict=True)
    members: list[Networks | Processes] = [
        fit_processes(x, target, encoding.column_feature) for target in targets[1:]
    ]
    reference = encoding(space.random(N_REFERENCE, np.random.default_rng(0)))
    center, scale = _input_scale(config, reference, members)
    networks = fit_networks(
        config, x, targets[0], center=center, scale=scale, rng=rng, device=device
    )
    return Ensemble(
        encoding, (networks, *members), rows, tuple(kinds), opinions=opinions, lifts=lifts
    )


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
