"""Colours and layout of all figures; small enough for optuna-dashboard to resend."""

import math
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

INK = "#222222"
FULL_COLOR = "#333333"
GREY = "#c9ced6"
RAW_COLOR = "#7f7f7f"

BLUE, ORANGE, GREEN, PINK, YELLOW, SKY = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9",
)  # fmt: skip
"""Distinct for colour-blind readers: Okabe and Ito, "Color Universal Design" (2008)."""
COLORS = (BLUE, ORANGE, GREEN, PINK, YELLOW, SKY)
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x")
LABEL_COLOR = ORANGE
WIDEST_LINE = 100
"""Characters of a line of the subtitle; figures in optuna-dashboard are 640 pixels wide."""


def base_layout(
    figure: go.Figure,
    title: str,
    x: str = "",
    y: str = "",
    *,
    subtitle: str = "",
    panel_lines: int = 0,
) -> None:
    """Set titles and a plain background; plotly's default template is several kilobytes.

    Args:
        figure: The figure to change.
        title: Title of the figure. This and all other text is HTML, see `text.plotly_text`.
        x: Title of all x axes.
        y: Title of all y axes.
        subtitle: Lines between `<br>`; long ones are broken.
        panel_lines: Number of lines over the topmost panels, which need room.
    """
    lines = [
        part
        for line in subtitle.split("<br>")
        for part in textwrap.wrap(line, WIDEST_LINE, break_long_words=False)
    ]
    figure.update_layout(
        template="none",
        font={"color": INK, "size": 12},
        title={
            "text": title,
            "font": {"size": 16},
            "subtitle": {"text": "<br>".join(lines), "font": {"size": 12, "color": INK}},
            "x": 0.02,
            "xanchor": "left",
            "y": 1.0,
            "yanchor": "top",
            "pad": {"t": 16},
            "automargin": False,
        },
        plot_bgcolor="white",
        hovermode="closest",
        margin={"t": 56 + 17 * len(lines) + 18 * panel_lines, "r": 30, "b": 60},
    )
    grid = {"gridcolor": "#eeeeee", "zeroline": False, "linecolor": "#999999"}
    figure.update_xaxes(**grid)
    figure.update_yaxes(automargin=True, **grid)
    if x:
        figure.update_xaxes(title={"text": x})
    if y:
        figure.update_yaxes(title={"text": y, "standoff": 8})


def visible_range(
    values: Float[np.ndarray, " n"], sign: float, *, must: Sequence[Float[np.ndarray, " _"]] = ()
) -> list[float]:
    """Return the range of an axis that shows the good values, not flattened by a few bad ones.

    It ends at the worst of the better 85 %, and at most three times as far from the best as the
    median is.

    Args:
        values: Finite values.
        sign: 1 if lower is better, -1 if higher is.
        must: Further values, all of which lie within the range.
    """
    best, middle, worst = np.quantile(sign * values, [0.0, 0.5, 0.85])
    if middle > best:
        worst = min(worst, best + 3.0 * (middle - best))
    shown = np.concatenate([[best, worst], *(sign * v for v in must)])
    margin = 0.08 * np.ptp(shown) or 1.0
    return sorted([sign * float(shown.min() - margin), sign * float(shown.max() + margin)])


def thinned(n: int, at_most: int) -> Int[np.ndarray, " k"]:
    """Return indices of at most so many of n points, evenly spread, with both ends."""
    return np.unique(np.linspace(0, n - 1, min(n, at_most)).round().astype(int))


def distinct(names: list[str]) -> list[str]:
    """Return the names, numbered if two are equal: an axis draws equal names as one."""
    if len(set(names)) == len(names):
        return names
    return [f"{name} ({i})" for i, name in enumerate(names)]


def log_axis(low: float, high: float) -> dict[str, Any]:
    """Return the settings of a logarithmic axis that shows all values between two positive ones.

    Plotly's own ticks between powers of ten have one digit: "2" stands for 2000.
    """
    ticks = log_ticks(low, high)
    return {"type": "log", "tickvals": ticks, "tickformat": "~s" if ticks[0] >= 1.0 else "~g"}


def log_ticks(low: float, high: float) -> list[float]:
    """Return round values around and between two positive ones, few enough to label.

    Example:
        >>> log_ticks(30.0, 900.0)
        [20.0, 50.0, 100.0, 200.0, 500.0, 1000.0]
        >>> log_ticks(1e-3, 1e9)
        [0.001, 0.1, 10.0, 1000.0, 100000.0, 10000000.0, 1000000000.0]
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    if last - first > 3:
        return [10.0**power for power in range(first, last + 1, -(-(last - first) // 8))]
    steps = [digit * 10.0**power for power in range(first, last + 1) for digit in (1, 2, 5)]
    start = max(i for i, step in enumerate(steps) if step <= low)
    end = min(i for i, step in enumerate(steps) if step >= high)
    return steps[start : end + 1]
