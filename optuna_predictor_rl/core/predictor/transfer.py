"""Predictions of other searches as the mean function of the predictor's members.

The weighted predictions of the sources are the mean function; each member models the fit residual,
what they leave of its target. A source that is right leaves little to learn, one that is wrong
loses its weight, and what it still gets wrong is corrected where there are labels. The sources
have seen none of the labels that they are weighed by, so that each label is a held-out one, as for
the base models of Feurer et al. (2018), "Practical transfer learning for Bayesian optimization".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy
from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.core.predictor.moments import Moments
from optuna_predictor_rl.core.space import Rows

SourcePredictions = Callable[[Rows], Float[ndarray, "n s t"]]
"""Target of each of t tasks that each of s sources predicts for n rows; 0 is an average row."""

PSEUDO_TRIALS = 2.0
"""How many labelled trials the belief that all sources are right counts for."""

LEAST_SIGNIFICANCE = 2.0
"""Standard errors that a weight is above 0 if it is to count: a source may agree by chance."""

LEAST_RESIDUAL = 0.1
"""Least standard deviation of a residual, in those of the target."""


@dataclass(frozen=True)
class FitResidual:
    """What a member models beside source predictions: (target - predictions - shift) / scale.

    Args:
        weight: Weight of each source in each task; 0 is a source that disagrees.
        shift: What is added to each task.
        scale: Standard deviation of the residual, in those of the target.
    """

    weight: Float[ndarray, "s t"]
    shift: Float[ndarray, " t"]
    scale: Float[ndarray, " t"]

    def to_targets(self, predictions: Float[ndarray, "n s t"], residual: Moments) -> Moments:
        """Return the moments of each task's target, from those of its residual."""
        mean = np.einsum("nst,st->nt", predictions, self.weight)
        return Moments(residual.mean * self.scale + mean + self.shift, residual.std * self.scale)


def fit_residual(
    predictions: Float[ndarray, "n s t"], targets: Float[ndarray, "n t"]
) -> tuple[FitResidual, Float[ndarray, "n t"]]:
    """Weigh the sources of each task, and return what they leave to learn, of unit variance.

    The weights are those of a regression of the targets on the predictions, none negative, shrunk
    towards equal shares of 1 as by `PSEUDO_TRIALS` further trials at which the sources are right;
    a weight that the labels do not support is 0.

    Args:
        predictions: What each source predicts of the labelled rows.
        targets: Their targets, NaN where one is missing.
    """
    n_sources = predictions.shape[1]
    n_tasks = targets.shape[1]
    weight, shift, scale = np.zeros((n_sources, n_tasks)), np.zeros(n_tasks), np.ones(n_tasks)
    residual = targets.copy()
    for t in range(n_tasks):
        present = ~np.isnan(targets[:, t])
        if not present.any():
            continue
        predicted, y = predictions[present, :, t], targets[present, t]
        weight[:, t] = _weights(predicted, y)
        rest = y - predicted @ weight[:, t]
        shift[t] = rest.mean()
        # The floor keeps rounding errors of a perfect source from being blown up to unit variance.
        scale[t] = max(rest.std(), LEAST_RESIDUAL * (y.std() or 1.0))
        residual[present, t] = (rest - shift[t]) / scale[t]
    return FitResidual(weight, shift, scale), residual


def _weights(predicted: Float[ndarray, "n s"], y: Float[ndarray, " n"]) -> Float[ndarray, " s"]:
    n_sources = predicted.shape[1]
    share = 1.0 / n_sources
    predicted, y = predicted - predicted.mean(0), y - y.mean()
    weight = _shrunk(predicted, y, share)
    gram = predicted.T @ predicted
    inverse = np.linalg.inv(gram + PSEUDO_TRIALS * np.eye(n_sources))
    noise = ((y - predicted @ weight) ** 2).sum() / max(len(y) - 1, 1)
    error = np.sqrt(noise * np.diag(inverse @ gram @ inverse))
    kept = weight >= LEAST_SIGNIFICANCE * error
    weight = np.zeros(n_sources)
    if kept.any():
        weight[kept] = _shrunk(predicted[:, kept], y, share)
    return weight


def _shrunk(
    predicted: Float[ndarray, "n s"], y: Float[ndarray, " n"], share: float
) -> Float[ndarray, " s"]:
    """Return the slopes of a regression, none negative, ridged towards a share.

    A ridge is `PSEUDO_TRIALS` rows more, each of one source, whose target is the share.
    """
    ridge = np.sqrt(PSEUDO_TRIALS) * np.eye(predicted.shape[1])
    system = np.concatenate([predicted, ridge])
    return np.asarray(scipy.optimize.nnls(system, np.concatenate([y, ridge.sum(1) * share]))[0])
