"""Curves and laws shared by the tests."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

levels = st.floats(-100, 100)
laws = settings(deadline=None, derandomize=True, max_examples=40)
FALLING = [{step: 1.0 + rate / step for step in range(1, 21)} for rate in range(1, 9)]


def crossing_curves(seed: int, n: int = 12, length: int = 20) -> list[dict[int, float]]:
    """Lines that start in one order and end in another."""
    rng = np.random.default_rng(seed)
    starts, slopes = rng.normal(size=n), rng.normal(size=n) / length
    return [
        {step: float(starts[i] + slopes[i] * step) for step in range(length)} for i in range(n)
    ]
