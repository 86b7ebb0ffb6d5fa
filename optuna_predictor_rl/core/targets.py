"""Transforms of a task's raw labels to targets of about unit variance; lower stays better."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import scipy
from jaxtyping import Float
from numpy import ndarray

Target = Literal["standard", "clipped", "rank", "log"]

LARGE_OFFSET = 1e-6
"""Share of their size within which labels are taken relative to the smallest."""

ROUNDING = 4.0 * float(np.finfo(np.float64).eps)
"""Share of their size by which equal labels may differ because of rounding."""


def standard_target(y: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
    """Return labels with mean 0 and variance 1; constant labels become zeros."""
    if not len(y):
        return y
    y = _scaled(_without_offset(y))
    spread = y.std()
    return (y - y.mean()) / spread if spread > 1e-12 else np.zeros_like(y)


def clipped_target(y: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
    """Return labels that are standardized after the worst tenth is clipped.

    A search need not know how bad its worst trials are.
    """
    y = _scaled(_without_offset(y))
    if len(y) < 2:
        return standard_target(y)
    worst_kept = max(1, int(0.9 * (len(y) - 1)))
    return standard_target(np.minimum(y, np.sort(y)[worst_kept]))


def rank_target(y: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
    """Return the normal quantiles of the ranks: only the order counts, as in Eq. (3)."""
    if not len(y) or y.min() == y.max():
        return np.zeros_like(y)
    return np.asarray(scipy.special.ndtri((scipy.stats.rankdata(y) - 0.5) / len(y)))


def rank_targets(labels: Float[ndarray, "n t"]) -> Float[ndarray, "n t"]:
    """Return the rank target of each task over the labels it has; NaN where one is missing."""
    return transformed(labels, rank_target)


def log_target(y: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
    """Return the logarithm of the distance to the best label, offset by a tenth of the median's.

    It spreads the best labels out, where a search has to tell them apart.
    """
    if not len(y):
        return y
    y = _scaled(_without_offset(y))
    best = y.min()
    scale = np.median(y) - best
    if not scale > 0:
        return standard_target(y)
    offset = max(0.1 * scale, np.finfo(np.float64).tiny)
    return standard_target(np.log(offset + (y - best)))  # log(scale) is a shift


def transformed(
    labels: Float[ndarray, "n t"], transform: Callable[[ndarray], ndarray]
) -> Float[ndarray, "n t"]:
    """Return the target of each task over the labels it has; NaN where one is missing."""
    targets = np.full_like(labels, np.nan)
    for t, y in enumerate(labels.T):
        present = ~np.isnan(y)
        targets[present, t] = transform(y[present])
    return targets


def target_errors(
    labels: Float[ndarray, "n t"], targets: Float[ndarray, "n t"], errors: Float[ndarray, "n t"]
) -> Float[ndarray, "n t"]:
    """Return errors of labels on the scale of their targets.

    It is half the change of the target from one error below a label to one above. The target is
    interpolated between the labels, and constant beyond them.
    """
    found = np.zeros_like(targets)
    for t, (y, target, error) in enumerate(zip(labels.T, targets.T, errors.T, strict=True)):
        present = np.flatnonzero(~np.isnan(y))
        order = present[np.argsort(y[present], kind="stable")]
        if error.any() and len(order):
            ends = [np.interp(y + side * error, y[order], target[order]) for side in (-1.0, 1.0)]
            found[:, t] = np.nan_to_num(0.5 * (ends[1] - ends[0]))
    return found


def signed_target(y: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
    """Return the values of a constraint with zero kept at zero and large values bounded.

    Values far beyond the median distance from zero approach a bound, so that outliers do not
    flatten the rest. The result is divided by its deviation, but not centred.
    """
    y = _scaled(y)
    distance = np.abs(y[y != 0.0])
    if not len(distance):
        return y
    target = y / (np.median(distance) + np.abs(y))
    return np.asarray(target / max(target.std(), 0.1))


def feasible_rank(y: Float[ndarray, " n"]) -> float:
    """Return where zero lies among the normal quantiles of the ranks of a constraint's values."""
    n = max(len(y), 1)
    share = np.count_nonzero(y <= 0.0) / n
    return float(scipy.special.ndtri(np.clip(share, 0.5 / (n + 1), 1.0 - 0.5 / (n + 1))))


def _without_offset(y: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
    """Return labels less their smallest if they hardly differ for their size, as 1e12 + loss does.

    The difference of two floats within a factor of 2 is exact. Labels that differ by rounding
    errors alone become constant.
    """
    if not len(y):
        return y
    size, half = np.abs(y).max(), y.max() / 2 - y.min() / 2
    if half > LARGE_OFFSET * size:
        return y
    return y - y.min() if half > ROUNDING * size else np.zeros_like(y)


def _scaled(y: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
    """Return the labels in [-1, 1], where neither differences nor squares overflow."""
    scale = np.abs(y).max(initial=0.0)
    return y / scale if scale > 0 else y


TARGETS: dict[Target, Callable[[ndarray], ndarray]] = {
    "standard": standard_target,
    "clipped": clipped_target,
    "rank": rank_target,
    "log": log_target,
}
