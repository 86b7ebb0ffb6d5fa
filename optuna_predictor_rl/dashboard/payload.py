"""Smaller figures, because optuna-dashboard resends all of them whenever a page polls."""

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go

MAX_BYTES = 60_000
"""Largest size of a figure as JSON, if leaving out points of its traces achieves that. The largest
figure of 300 trials has 29,255 bytes (`benchmarks cost dashboard`)."""
MAX_POINTS = 1000
"""Largest number of points of a trace."""
MIN_POINTS = 16
"""Number of points below which a trace is not thinned, because its shape would be lost."""

_PER_POINT = ("x", "y", "text", "hovertext", "customdata", "ids")
_PER_POINT_OF = {
    "marker": ("color", "size", "symbol"),
    "error_x": ("array",),
    "error_y": ("array",),
}


def trimmed(figure: go.Figure) -> go.Figure:
    """Return a copy without plotly's template, with float32 numbers and few enough points.

    Points are left out evenly. Gaps in lines stay, as do the points on both sides of them.
    """
    max_points = MAX_POINTS
    while True:
        small = go.Figure(figure)
        small.layout.update(template=None, width=None, height=None)  # the page sets its own size
        for trace in small.data:
            _trim(trace, max_points)
        if len(small.to_json()) <= MAX_BYTES or max_points < MIN_POINTS:
            return small
        max_points //= 2


def _trim(trace: Any, max_points: int) -> None:
    properties = trace.to_plotly_json()
    if "z" in properties:  # x and y are axes of a matrix, not points
        trace.z = _compact(trace.z)
        return
    lengths = {len(trace[name]) for name in ("x", "y") if _is_array(trace[name])}
    if len(lengths) != 1:
        return
    kept = _kept(trace, lengths.pop(), max_points)
    for parent, names in [("", _PER_POINT), *_PER_POINT_OF.items()]:
        if parent and parent not in properties:
            continue
        owner: Any = trace[parent] if parent else trace
        for name in names:
            if name in owner and _is_array(owner[name]):
                owner[name] = _compact([owner[name][i] for i in kept])


def _kept(trace: Any, n: int, max_points: int) -> np.ndarray:
    """Return the indices of the points that stay, (m,)."""
    if n <= max_points:
        return np.arange(n)
    values = trace.y if _is_array(trace.y) else trace.x
    gap = np.array([v is None or (isinstance(v, float) and math.isnan(v)) for v in values])
    beside = gap | np.roll(gap, 1) | np.roll(gap, -1)
    chosen = np.zeros(n, dtype=bool)
    chosen[np.linspace(0, n - 1, max_points).round().astype(int)] = True
    return np.flatnonzero(chosen | beside)


def _is_array(value: Any) -> bool:
    return isinstance(value, (list, tuple, np.ndarray)) and np.ndim(value) > 0


def _compact(values: Any) -> Any:
    """Return numbers and gaps as float32, which plotly packs, and anything else as a list."""
    array = np.asarray(values, dtype=object)
    if all(v is None or isinstance(v, (int, float, np.number)) for v in array.flat):
        return array.astype(np.float64).astype(np.float32)
    return array.tolist()
