"""Where a figure goes: an image where kaleido and a browser are at hand, else an HTML page."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import plotly.graph_objects as go

COLORS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#7f7f7f")


def write(plot: go.Figure, path: Path) -> None:
    """Write the figure; a path without an ending gets that of the best format at hand."""
    if not path.suffix:
        path = path.with_suffix(".html" if find_spec("kaleido") is None else ".png")
    if path.suffix == ".html":
        plot.write_html(path, include_plotlyjs="cdn")
    else:
        plot.write_image(path, width=900, height=520, scale=2)
    print(f"Look at the figure:  {path}")
