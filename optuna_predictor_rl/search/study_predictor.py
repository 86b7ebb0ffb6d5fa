"""Predictions of a study's values, in the study's own units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.core.predictor.calibration import LabelPredictor, correction
from optuna_predictor_rl.core.predictor.ensemble import Ensemble
from optuna_predictor_rl.core.space import Rows, SearchSpace
from optuna_predictor_rl.support.checked import checked

N_REFERENCE = 1000
"""Random configurations that ranks are computed against."""


@checked
@dataclass(frozen=True)
class Prediction:
    """Predicted values of n configurations, in the study's own units and directions.

    With one objective, arrays have the shape (n,); with several, (n, objectives) in the study's
    order, and `correction` the shape (objectives,). Costs always have the shape (n,).

    Args:
        mean: Mean of the value.
        std: Standard deviation of the value, calibrated on held-out trials of the study. Errors
            of stopped trials' labels are not in it.
        rank: Share in [0, 1] of 1,000 random configurations that are predicted to be worse; 1 is
            better than all of them.
        correction: Factor of the calibration on the ensemble's own standard deviation.
        cost_mean: Mean of the cost, None if the sampler has none.
        cost_std: Standard deviation of the cost, None if the sampler has none.
    """

    mean: Float[ndarray, "n ..."]
    std: Float[ndarray, "n ..."]
    rank: Float[ndarray, "n ..."]
    correction: float | Float[ndarray, " o"]
    cost_mean: Float[ndarray, " n"] | None = None
    cost_std: Float[ndarray, " n"] | None = None


@dataclass(frozen=True)
class StudyPredictor:
    """A fitted predictor of a study's values.

    Args:
        space: The search space.
        labels: Predicts each objective and, if there is one, the cost; lower is better.
        signs: -1 for each objective that is maximized, else 1.
        reference_targets: Targets of random rows that ranks are computed against, worst first.
        known_cost: Cost of rows, if it is known in advance.
    """

    space: SearchSpace
    labels: LabelPredictor
    signs: Float[ndarray, " o"]
    reference_targets: Float[ndarray, "m o"]
    known_cost: Callable[[Rows], Float[ndarray, " n"]] | None = None

    @classmethod
    def of(
        cls,
        ensemble: Ensemble,
        labels: Float[ndarray, "n t"],
        *,
        refit: Callable[[Rows, Float[ndarray, "n t"]], Ensemble],
        signs: Float[ndarray, " o"],
        seed: int,
        known_cost: Callable[[Rows], Float[ndarray, " n"]] | None = None,
    ) -> StudyPredictor:
        """Return the predictor of the labels that an ensemble was fitted on.

        `refit` fits the same kind of ensemble to a part of the trials, for the calibration; `seed`
        is that of its folds and of the random rows.
        """
        space = ensemble.encoding.space
        rng = np.random.default_rng([seed, len(labels)])
        factor = correction(refit, ensemble.rows, labels, rng)
        predictor = LabelPredictor.of(ensemble, labels, factor)
        targets = predictor.predict(space.random(N_REFERENCE, rng))[1][:, : len(signs)]
        return cls(space, predictor, signs, -np.sort(-targets, axis=0), known_cost)

    def __call__(self, rows: Rows) -> Prediction:
        """Return the prediction for rows of the space."""
        (mean, std), target = self.labels.predict(rows)
        n = len(self.signs)
        rank = np.empty((len(rows), n))
        for o, reference in enumerate(self.reference_targets.T):
            n_worse = np.searchsorted(-reference, -target[:, o], side="left")
            rank[:, o] = n_worse / len(reference)
        cost = (mean[:, n], std[:, n]) if mean.shape[1] > n else (None, None)
        if self.known_cost is not None:  # a cost known in advance replaces the predicted one
            cost = self.known_cost(rows), np.zeros(len(rows))
        value, spread, factor = self.signs * mean[:, :n], std[:, :n], self.labels.correction[:n]
        if n == 1:
            return Prediction(value[:, 0], spread[:, 0], rank[:, 0], float(factor[0]), *cost)
        return Prediction(value, spread, rank, factor, *cost)

    def losses(self, rows: Rows) -> Float[ndarray, "n o"]:
        """Return the mean of each objective with its sign, so that lower is better."""
        return self.labels.predict(rows)[0].mean[:, : len(self.signs)]
