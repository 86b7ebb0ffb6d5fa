"""Colours and layout shared by the figures; small enough for optuna-dashboard to resend."""

from collections.abc import Sequence

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


def base_layout(
    figure: go.Figure, title: str, x: str = "", y: str = "", *, subtitle: str = ""
) -> None:
    """Titles and a plain background; plotly's default template is several kilobytes."""
    lines = subtitle.count("<br>") + 1 if subtitle else 0
    figure.update_layout(
        template="none",
        font={"color": INK, "size": 12},
        title={
            "text": title,
            "font": {"size": 16},
            "subtitle": {"text": subtitle, "font": {"size": 12, "color": INK}},
            "x": 0.02,
            "xanchor": "left",
            "y": 1.0,
            "yanchor": "top",
            "pad": {"t": 16},
            "automargin": False,
        },
        plot_bgcolor="white",
        hovermode="closest",
        margin={"t": 56 + 17 * lines, "r": 30, "b": 60},
    )
    grid = {"gridcolor": "#eeeeee", "zeroline": False, "linecolor": "#999999"}
    figure.update_xaxes(**grid)
    figure.update_yaxes(automargin=True, **grid)
    if x:
        figure.update_xaxes(title={"text": x})
    if y:
        figure.update_yaxes(title={"text": y, "standoff": 8})


def visible_range(
    values: Float[np.ndarray, " n"],
    sign: float,
    *,
    must: Sequence[Float[np.ndarray, " _"]] = (),
) -> list[float]:
    """An axis that shows the good values: a few bad ones must not flatten them.

    It ends at the worst of the better 85 %, and at most three times as far from the best as the
    median is.

    Args:
        values: What is to be seen, finite.
        sign: 1 if lower is better, -1 if higher is.
        must: Further values, all of which are to be seen.
    """
    best, middle, worst = np.quantile(sign * values, [0.0, 0.5, 0.85])
    if middle > best:
        worst = min(worst, best + 3.0 * (middle - best))
    shown = np.concatenate([[best, worst], *(sign * v for v in must)])
    margin = 0.08 * np.ptp(shown) or 1.0
    return sorted([sign * float(shown.min() - margin), sign * float(shown.max() + margin)])


def thinned(n: int, at_most: int) -> Int[np.ndarray, " k"]:
    """Indices of at most so many of n points, evenly spread, the first and the last included."""
    return np.unique(np.linspace(0, n - 1, min(n, at_most)).round().astype(int))
