"""How well the predictor ranks held-out configurations: cross-validation (Figs. 4, 5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from jaxtyping import Float, Int
from numpy import ndarray

from optuna_predictor_rl.core.predictor.config import PredictorConfig
from optuna_predictor_rl.core.predictor.fitting import fit_ensemble
from optuna_predictor_rl.core.predictor.training_data import TrainingData
from optuna_predictor_rl.core.space import Rows, SearchSpace


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """Predictions of labelled configurations, each by an ensemble that has not seen its label.

    Args:
        fold: The fold that each configuration was held out in.
        mean: Predicted targets, (n, tasks); lower is better.
        labels: The labels, NaN where missing.
    """

    fold: Int[ndarray, " n"]
    mean: Float[ndarray, "n t"]
    labels: Float[ndarray, "n t"]

    def tau(self, task: int = 0) -> float:
        """Return Kendall's tau-b of predictions and labels over all folds; NaN if undefined."""
        return rank_correlation(self.mean[:, task], self.labels[:, task])

    def fold_taus(self, task: int = 0) -> Float[ndarray, " f"]:
        """Return Kendall's tau-b within each fold."""
        folds = [self.fold == f for f in range(int(self.fold.max()) + 1)]
        taus = [rank_correlation(self.mean[f, task], self.labels[f, task]) for f in folds]
        return np.asarray(taus, dtype=np.float64)


def rank_correlation(first: Float[ndarray, " n"], second: Float[ndarray, " n"]) -> float:
    """Return Kendall's tau-b of what both have; NaN for fewer than two pairs or a constant."""
    present = ~(np.isnan(first) | np.isnan(second))
    first, second = first[present], second[present]
    if len(first) < 2 or np.ptp(first) == 0.0 or np.ptp(second) == 0.0:
        return float("nan")
    return float(scipy.stats.kendalltau(first, second).statistic)


def cross_validate(
    config: PredictorConfig,
    space: SearchSpace,
    rows: Rows,
    labels: Float[ndarray, "n t"],
    *,
    n_folds: int = 5,
    rng: np.random.Generator,
) -> HeldOut:
    """Fit the predictor once a fold, to the other folds, and predict the fold.

    It is fitted to the labels alone, without their errors, constraints, source predictions and a
    cost that is known in advance.

    Args:
        config: Settings of the predictor.
        space: The search space.
        rows: Rows of the labelled configurations.
        labels: Labels of each task, finite or NaN where missing; lower is better.
        n_folds: Number of random folds of equal size.
        rng: Source of all randomness.

    Raises:
        ValueError: If there are fewer than 2 folds, or fewer configurations than folds.

    Example:
        >>> from optuna_predictor_rl.core.decisions import Numeric
        >>> space = SearchSpace((Numeric(name="x", low=0.0, high=1.0),))
        >>> rows = space.random(30, np.random.default_rng(0))
        >>> rng = np.random.default_rng(0)
        >>> cross_validate(PredictorConfig(), space, rows, rows**2, rng=rng).tau() > 0.8
        True
    """
    if not 2 <= n_folds <= len(rows):
        raise ValueError(
            f"n_folds must be at least 2 and at most the number of configurations, {len(rows)}, "
            f"but got {n_folds}."
        )
    fold = rng.permutation(np.arange(len(rows)) % n_folds)
    mean = np.full_like(labels, np.nan)
    for f in range(n_folds):
        out = fold == f
        fitted = fit_ensemble(config, space, TrainingData(rows[~out], labels[~out]), rng=rng)
        mean[out] = fitted.predict(rows[out]).mean
    return HeldOut(fold=fold, mean=mean, labels=labels)
