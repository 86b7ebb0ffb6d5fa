"""From the members' targets back to labels: mean and calibrated deviation in the user's units."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import scipy
from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.core.predictor.ensemble import Ensemble
from optuna_predictor_rl.core.predictor.moments import Moments
from optuna_predictor_rl.core.space import Rows

MAX_CELLS = 4_000_000
"""Entries of the largest matrix of a chunk of rows: 32 MB a Gaussian process."""

N_NODES = 9
"""Nodes of the Gauss-Hermite quadrature over a member's target."""

N_FOLDS = 5
"""Folds of the cross-validation, each of at least two trials."""

COVERAGE = 0.8
"""Share of held-out labels that the calibrated interval of this coverage holds."""

LARGEST_CORRECTION = 5.0
"""Bound of the factor: the quantile of few errors may be anything."""


@dataclass(frozen=True)
class LabelMap:
    """The monotone way back from a target to the labels that it was computed from.

    Between labels it interpolates. Beyond the best one it goes on as between the best two, but no
    farther than the median is from the best; nothing is worse than the worst label.

    Args:
        targets: Distinct targets, ascending.
        labels: The labels they stand for: what they differ from `center`, in twice `unit`.
        center: A label in the middle, so that squares do not cancel where all labels are large.
        unit: Half of the largest difference, so that squares do not overflow.
        lowest: Best label that is predicted, as one of `labels`.
    """

    targets: Float[ndarray, " m"]
    labels: Float[ndarray, " m"]
    center: float
    unit: float
    lowest: float

    @classmethod
    def of(cls, targets: Float[ndarray, " n"], labels: Float[ndarray, " n"]) -> LabelMap:
        """Return the map of a target function from its values at labels, without NaN pairs."""
        present = ~(np.isnan(targets) | np.isnan(labels))
        labels = labels[present]
        if not len(labels):
            return cls(np.zeros(1), np.zeros(1), 0.0, 1.0, 0.0)
        center = float(np.sort(labels)[(len(labels) - 1) // 2])
        # Labels may be near the largest float: half of a difference is finite, the difference not.
        halves = labels / 2 - center / 2
        unit = float(np.abs(halves).max()) or 1.0
        labels = halves / unit
        known, group = np.unique(targets[present], return_inverse=True)
        means = np.bincount(group, labels) / np.bincount(group)
        lowest = 2.0 * float(labels.min()) - float(np.median(labels))
        return cls(known, means, center, unit, lowest)

    def __call__(self, targets: Float[ndarray, "*b"]) -> Float[ndarray, "*b"]:
        """Return how far the labels of targets are from `center`, in twice `unit`."""
        labels = np.interp(targets, self.targets, self.labels)
        if len(self.targets) > 1:
            slope = np.diff(self.labels[:2]) / np.diff(self.targets[:2])
            beyond = np.minimum(targets - self.targets[0], 0.0)
            labels = np.maximum(labels + slope * beyond, self.lowest)
        return np.asarray(labels)

    def moments(
        self, mean: Float[ndarray, " n"], std: Float[ndarray, " n"]
    ) -> tuple[Float[ndarray, " n"], Float[ndarray, " n"]]:
        """Return mean and mean square of that difference if the target is normal."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(N_NODES)
        labels = self(mean[:, None] + std[:, None] * nodes)
        weights = weights / math.sqrt(2.0 * math.pi)
        return labels @ weights, labels**2 @ weights


@dataclass(frozen=True)
class LabelPredictor:
    """An ensemble that predicts labels.

    Args:
        ensemble: The fitted predictor of targets.
        maps: The way back to labels of each member and task.
        correction: Factor of each task's standard deviation.
    """

    ensemble: Ensemble
    maps: tuple[tuple[LabelMap, ...], ...]
    correction: Float[ndarray, " t"]

    @classmethod
    def of(
        cls, ensemble: Ensemble, labels: Float[ndarray, "n t"], correction: ndarray | None = None
    ) -> LabelPredictor:
        """Return the predictor of the labels that the ensemble was fitted on."""
        maps = tuple(
            tuple(map(LabelMap.of, targets.T, labels.T)) for targets in ensemble.targets(labels)
        )
        return cls(ensemble, maps, np.ones(labels.shape[1]) if correction is None else correction)

    def predict(self, rows: Rows) -> tuple[Moments, Float[ndarray, "n t"]]:
        """Return moments of each task's label, and the mean of its target, Eq. (5), to rank by."""
        chunks = [self._predict(chunk) for chunk in self._chunks(rows)]
        mean, std, target = (np.concatenate(parts) for parts in zip(*chunks, strict=True))
        return Moments(mean, std * self.correction), target

    def _predict(self, rows: Rows) -> tuple[ndarray, ndarray, ndarray]:
        members = [member.tasks for member in self.ensemble.member_moments(rows)]
        mean = np.empty((len(rows), len(self.correction)))
        std = np.empty_like(mean)
        for t in range(mean.shape[1]):
            first, second = zip(
                *(
                    member_maps[t].moments(m[:, t], s[:, t])
                    for member_maps, (m, s) in zip(self.maps, members, strict=True)
                ),
                strict=True,
            )
            mean[:, t] = np.mean(first, axis=0)
            std[:, t] = np.sqrt(np.maximum(np.mean(second, axis=0) - mean[:, t] ** 2, 0.0))
        center = np.array([label_map.center for label_map in self.maps[0]])
        unit = np.array([label_map.unit for label_map in self.maps[0]])
        target = np.mean([m for m, _ in members], axis=0)
        return (center / 2 + mean * unit) * 2, std * unit * 2, target

    def _chunks(self, rows: Rows) -> Iterator[Rows]:
        size = max(1, MAX_CELLS // max(len(self.ensemble.rows), 32 * N_NODES))
        return (rows[i : i + size] for i in range(0, max(len(rows), 1), size))


def correction(
    fit: Callable[[Rows, Float[ndarray, "n t"]], Ensemble],
    rows: Rows,
    labels: Float[ndarray, "n t"],
    rng: np.random.Generator,
) -> Float[ndarray, " t"]:
    """Return the factors of standard deviations with which their intervals hold held-out labels.

    A cross-validation gives standardized errors. Their quantile at `COVERAGE`, relative to that of
    the normal distribution, makes the interval exact on them (split conformal prediction, as in
    Angelopoulos and Bates, 2021, "A gentle introduction to conformal prediction").

    Args:
        fit: Fits an ensemble to rows and labels.
        rows: The labelled rows.
        labels: Their labels, NaN where one is missing.
        rng: Source of the folds.
    """
    n_tasks = labels.shape[1]
    if len(rows) < 2 * N_FOLDS:
        return np.ones(n_tasks)
    errors = np.full(labels.shape, np.nan)
    fold = rng.permutation(len(rows)) % N_FOLDS
    for f in range(N_FOLDS):
        seen, held_out = fold != f, fold == f
        predictor = LabelPredictor.of(fit(rows[seen], labels[seen]), labels[seen])
        (mean, std), _ = predictor.predict(rows[held_out])
        gap = np.abs(labels[held_out] / 2 - mean / 2) * 2  # the difference may overflow
        errors[held_out] = np.where(gap > 0, gap / np.maximum(std, np.finfo(float).tiny), 0.0)
    return np.array([_quantile(column[~np.isnan(column)]) for column in errors.T])


def _quantile(errors: Float[ndarray, " n"]) -> float:
    if len(errors) < 2 * N_FOLDS:
        return 1.0
    n = len(errors)
    rank = min(math.ceil((n + 1) * COVERAGE), n)
    factor = float(np.sort(errors)[rank - 1] / scipy.special.ndtri(0.5 + 0.5 * COVERAGE))
    return float(np.clip(factor, 1.0 / LARGEST_CORRECTION, LARGEST_CORRECTION))
