"""Logarithms of the expected improvement and of the probability of feasibility."""

from __future__ import annotations

import numpy as np
import scipy
from jaxtyping import Float
from numpy import ndarray

LOG_SQRT_2PI = 0.5 * float(np.log(2.0 * np.pi))


def log_expected_improvement(
    mean: Float[ndarray, "*b"], std: Float[ndarray, "*b"], best: float
) -> Float[ndarray, "*b"]:
    """Return log E[max(0, best - Y)] for Y ~ N(mean, std^2), accurate where it underflows.

    Ament et al., 2023, "Unexpected improvements to expected improvement", Eq. 9.

    Example:
        >>> log_expected_improvement(np.array([0.0]), np.array([1.0]), 0.0).round(4)
        array([-0.9189])
    """
    z = (best - mean) / std
    near = np.maximum(z, -1.0)
    far = np.minimum(z, -1.0)
    density = np.exp(-0.5 * near * near - LOG_SQRT_2PI)
    log_near = np.log(density + near * np.exp(scipy.special.log_ndtr(near)))
    # The two terms of phi(z) + z Phi(z) cancel for z far below 0. With phi(z) taken out, they are
    # phi(z) (1 + z sqrt(pi/2) erfcx(-z / sqrt 2)); past z = -1e3 that cancels too, and is 1 / z^2.
    mills = np.sqrt(np.pi / 2.0) * scipy.special.erfcx(-far / np.sqrt(2.0))
    ratio = np.where(far > -1e3, 1.0 + far * mills, 1.0 / (far * far))
    log_far = -0.5 * far * far - LOG_SQRT_2PI + np.log(np.maximum(ratio, 1e-300))
    return np.asarray(np.where(z > -1.0, log_near, log_far) + np.log(std))


def log_feasibility(
    mean: Float[ndarray, "n c"], std: Float[ndarray, "n c"], threshold: Float[ndarray, " c"]
) -> Float[ndarray, " n"]:
    """Return the log probability that no independent Gaussian exceeds its threshold."""
    return np.asarray(scipy.special.log_ndtr((threshold - mean) / std).sum(1))
