"""The predictor: networks trained by ranking, and Gaussian processes, as one ensemble (Eq. 5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from scipy.special import logsumexp

from optuna_predictor_rl.core.acquisition import log_expected_improvement
from optuna_predictor_rl.core.encoding import Encoding
from optuna_predictor_rl.core.members import (
    Moments,
    Networks,
    Processes,
    fit_networks,
    fit_processes,
)
from optuna_predictor_rl.core.predictor import PredictorConfig
from optuna_predictor_rl.core.space import Rows, SearchSpace

N_REFERENCE = 256
"""Random configurations on which the input of the networks is centred and scaled."""


@dataclass(frozen=True)
class Ensemble:
    """A fitted predictor of targets: transformed labels, of unit variance, lower is better.

    Args:
        encoding: From rows to inputs.
        members: Networks and processes.
        rows: The labelled rows it was fitted on.
        pending: Rows that are being evaluated.
    """

    encoding: Encoding
    members: tuple[Networks | Processes, ...]
    rows: Float[ndarray, "n d"]
    pending: Float[ndarray, "p d"]

    def predict(self, rows: Rows) -> Moments:
        """Mean and standard deviation of each task's target over the members, (n, t) each."""
        x = self.encoding(rows)
        moments = [member.predict(x) for member in self.members]
        mean = np.mean([m for m, _ in moments], axis=0)  # Eq. (5)
        square = np.mean([s**2 + m**2 for m, s in moments], axis=0)
        return mean, np.sqrt(np.maximum(square - mean**2, 1e-12))

    def mean(self, rows: Rows, weight: Float[ndarray, " t"]) -> Float[ndarray, " n"]:
        """Eq. (6): the weighted sum over tasks of the ensemble's means."""
        return np.asarray(self.predict(rows)[0] @ weight)

    def log_improvement(self, rows: Rows, weight: Float[ndarray, " t"]) -> Float[ndarray, " n"]:
        """Logarithm of the expected improvement of Eq. (6)'s sum, the mean over members."""
        x = self.encoding(rows)
        shrink = self._shrink(x)
        value = []
        for member, best in zip(self.members, self._best(tuple(weight)), strict=True):
            mean, std = member.predict(x)
            spread = np.sqrt((std * shrink) ** 2 @ weight**2)
            value.append(log_expected_improvement(mean @ weight, spread, best))
        return np.asarray(logsumexp(value, axis=0) - np.log(len(value)))

    def expecting(self, rows: Rows) -> Ensemble:
        """The ensemble while rows are being evaluated: surer around them, so that others win."""
        return replace(self, pending=rows)

    def _shrink(self, x: Float[ndarray, "n c"]) -> Float[ndarray, "n t"] | float:
        """How much the pending rows reduce the standard deviation, after the processes."""
        processes = [member for member in self.members if isinstance(member, Processes)]
        if not len(self.pending) or not processes:
            return 1.0
        after = self._expecting_processes
        return np.asarray(after.predict(x)[1] / processes[0].predict(x)[1])

    @cached_property
    def _expecting_processes(self) -> Processes:
        first = next(member for member in self.members if isinstance(member, Processes))
        return first.expecting(self.encoding(self.pending))

    def _best(self, weight: tuple[float, ...]) -> list[float]:
        """Each member's lowest mean on the labelled rows."""
        if weight not in self._best_cache:
            x = self.encoding(self.rows)
            means = [member.predict(x)[0] @ np.asarray(weight) for member in self.members]
            self._best_cache[weight] = [float(mean.min()) for mean in means]
        return self._best_cache[weight]

    @cached_property
    def _best_cache(self) -> dict[tuple[float, ...], list[float]]:
        return {}


def fit_ensemble(
    config: PredictorConfig,
    space: SearchSpace,
    rows: Rows,
    labels: Float[ndarray, "n t"],
    *,
    rng: np.random.Generator,
    device: torch.device | str = "cpu",
) -> Ensemble:
    """Fit the predictor to labelled configurations.

    Args:
        config: Settings of the predictor.
        space: The search space.
        rows: Rows of the configurations.
        labels: Labels of each task, finite or NaN where missing; lower is better.
        rng: Source of all randomness.
        device: Where the networks are trained.
    """
    encoding = Encoding(space, structured=config.structured_features)
    x = encoding(rows)
    members: list[Networks | Processes] = []
    if config.gaussian_process:
        members = [fit_processes(x, labels, encoding.column_feature, t) for t in config.targets]
    reference = encoding(space.random(N_REFERENCE, np.random.default_rng(0)))
    center, scale = _input_scale(config, reference, members)
    networks = fit_networks(config, x, labels, center=center, scale=scale, rng=rng, device=device)
    return Ensemble(encoding, (networks, *members), rows, rows[:0])


def _input_scale(
    config: PredictorConfig,
    reference: Float[ndarray, "m c"],
    members: list[Networks | Processes],
) -> tuple[Float[ndarray, " c"], Float[ndarray, " c"]]:
    """Centre and factor of each column, so that the input has unit variance on average."""
    n_columns = reference.shape[1]
    if not config.structured_features:
        return np.zeros(n_columns), np.ones(n_columns)
    center = reference.mean(0)
    if members and isinstance(members[0], Processes):
        # NOTE[paper]: inputs are scaled by the relevance that the process found.
        relevance = members[0].relevance
    else:
        relevance = 1.0 / np.maximum(reference.std(0), 1e-6)
    spread = ((reference - center) * relevance) ** 2
    return center, relevance / np.sqrt(max(spread.sum(1).mean() / max(n_columns, 1), 1e-12))
