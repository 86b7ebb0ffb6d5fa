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
    """Predicted values of n configurations, in the study's own units and direction.

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

    mean: Float[ndarray, " n"]
    std: Float[ndarray, " n"]
    rank: Float[ndarray, " n"]
    correction: float
    cost_mean: Float[ndarray, " n"] | None = None
    cost_std: Float[ndarray, " n"] | None = None


@dataclass(frozen=True)
class StudyPredictor:
    """A fitted predictor of a study's values.

    Args:
        space: The search space.
        labels: Predicts the value and, if there is one, the cost; lower is better.
        sign: -1 if the study is maximized, else 1.
        reference_targets: Targets of random rows that ranks are computed against, worst first.
        known_cost: Cost of rows, if it is known in advance.
    """

    space: SearchSpace
    labels: LabelPredictor
    sign: float
    reference_targets: Float[ndarray, " m"]
    known_cost: Callable[[Rows], Float[ndarray, " n"]] | None = None

    @classmethod
    def of(
        cls,
        ensemble: Ensemble,
        labels: Float[ndarray, "n t"],
        *,
        refit: Callable[[Rows, Float[ndarray, "n t"]], Ensemble],
        sign: float,
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
        reference = predictor.predict(space.random(N_REFERENCE, rng))[1][:, 0]
        return cls(space, predictor, sign, -np.sort(-reference), known_cost)

    def __call__(self, rows: Rows) -> Prediction:
        """Return the prediction for rows of the space."""
        (mean, std), target = self.labels.predict(rows)
        n_worse = np.searchsorted(-self.reference_targets, -target[:, 0], side="left")
        rank = n_worse / len(self.reference_targets)
        cost = (mean[:, 1], std[:, 1]) if mean.shape[1] > 1 else (None, None)
        if self.known_cost is not None:  # a cost known in advance replaces the predicted one
            cost = self.known_cost(rows), np.zeros(len(rows))
        factor = float(self.labels.correction[0])
        return Prediction(self.sign * mean[:, 0], std[:, 0], rank, factor, *cost)
