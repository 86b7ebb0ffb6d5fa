"""The scale on which values at a rung are compared: linear near the best, logarithmic far off."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray


@dataclass(frozen=True)
class Scale:
    """From values at a rung to z, and back."""

    reference: float
    unit: float

    @classmethod
    def of(cls, values: Float[ndarray, " n"], reference: float) -> Scale:
        """Return the scale of values, of which the last few may be any size."""
        distance = np.abs(values - reference)
        unit = float(np.median(distance)) / 2 if len(values) else 0.0
        smallest = np.finfo(np.float64).tiny + 1e-12 * abs(reference)
        return cls(reference, unit if smallest < unit < math.inf else 1.0)

    def z(self, values: ndarray) -> ndarray:
        """Return z of values of any shape."""
        return np.asarray(np.arcsinh((values - self.reference) / self.unit))

    def value(self, z: ndarray) -> ndarray:
        """Return the values of which these are z."""
        return np.asarray(self.reference + self.unit * np.sinh(np.clip(z, -500.0, 500.0)))
