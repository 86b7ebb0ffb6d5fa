"""Published figures are small and still show the same."""

import math

import numpy as np
import plotly.graph_objects as go
import pytest

from optuna_predictor_rl.dashboard.payload import trimmed


def test_the_template_and_the_size_are_left_to_the_page() -> None:
    figure = go.Figure(go.Scatter(x=[1, 2], y=[3, 4])).update_layout(height=900, template="plotly")
    small = trimmed(figure)
    assert small.layout.template.to_plotly_json() == {}
    assert small.layout.height is None
    assert figure.layout.height == 900


def test_few_points_stay_as_they_are() -> None:
    figure = go.Figure(go.Scatter(x=[1, 2, 4], y=[0.5, None, 3], text=["a", "b", "c"]))
    trace = trimmed(figure).data[0]
    assert list(trace.x) == [1, 2, 4]
    assert trace.y[0] == 0.5
    assert math.isnan(trace.y[1])
    assert list(trace.text) == ["a", "b", "c"]


def test_many_points_are_thinned_evenly_and_keep_their_companions_and_their_ends() -> None:
    n = 100_000
    figure = go.Figure(
        go.Scatter(
            x=np.arange(n), y=np.arange(n) * 2.0, text=[str(i) for i in range(n)],
            marker={"color": np.arange(n) * 3.0}, error_y={"array": np.arange(n) * 4.0},
        )
    )  # fmt: skip
    small = trimmed(figure)
    trace = small.data[0]
    assert trace.x[0] == 0
    assert trace.x[-1] == n - 1
    assert np.allclose(trace.y, 2 * trace.x)
    assert np.allclose(trace.marker.color, 3 * trace.x)
    assert np.allclose(trace.error_y.array, 4 * trace.x)
    assert [float(text) for text in trace.text] == list(trace.x)
    assert np.diff(trace.x).max() <= 1.1 * np.diff(trace.x).min()
    assert len(small.to_json()) <= 60_000


def test_gaps_between_lines_stay() -> None:
    lines = [value for _ in range(30) for value in [*range(100), None]]
    figure = go.Figure(go.Scatter(x=lines, y=lines, mode="lines"))
    values = np.asarray(trimmed(figure).data[0].y)
    assert len(values) < len(lines)
    assert np.isnan(values).sum() == 30
    starts = values[np.flatnonzero(np.isnan(values))[:-1] + 1]
    assert np.array_equal(starts, np.zeros(29))


def test_matrices_keep_their_axes() -> None:
    z = np.random.default_rng(0).random((3, 4))
    figure = go.Figure(go.Heatmap(x=[0, 1, 2, 3], y=["a", "b", "c"], z=z))
    trace = trimmed(figure).data[0]
    assert trace.z == pytest.approx(z, rel=1e-6)
    assert list(trace.y) == ["a", "b", "c"]
