"""A learning curve: finite values in the order of their steps, and when it has diverged."""

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

DIVERGED_AFTER = 3
"""Values that are not finite at the end of a curve that has diverged; fewer are gaps."""


def float_step(step: int) -> float:
    """Return a step as a float; a step beyond the largest float becomes the largest float."""
    return float(min(step, int(sys.float_info.max)))


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The finite points of a learning curve in the order of their steps.

    Attributes:
        steps: Strictly growing, in the unit in which the training reports (epochs, rows, ...).
        values: The finite values reported there.
        last_step: The last step reported, whether its value is finite or not.
        n_missing: Number of values at the end of the curve that are not finite.
    """

    steps: Float[np.ndarray, " n"]
    values: Float[np.ndarray, " n"]
    last_step: float
    n_missing: int

    @classmethod
    def of(cls, reports: Mapping[int, float]) -> "Curve":
        """Read reports such as `FrozenTrial.intermediate_values`, in any order of steps.

        Steps past 2**53 may be the same number as floats; the last of them counts.
        """
        read = {float_step(step): reports[step] for step in sorted(reports)}
        steps = np.fromiter(read.keys(), np.float64, len(read))
        return cls.from_arrays(steps, np.fromiter(read.values(), np.float64, len(read)))

    @classmethod
    def from_arrays(
        cls, steps: Float[np.ndarray, " m"], values: Float[np.ndarray, " m"]
    ) -> "Curve":
        """Keep the finite points and count those missing at the end.

        Raises:
            ValueError: If a step is not finite, or the steps do not grow.
        """
        if not np.isfinite(steps).all():
            raise ValueError(f"steps must be finite, but got {steps}.")
        if (np.diff(steps) <= 0).any():
            raise ValueError(f"steps must grow strictly, but got {steps}.")
        finite = np.isfinite(values)
        n_missing = len(values) - (int(np.flatnonzero(finite)[-1]) + 1 if finite.any() else 0)
        return cls(
            steps=steps[finite],
            values=values[finite],
            last_step=float(steps[-1]) if len(steps) else math.nan,
            n_missing=n_missing,
        )

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def diverged(self) -> bool:
        """Return True if the curve ends in values that are not finite, or has no other."""
        return self.n_missing >= DIVERGED_AFTER or (len(self) == 0 and self.n_missing > 0)

    @property
    def span(self) -> float:
        """Return the steps between the first and the last finite value; 0 for fewer than two."""
        return float(self.steps[-1] - self.steps[0]) if len(self) > 1 else 0.0

    def until(self, cutoff: float) -> "Curve":
        """Return the curve as it was when its training had reached `cutoff`."""
        kept = slice(int(np.searchsorted(self.steps, cutoff, side="right")))
        ended = cutoff >= self.last_step
        return Curve(
            steps=self.steps[kept],
            values=self.values[kept],
            last_step=self.last_step if ended else float(min(cutoff, self.last_step)),
            n_missing=self.n_missing if ended else 0,
        )
