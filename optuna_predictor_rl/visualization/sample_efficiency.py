"""Best value so far by trial, searcher by searcher (Fig. 9 of the paper)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float
from numpy import ndarray
from optuna.study import Study
from optuna.trial import FrozenTrial

from optuna_predictor_rl.comparison.marks import SHARED, trials_by_searcher
from optuna_predictor_rl.comparison.results import baseline_of, final_value, maximized
from optuna_predictor_rl.comparison.statistics import gain, standard_error
from optuna_predictor_rl.study.objective import objective_index, objective_names
from optuna_predictor_rl.support.checked import check_finite, checked
from optuna_predictor_rl.support.guard import guarded
from optuna_predictor_rl.support.text import plotly_text
from optuna_predictor_rl.visualization.source import WIDEST_TITLE
from optuna_predictor_rl.visualization.style import COLORS, FULL_COLOR, base_layout

DASHES = ("solid", "6px,2px", "2px,2px", "8px,2px,2px,2px", "12px,3px", "12px,3px,2px,3px")
"""Dashes of the searchers, because curves often lie on top of each other."""

N_FIRST = 5
"""Number of first trials whose errors, which are very wide, may lie outside the axis."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BestSoFar:
    """The best gain over the baseline so far, after each trial.

    Attributes:
        name: Name of the searcher; `"shared"` for the shared trials.
        first: Number of trials after which the first entry stands.
        gains: Gains in %, one row a seed; NaN before a trial has completed.
    """

    name: str
    first: int
    gains: Float[ndarray, "seeds trials"]

    @property
    def trials(self) -> ndarray:
        """Return the number of trials after which each entry stands."""
        return np.arange(self.gains.shape[1]) + self.first

    @property
    def mean(self) -> ndarray:
        """Return the mean over seeds."""
        return np.asarray(self.gains.mean(axis=0))

    @property
    def error(self) -> ndarray:
        """Return the standard error over seeds; NaN for one seed."""
        return standard_error(self.gains)


@checked
@guarded()
def sample_efficiency(
    studies: Study | Sequence[Study],
    *,
    baseline: float | None = None,
    values_are_gains: bool = False,
    objective: int | str | None = None,
) -> list[BestSoFar]:
    """Return the best gain by number of trials, of the shared part and of each searcher.

    A searcher's curve starts where the shared one ends. Pruned and failed trials count, but cannot
    be the best. If seeds have different numbers of trials, curves end at the smallest.

    Args:
        studies: Studies of `compare_searchers`, one a seed.
        baseline: See `ComparisonReport.of`.
        values_are_gains: See `ComparisonReport.of`.
        objective: Index or metric name of the objective to show; needed if there are several.

    Raises:
        ValueError: If no study is given, one has several objectives of which none is named,
            directions differ, or the baseline is 0 or missing.
    """
    if baseline is not None:
        check_finite(baseline=baseline)
    studies = [studies] if isinstance(studies, Study) else list(studies)
    place = _index(studies, objective)
    maximize = maximized(studies, place)
    by_seed = [trials_by_searcher(study) for study in studies]
    names = list(dict.fromkeys(name for seed in by_seed for name in seed))
    curves: dict[str, list[ndarray]] = {name: [] for name in names}
    for seed in by_seed:
        base = baseline_of(
            seed[SHARED], baseline, values_are_gains=values_are_gains, objective=place
        )
        if math.isnan(gain(1.0, base, values_are_gains=values_are_gains)):
            raise ValueError(
                f"baseline must be a number other than 0 for gains in %, but got {base}."
            )
        shared = _gains(seed[SHARED], base, place, values_are_gains=values_are_gains)
        for name in names:
            own = [] if name == SHARED else seed.get(name, [])
            gains = shared + _gains(own, base, place, values_are_gains=values_are_gains)
            best = (np.fmax if maximize else np.fmin).accumulate(np.array(gains))
            curves[name].append(best if name == SHARED else best[max(len(shared) - 1, 0) :])
    n_shared = min(len(curve) for curve in curves[SHARED])
    return [
        BestSoFar(
            name=name,
            first=1 if name == SHARED else max(n_shared, 1),
            gains=np.stack([row[: min(map(len, rows))] for row in rows]),
        )
        for name, rows in curves.items()
    ]


@checked
@guarded()
def plot_sample_efficiency(
    studies: Study | Sequence[Study],
    *,
    baseline: float | None = None,
    values_are_gains: bool = False,
    value_name: str = "value",
    objective: int | str | None = None,
) -> go.Figure:
    """Draw the best gain so far by trial: the mean over seeds, and its standard error as a band.

    Args:
        studies: Studies of `compare_searchers`, one a seed; or ordinary ones.
        baseline: See `ComparisonReport.of`.
        values_are_gains: See `ComparisonReport.of`.
        value_name: Name of the value that is gained, for instance `"NE"`.
        objective: See `sample_efficiency`.

    Raises:
        ValueError: See `sample_efficiency`.
    """
    studies = [studies] if isinstance(studies, Study) else list(studies)
    shared, *searchers = sample_efficiency(
        studies, baseline=baseline, values_are_gains=values_are_gains, objective=objective
    )
    index = _index(studies, objective)
    if value_name == "value" and len(studies[0].directions) > 1:
        value_name = objective_names(studies[0])[index]
    figure = go.Figure()
    name = SHARED if searchers else "best so far"
    _draw(figure, shared, name=name, color=FULL_COLOR, dash="solid")
    for place, curve in enumerate(searchers):
        dash = DASHES[place % len(DASHES)]
        name = plotly_text(curve.name, WIDEST_TITLE)
        _draw(figure, curve, name=name, color=COLORS[place % len(COLORS)], dash=dash)
    n_shared = len(shared.trials)
    if searchers and n_shared:
        figure.add_vline(
            x=n_shared, line_dash="dash", line_color=FULL_COLOR, line_width=1,
            annotation_text=f"{n_shared} shared trial{'s' if n_shared > 1 else ''}",
            annotation_position="top left",
        )  # fmt: skip
    better = "positive" if maximized(studies, index) else "negative"
    gain_title = (
        f"Best {plotly_text(value_name, WIDEST_TITLE)} gain so far, % ({better} is better)"
    )
    if searchers:
        seeds = "1 seed" if len(studies) == 1 else f"{len(studies)} seeds, mean ± standard error"
        title = f"Sample efficiency of searchers ({seeds})"
        base_layout(figure, title, "Trials of a searcher, the shared ones included", gain_title)
    else:
        title = "Best gain so far"
        if len(studies) > 1:
            title += f" ({len(studies)} studies, mean ± standard error)"
        over = "" if values_are_gains else "Over the first complete trial's value"
        if baseline is not None:
            over = f"Over {baseline:.5g}"
        base_layout(figure, title, "Trial", gain_title, subtitle=over)
        figure.update_layout(showlegend=True)
    figure.update_yaxes(range=_visible_range([shared, *searchers]))
    return figure


def _gains(
    trials: Sequence[FrozenTrial], baseline: float, objective: int, *, values_are_gains: bool
) -> list[float]:
    values = [final_value(trial, objective) for trial in trials]
    return [gain(value, baseline, values_are_gains=values_are_gains) for value in values]


def _index(studies: Sequence[Study], objective: int | str | None) -> int:
    """Return the index of an objective, the same in all studies; 0 without a study.

    Raises:
        ValueError: If one has no such objective, or another one has it at another index.
    """
    found = {objective_index(study, objective) for study in studies}
    if len(found) > 1:
        raise ValueError(
            f"objective must be at the same index in all studies, but {objective!r} is at "
            f"{sorted(found)}."
        )
    return next(iter(found), 0)


def _visible_range(curves: list[BestSoFar]) -> list[float] | None:
    """Return a range with all means, and with the errors after the first few trials."""
    bounds = [curve.mean for curve in curves]
    bounds += [(c.mean + k * c.error)[c.trials > N_FIRST] for c in curves for k in (-1.0, 1.0)]
    shown = np.concatenate(bounds)
    shown = shown[np.isfinite(shown)]
    if len(shown) == 0:
        return None
    margin = 0.08 * float(np.ptp(shown)) or 0.1
    return [float(shown.min() - margin), float(shown.max() + margin)]


def _draw(figure: go.Figure, curve: BestSoFar, *, name: str, color: str, dash: str) -> None:
    if len(curve.trials) == 0:
        return
    finite = np.isfinite(curve.error) & np.isfinite(curve.mean)
    if finite.any():
        steps, mean, error = (
            np.repeat(v[finite], 2) for v in (curve.trials, curve.mean, curve.error)
        )
        steps, mean, error = steps[1:], mean[:-1], error[:-1]  # a value holds until the next trial
        figure.add_scatter(
            x=np.concatenate([steps, steps[::-1]]),
            y=np.concatenate([mean + error, (mean - error)[::-1]]),
            fill="toself", fillcolor=color, opacity=0.1, mode="none", hoverinfo="skip",
            legendgroup=name, showlegend=False,
        )  # fmt: skip
    figure.add_scatter(
        x=curve.trials, y=curve.mean, mode="lines", legendgroup=name,
        name=f"{name}: {curve.mean[-1]:+.2f} %",
        line={"color": color, "width": 2, "shape": "hv", "dash": dash},
    )  # fmt: skip
