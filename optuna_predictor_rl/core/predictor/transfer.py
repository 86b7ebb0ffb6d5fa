"""What other searches say of a configuration, weighed by how well they say it of this one.

The weighted opinions are the mean function of the predictor's members, which model what is left:
a source that is right leaves little to learn, one that is wrong loses its weight, and what it
still says wrong is corrected where there are labels. The sources have seen none of the labels that
they are weighed by, so that each of them is a held-out one, as for the base models of Feurer et
al. (2018), "Practical transfer learning for Bayesian optimization".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy
from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.core.space import Rows

Moments = tuple[Float[ndarray, "n t"], Float[ndarray, "n t"]]

Opinions = Callable[[Rows], Float[ndarray, "n s t"]]
"""Targets of each task that each of s sources predicts for rows; 0 is an average row."""

PSEUDO_TRIALS = 2.0
"""How many labelled trials the belief that all sources are right counts for."""

LEAST_SIGNIFICANCE = 2.0
"""Standard errors that a weight is above 0 if it is to count: a source may agree by chance."""

LEAST_LEFT = 0.1
"""Standard deviation that at least is left to learn, in those of the targets."""


@dataclass(frozen=True)
class Lift:
    """How a member's prediction is lifted onto what sources predict.

    Args:
        weight: Weight of each source in each task; 0 is a source that disagrees.
        shift: What is added to each task.
        scale: Standard deviation of what the member models, in those of the target.
    """

    weight: Float[ndarray, "s t"]
    shift: Float[ndarray, " t"]
    scale: Float[ndarray, " t"]

    def __call__(self, opinions: Float[ndarray, "n s t"], moments: Moments) -> Moments:
        """Mean and standard deviation of each task's target, from those of what was left."""
        mean, std = moments
        said = np.einsum("nst,st->nt", opinions, self.weight)
        return mean * self.scale + said + self.shift, std * self.scale


def lift(
    opinions: Float[ndarray, "n s t"], targets: Float[ndarray, "n t"]
) -> tuple[Lift, Float[ndarray, "n t"]]:
    """Weigh the sources of each task, and return what they leave to learn, of unit variance.

    The weights are those of a regression of the targets on the opinions, none negative, shrunk
    towards equal shares of 1 as by `PSEUDO_TRIALS` further trials at which the sources are right;
    a weight that the labels do not support is 0.

    Args:
        opinions: What each source says of the labelled rows.
        targets: Their targets, NaN where one is missing.
    """
    n_sources = opinions.shape[1]
    n_tasks = targets.shape[1]
    weight, shift, scale = np.zeros((n_sources, n_tasks)), np.zeros(n_tasks), np.ones(n_tasks)
    left = targets.copy()
    for t in range(n_tasks):
        present = ~np.isnan(targets[:, t])
        if not present.any():
            continue
        said, y = opinions[present, :, t], targets[present, t]
        weight[:, t] = _weights(said, y)
        rest = y - said @ weight[:, t]
        shift[t] = rest.mean()
        scale[t] = max(rest.std(), LEAST_LEFT * (y.std() or 1.0))
        left[present, t] = (rest - shift[t]) / scale[t]
    return Lift(weight, shift, scale), left


def _weights(said: Float[ndarray, "n s"], y: Float[ndarray, " n"]) -> Float[ndarray, " s"]:
    n_sources = said.shape[1]
    share = 1.0 / n_sources
    said, y = said - said.mean(0), y - y.mean()
    weight = _shrunk(said, y, share)
    gram = said.T @ said
    inverse = np.linalg.inv(gram + PSEUDO_TRIALS * np.eye(n_sources))
    noise = ((y - said @ weight) ** 2).sum() / max(len(y) - 1, 1)
    error = np.sqrt(noise * np.diag(inverse @ gram @ inverse))
    kept = weight >= LEAST_SIGNIFICANCE * error
    weight = np.zeros(n_sources)
    if kept.any():
        weight[kept] = _shrunk(said[:, kept], y, share)
    return weight


def _shrunk(
    said: Float[ndarray, "n s"], y: Float[ndarray, " n"], share: float
) -> Float[ndarray, " s"]:
    """Regression without negative slopes, ridged towards a share."""
    ridge = np.sqrt(PSEUDO_TRIALS) * np.eye(said.shape[1])
    system = np.concatenate([said, ridge])
    return np.asarray(scipy.optimize.nnls(system, np.concatenate([y, ridge.sum(1) * share]))[0])
