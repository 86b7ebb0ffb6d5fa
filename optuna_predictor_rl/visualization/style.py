"""Colours and layout shared by the figures; small enough for optuna-dashboard to resend."""

import plotly.graph_objects as go

FULL_COLOR = "#333333"
GREY = "#c9ced6"
RAW_COLOR = "#7f7f7f"
LABEL_COLOR = "#d62728"
LABEL_COLORS = ("#d62728", "#1f77b4", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf")


def base_layout(figure: go.Figure, title: str, x: str, y: str) -> None:
    """Titles and a plain background; plotly's default template is several kilobytes."""
    grid = {"gridcolor": "#eeeeee", "zeroline": False, "linecolor": "#999999"}
    figure.update_layout(
        template="none",
        title={"text": title, "font": {"size": 16}},
        xaxis={"title": {"text": x}, **grid},
        yaxis={"title": {"text": y, "standoff": 8}, "automargin": True, **grid},
        plot_bgcolor="white",
        margin={"t": 60, "r": 30},
    )
