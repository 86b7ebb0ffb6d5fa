"""Draw regret by trial, from the JSON lines that `python -m benchmarks search quality` writes.

    python -m benchmarks search figure runs.jsonl --out regret.png

The left panel compares the samplers that ran on all tasks, the right one those of `--slow` and the
others on the tasks that these ran on. A line is the mean over tasks and seeds, its band a standard
error over the tasks: how far the mean would move with other tasks of this kind. An image needs
kaleido and a browser; a path that ends in .html needs neither.

Takes a few seconds.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from benchmarks.json_lines import read_lines
from benchmarks.search.report import OURS
from benchmarks.search.runs import Comparison, Record, side_by_side
from optuna_predictor_rl.visualization.style import (
    BLUE,
    GREEN,
    ORANGE,
    PINK,
    RAW_COLOR,
    base_layout,
)

N_TRIALS = 100
FIRST = 5  # before that, all samplers draw at random

# In the order of the legend: the name in the file, the class, its colour.
SHOWN = (
    ("random", "RandomSampler", RAW_COLOR),
    ("tpe", "TPESampler", GREEN),
    ("botorch", "BoTorchSampler", PINK),
    ("gp", "GPSampler", BLUE),
    (OURS, "PredictorRLSampler", ORANGE),
)


def draw(records: Sequence[Record], slow: Sequence[str]) -> go.Figure:
    """Draw both panels; only the left one if none of the slow samplers has run."""
    ran = {record["sampler"] for record in records}
    names = [name for name, *_ in SHOWN if name in ran]
    panels = [[name for name in names if name not in slow]]
    if any(name in slow for name in names):
        panels.append(names)
    found = [side_by_side(records, samplers=panel, n_trials=N_TRIALS) for panel in panels]
    titles = [f"{len(each.tasks)} tasks, {len(each.runs)} runs a sampler" for each in found]
    figure = make_subplots(1, len(panels), subplot_titles=titles, horizontal_spacing=0.09)
    for column, comparison in enumerate(found, 1):
        _draw_panel(figure, comparison, column, named=column == len(panels))
    base_layout(figure, "Regret by trial", x="trial", panel_lines=1)
    ticks = [0.02, 0.05, 0.1, 0.2, 0.5, 1.0]
    figure.update_yaxes(type="log", tickvals=ticks, range=np.log10([0.018, 1.0]).tolist())
    figure.update_yaxes(title_text="mean normalized regret (0: best known)", col=1)
    figure.update_layout(legend={"orientation": "h", "y": -0.18, "x": 0.5, "xanchor": "center"})
    return figure


def _draw_panel(figure: go.Figure, comparison: Comparison, column: int, *, named: bool) -> None:
    trials = np.arange(FIRST, N_TRIALS + 1)
    regrets = np.stack([comparison.by_task(comparison.regrets(n)) for n in trials])
    mean = regrets.mean(axis=1)
    error = regrets.std(axis=1, ddof=1) / np.sqrt(regrets.shape[1])
    for i, sampler in enumerate(comparison.samplers):
        shown, color = next(rest for name, *rest in SHOWN if name == sampler)
        low, high = np.maximum(mean - error, 1e-3)[:, i], (mean + error)[:, i]
        band = go.Scatter(
            x=[*trials, *trials[::-1]],
            y=[*high, *low[::-1]],
            fill="toself",
            fillcolor=color,
            opacity=0.15,
            line_width=0,
            hoverinfo="skip",
            showlegend=False,
        )
        line = go.Scatter(
            x=trials,
            y=mean[:, i],
            name=shown,
            line={"color": color, "width": 3 if sampler == OURS else 2},
            showlegend=named,
        )
        figure.add_traces([band, line], rows=1, cols=column)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="an image, or a page (.html)")
    parser.add_argument("--slow", nargs="*", default=["botorch"], help="samplers of fewer tasks")
    arguments = parser.parse_args()
    records = [record for path in arguments.files for record in read_lines(path)]
    figure = draw(records, arguments.slow)
    if arguments.out.suffix == ".html":
        figure.write_html(arguments.out, include_plotlyjs="cdn")
    else:
        figure.write_image(arguments.out, width=1000, height=430, scale=2)
