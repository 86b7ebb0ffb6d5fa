"""Value against cost by cost weight, with the Pareto front (Fig. 8 of the paper)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, Float, Int
from optuna.samplers import BaseSampler
from optuna.study import Study

from optuna_predictor_rl.core.pareto import is_pareto
from optuna_predictor_rl.data.columns import is_feasible
from optuna_predictor_rl.fidelity.labels import is_full
from optuna_predictor_rl.study.objective import objective_index, signs_of
from optuna_predictor_rl.study.storage import LABELLED
from optuna_predictor_rl.support.checked import checked
from optuna_predictor_rl.support.guard import guarded
from optuna_predictor_rl.support.text import plotly_text
from optuna_predictor_rl.visualization.costed_trials import cost_of, value_of, weight_of
from optuna_predictor_rl.visualization.proposals import Proposals, proposals_of
from optuna_predictor_rl.visualization.source import (
    WIDEST_TITLE,
    cost_name,
    inspect_search,
    sampler_of,
    sampler_text,
    value_title,
)
from optuna_predictor_rl.visualization.style import (
    COLORS,
    FULL_COLOR,
    RAW_COLOR,
    SYMBOLS,
    base_layout,
    log_axis,
    thinned,
    visible_range,
)

N_POINTS = 500
"""Largest number of trials of a cost weight in the figure."""


@dataclass(frozen=True, kw_only=True)
class TradeOff:
    """Value and cost of the trials that have both.

    Attributes:
        numbers: Numbers of the trials.
        value: Value of each trial, or the label of one that was stopped, in the study's unit.
        cost: Cost of each trial.
        cost_weight: Cost weight of the search that suggested each trial; NaN for startup trials
            and enqueued ones, which no search suggested.
        full: Whether each value is that of a full training.
        front: Indices of the feasible trials that no other one dominates, by ascending cost.
        proposals: Proposals under each cost weight.
    """

    numbers: Int[np.ndarray, " n"]
    value: Float[np.ndarray, " n"]
    cost: Float[np.ndarray, " n"]
    cost_weight: Float[np.ndarray, " n"]
    full: Bool[np.ndarray, " n"]
    front: Int[np.ndarray, " p"]
    proposals: list[Proposals]


@checked
@guarded()
def trade_off(
    study: Study,
    sampler: BaseSampler | None = None,
    *,
    cost_weights: Sequence[float] | None = None,
    n_proposals: int = 20,
    objective: int | str | None = None,
) -> TradeOff:
    """Return the trials' values and costs, and the policy's proposals under each cost weight.

    Args:
        study: The study.
        sampler: A predictor-based sampler with a cost, also a new one; by default the study's own.
        cost_weights: Weights to search under; by default the sampler's own.
        n_proposals: Number of untried configurations to predict for each weight; 0 for none.
        objective: Index or metric name of the objective to show; needed if there are several.

    Raises:
        ValueError: If the given sampler is of another kind or has no cost, no objective of
            several is named, a cost is weighed beside several, fewer than 3 trials have a value,
            a weight is not in [0, 1], or the number of proposals is negative.
    """
    if n_proposals < 0:
        raise ValueError(f"n_proposals must not be negative, but got {n_proposals}.")
    for cost_weight in cost_weights or ():
        if not 0.0 <= cost_weight <= 1.0:
            raise ValueError(f"cost_weights must be in [0, 1], but got {cost_weight}.")
    index = objective_index(study, objective)
    own = sampler_of(study, sampler)
    if own.cost is None:
        of_study = type(study.sampler).__name__
        hint = f" (the study's is a {of_study})" if sampler_text(study, sampler) else ""
        raise ValueError(
            "sampler must have a cost for this figure, but got cost=None; give "
            f"sampler=PredictorRLSampler(cost=...){hint}."
        )
    inspect_search(study, own)
    trials = study.get_trials(deepcopy=False, states=LABELLED)
    labelled = [(t, value_of(t, index, len(study.directions)), cost_of(own, t)) for t in trials]
    both = [(t, y, c) for t, y, c in labelled if y is not None and np.isfinite([y, c]).all()]
    value, cost = np.array([[y, c] for _, y, c in both], dtype=np.float64).reshape(-1, 2).T
    wanted = tuple(dict.fromkeys(own.cost_weights if cost_weights is None else cost_weights))
    return TradeOff(
        numbers=np.array([t.number for t, _, _ in both], dtype=np.int64),
        value=value,
        cost=cost,
        cost_weight=np.array([weight_of(own, t, trials) for t, _, _ in both], dtype=np.float64),
        full=np.array([is_full(t) for t, _, _ in both], dtype=bool),
        front=_front(
            np.stack([cost, signs_of(study)[index] * value], axis=1),
            np.array([is_feasible(t) for t, _, _ in both], dtype=bool),
        ),
        proposals=[
            proposals_of(own, study, w, n_proposals, index)
            for w in (wanted if n_proposals else ())
        ],
    )


@checked
@guarded()
def plot_trade_off(
    study: Study,
    sampler: BaseSampler | None = None,
    *,
    cost_weights: Sequence[float] | None = None,
    n_proposals: int = 20,
    objective: int | str | None = None,
) -> go.Figure:
    """Draw trials as dots, coloured by cost weight, and proposals as crosses.

    Arguments and errors are those of `trade_off`.

    Example:
        >>> import optuna
        >>> from optuna_predictor_rl import PredictorRLSampler
        >>> sampler = PredictorRLSampler(cost=lambda t: t.params["x"], cost_weight=0.3, seed=0)
        >>> study = optuna.create_study(sampler=sampler)
        >>> study.optimize(lambda trial: (trial.suggest_float("x", 0, 1) - 1) ** 2, n_trials=10)
        >>> plot_trade_off(study).layout.title.text
        'Value against cost, 10 trials'
    """
    data = trade_off(
        study,
        sampler,
        cost_weights=cost_weights,
        n_proposals=n_proposals,
        objective=objective,
    )
    index = objective_index(study, objective)
    sign = float(signs_of(study)[index])
    figure = go.Figure()
    figure.add_scatter(
        x=data.cost[data.front], y=data.value[data.front], mode="lines", name="Pareto front",
        line={"color": FULL_COLOR, "width": 1.5, "shape": "hv"}, hoverinfo="skip",
    )  # fmt: skip
    searched = ~np.isnan(data.cost_weight)
    weights = sorted({*data.cost_weight[searched], *(p.cost_weight for p in data.proposals)})
    colors = {weight: COLORS[i % len(COLORS)] for i, weight in enumerate(weights)}
    _draw_trials(figure, data, ~searched, "not searched", RAW_COLOR, "circle")
    for i, (weight, color) in enumerate(colors.items()):
        chosen = data.cost_weight == weight
        _draw_trials(figure, data, chosen, f"cost weight {weight:g}", color, SYMBOLS[i % 4])
    for proposals in data.proposals:
        color = colors[proposals.cost_weight]
        figure.add_scatter(
            x=proposals.cost, y=proposals.value, mode="markers",
            name=f"proposals, {proposals.cost_weight:g}",
            marker={"symbol": "x-thin", "size": 12, "line": {"color": color, "width": 2}},
            hovertemplate="predicted %{y:.4g} at cost %{x:.4g}<extra></extra>",
        )  # fmt: skip
    notes = []
    if not data.full.all():
        notes.append("Open: stopped early, value extrapolated")
        figure.add_scatter(
            x=[None], y=[None], mode="markers", name="stopped early",
            marker={"color": RAW_COLOR, "symbol": "circle-open", "size": 9},
        )  # fmt: skip
    limits = visible_range(data.value, sign, must=[p.value for p in data.proposals])
    n_outside = int(((data.value < limits[0]) | (data.value > limits[1])).sum())
    notes += [f"{n_outside} bad trials lie outside"] if n_outside else []
    base_layout(
        figure,
        f"Value against cost, {len(data.value)} trials",
        f"{plotly_text(cost_name(sampler_of(study, sampler)), WIDEST_TITLE)} (lower is better)",
        value_title(study, index),
        subtitle="Colours: cost weight of the search that suggested a trial; "
        "crosses: proposals as predicted<br>" + "; ".join(notes),
    )
    figure.update_yaxes(range=limits)
    if data.cost.min() > 0 and data.cost.max() > 10 * data.cost.min():
        figure.update_xaxes(log_axis(float(data.cost.min()), float(data.cost.max())))
    return figure


def _front(
    points: Float[np.ndarray, "n 2"], feasible: Bool[np.ndarray, " n"]
) -> Int[np.ndarray, " p"]:
    """Return the first index of each point of the feasible front, by ascending cost."""
    kept = np.flatnonzero(feasible)
    distinct, first = np.unique(points[kept], axis=0, return_index=True)
    return kept[first[is_pareto(distinct)]]


def _draw_trials(
    figure: go.Figure,
    data: TradeOff,
    chosen: Bool[np.ndarray, " n"],
    name: str,
    color: str,
    symbol: str,
) -> None:
    """Draw full trials with filled marks, which stand in the legend, and others with open ones."""
    kept = np.flatnonzero(chosen)
    if not len(kept):
        return
    kept = kept[thinned(len(kept), N_POINTS)]
    for full in (True, False):
        some = kept[data.full[kept] == full]
        if not full and not len(some):
            continue
        figure.add_scatter(
            # Plotly leaves a trace without a point out of the legend.
            x=data.cost[some] if len(some) else [None],
            y=data.value[some] if len(some) else [None],
            mode="markers", name=name, legendgroup=name, showlegend=full,
            text=[str(number) for number in data.numbers[some]],
            marker={"color": color, "symbol": symbol if full else f"{symbol}-open", "size": 9,
                    "opacity": 0.8},
            hovertemplate="trial %{text}: %{y:.4g} at cost %{x:.4g}<extra></extra>",
        )  # fmt: skip
