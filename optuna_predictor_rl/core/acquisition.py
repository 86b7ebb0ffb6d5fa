"""How good it would be to try a configuration: logarithm of the expected improvement."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.special import erfcx, log_ndtr

from optuna_predictor_rl.core.pareto import Boxes

LOG_SQRT_2PI = 0.5 * float(np.log(2.0 * np.pi))


def log_expected_improvement(
    mean: Float[ndarray, "*b"], std: Float[ndarray, "*b"], best: float | Float[ndarray, "*b"]
) -> Float[ndarray, "*b"]:
    """Logarithm of E[max(0, best - Y)] for Y ~ N(mean, std), accurate far below the best.

    Ament et al., 2023, "Unexpected improvements to expected improvement", Eq. 9.

    Example:
        >>> log_expected_improvement(np.array([0.0]), np.array([1.0]), 0.0).round(4)
        array([-0.9189])
    """
    z = (best - mean) / std
    near = np.maximum(z, -1.0)
    far = np.minimum(z, -1.0)
    density = np.exp(-0.5 * near * near - LOG_SQRT_2PI)
    log_near = np.log(density + near * np.exp(log_ndtr(near)))
    # phi(z) + z Phi(z) = phi(z) (1 + z sqrt(pi/2) erfcx(-z / sqrt 2)), and 1 / z^2 past z = -1e3
    mills = np.sqrt(np.pi / 2.0) * erfcx(-far / np.sqrt(2.0))
    ratio = np.where(far > -1e3, 1.0 + far * mills, 1.0 / (far * far))
    log_far = -0.5 * far * far - LOG_SQRT_2PI + np.log(np.maximum(ratio, 1e-300))
    return np.asarray(np.where(z > -1.0, log_near, log_far) + np.log(std))


def log_feasibility(
    mean: Float[ndarray, "n c"], std: Float[ndarray, "n c"], threshold: Float[ndarray, " c"]
) -> Float[ndarray, " n"]:
    """Logarithm of the probability that no independent Gaussian exceeds its threshold."""
    return np.asarray(log_ndtr((threshold - mean) / std).sum(1))


def log_hypervolume_improvement(
    mean: Float[ndarray, "n t"], std: Float[ndarray, "n t"], boxes: Boxes
) -> Float[ndarray, " n"]:
    """Logarithm of the volume that independent Gaussians are expected to add to a front.

    In a box [l, u) a point y adds the product over objectives of (u - y)+ - (l - y)+, and the
    expectation of a product of independent factors is the product of their expectations.

    Args:
        mean: Means of each objective.
        std: Their standard deviations.
        boxes: What the front leaves empty; see `empty_boxes`.

    Example:
        >>> boxes = np.full((1, 2), -np.inf), np.zeros((1, 2))
        >>> one = log_expected_improvement(np.array([0.3]), np.array([0.5]), 0.0)
        >>> mean, std = np.full((1, 2), 0.3), np.full((1, 2), 0.5)
        >>> bool(np.isclose(log_hypervolume_improvement(mean, std, boxes), 2 * one)[0])
        True
    """
    lower, upper = boxes
    total = np.zeros((len(mean), len(lower)))
    for j in range(mean.shape[1]):
        sides, index = np.unique(
            np.stack([lower[:, j], upper[:, j]], 1), axis=0, return_inverse=True
        )
        total += _log_side(mean[:, j], std[:, j], sides)[:, index.ravel()]
    return np.asarray(np.logaddexp.reduce(total, axis=1))


def _log_side(
    mean: Float[ndarray, " n"], std: Float[ndarray, " n"], sides: Float[ndarray, "s 2"]
) -> Float[ndarray, "n s"]:
    """Logarithm of E[(u - Y)+ - (l - Y)+] for each side [l, u)."""
    levels, index = np.unique(sides, return_inverse=True)
    finite = np.isfinite(levels)
    at = np.full((len(mean), len(levels)), -np.inf)
    grid = np.broadcast_arrays(mean[:, None], std[:, None], levels[finite])
    at[:, finite] = log_expected_improvement(*grid)
    low, high = at[:, index.reshape(sides.shape)].transpose(2, 0, 1)
    return np.asarray(high + np.log(np.maximum(-np.expm1(low - high), 1e-300)))
