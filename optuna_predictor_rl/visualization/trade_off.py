"""Value against cost by cost weight, with the Pareto front (Fig. 8 of the paper)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, Float, Int
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl.core.predictor.calibration import LabelPredictor
from optuna_predictor_rl.data.costs import KnownCost
from optuna_predictor_rl.fidelity.labels import is_full, value_or_label
from optuna_predictor_rl.sampler import PredictorRLSampler
from optuna_predictor_rl.search.suggester import FittedSearch
from optuna_predictor_rl.study.objective import sign_of
from optuna_predictor_rl.support.checked import checked
from optuna_predictor_rl.support.guard import guarded
from optuna_predictor_rl.support.text import plotly_text
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
    log_ticks,
    thinned,
    visible_range,
)

N_POINTS = 500
"""Trials of a cost weight that are drawn at most."""


@dataclass(frozen=True, kw_only=True)
class Proposals:
    """What would be tried next under a cost weight, as predicted.

    Attributes:
        cost_weight: The alpha of Eq. (6).
        value: In the study's unit.
        cost: In the unit of the trials' costs.
    """

    cost_weight: float
    value: Float[np.ndarray, " n"]
    cost: Float[np.ndarray, " n"]


@dataclass(frozen=True, kw_only=True)
class TradeOff:
    """Value and cost of the trials that have both.

    Attributes:
        numbers: Of the trials.
        value: Or the long-term label of a trial that was stopped, in the study's unit.
        cost: Of each trial.
        cost_weight: Under which it was suggested; NaN if it was not searched: the sampler was
            still filling the space, or the trial was enqueued.
        full: Whether the value is a full one.
        front: Indices of the trials that no other beats in both, by ascending cost.
        proposals: By cost weight.
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
) -> TradeOff:
    """The trials, and the best that the policy finds under each cost weight.

    Args:
        study: A study with one objective.
        sampler: A predictor-based sampler, also a new one; by default the study's own. It
            must have a cost.
        cost_weights: Weights to search under; by default the sampler's own.
        n_proposals: How many untried configurations of each search to predict; 0 for none.

    Raises:
        ValueError: If the given sampler is of another kind or has no cost, the study has several
            objectives, fewer than 3 trials have a value, a weight is not in [0, 1], or the
            number of proposals is negative.
    """
    if n_proposals < 0:
        raise ValueError(f"n_proposals must not be negative, but got {n_proposals}.")
    for cost_weight in cost_weights or ():
        if not 0.0 <= cost_weight <= 1.0:
            raise ValueError(f"cost_weights must be in [0, 1], but got {cost_weight}.")
    own = sampler_of(study, sampler)
    if own.cost is None:
        of_study = type(study.sampler).__name__
        hint = f" (the study's is a {of_study})" if sampler_text(study, sampler) else ""
        raise ValueError(
            "sampler must have a cost for this figure, but got cost=None; give "
            f"sampler=PredictorRLSampler(cost=...){hint}."
        )
    inspect_search(study, own)
    trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    known = [(t, value_or_label(t), _cost(own, t)) for t in trials]
    both = [(t, y, c) for t, y, c in known if y is not None and np.isfinite([y, c]).all()]
    value, cost = np.array([[y, c] for _, y, c in both], dtype=np.float64).reshape(-1, 2).T
    wanted = tuple(dict.fromkeys(own.cost_weights if cost_weights is None else cost_weights))
    return TradeOff(
        numbers=np.array([t.number for t, _, _ in both], dtype=np.int64),
        value=value,
        cost=cost,
        cost_weight=np.array([_weight(own, t, trials) for t, _, _ in both], dtype=np.float64),
        full=np.array([is_full(t) for t, _, _ in both], dtype=bool),
        front=pareto_front(cost, sign_of(study) * value),
        proposals=[
            _proposals(own, own.inspect(study, cost_weight=w), n_proposals, sign_of(study))
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
) -> go.Figure:
    """Draws trials as dots, by colour under which cost weight, and proposals as crosses.

    Args:
        study: A study with one objective.
        sampler: See ``trade_off``.
        cost_weights: See ``trade_off``.
        n_proposals: See ``trade_off``.

    Example:
        >>> import optuna
        >>> sampler = PredictorRLSampler(cost=lambda t: t.params["x"], cost_weight=0.3, seed=0)
        >>> study = optuna.create_study(sampler=sampler)
        >>> study.optimize(lambda trial: (trial.suggest_float("x", 0, 1) - 1) ** 2, n_trials=10)
        >>> plot_trade_off(study).layout.title.text
        'Value against cost, 10 trials'
    """
    data = trade_off(study, sampler, cost_weights=cost_weights, n_proposals=n_proposals)
    sign = sign_of(study)
    figure = go.Figure()
    figure.add_scatter(
        x=data.cost[data.front], y=data.value[data.front], mode="lines", name="Pareto front",
        line={"color": FULL_COLOR, "width": 1.5, "shape": "hv"}, hoverinfo="skip",
    )  # fmt: skip
    weights = sorted({*data.cost_weight[~np.isnan(data.cost_weight)]})
    weights = sorted({*weights, *(p.cost_weight for p in data.proposals)})
    _draw_trials(figure, data, np.isnan(data.cost_weight), "not searched", RAW_COLOR, "circle")
    for i, weight in enumerate(weights):
        chosen = data.cost_weight == weight
        color, symbol = COLORS[i % len(COLORS)], SYMBOLS[i % 4]
        _draw_trials(figure, data, chosen, f"cost weight {weight:g}", color, symbol)
    for proposal in data.proposals:
        _draw_proposals(
            figure, proposal, COLORS[weights.index(proposal.cost_weight) % len(COLORS)]
        )
    if not data.full.all():
        figure.add_scatter(
            x=[None], y=[None], mode="markers", name="stopped early",
            marker={"color": RAW_COLOR, "symbol": "circle-open", "size": 9},
        )  # fmt: skip
    limits = visible_range(data.value, sign, must=[p.value for p in data.proposals])
    n_outside = int(((data.value < limits[0]) | (data.value > limits[1])).sum())
    base_layout(
        figure,
        f"Value against cost, {len(data.value)} trials",
        f"{plotly_text(cost_name(sampler_of(study, sampler)), WIDEST_TITLE)} (lower is better)",
        value_title(study),
        subtitle="Colours: cost weight of the search that suggested a trial; "
        "crosses: proposals as predicted<br>"
        + ("" if data.full.all() else "Open: stopped early, value extrapolated")
        + ("" if data.full.all() or not n_outside else "; ")
        + (f"{n_outside} bad trials lie outside" if n_outside else ""),
    )
    figure.update_yaxes(range=limits)
    if data.cost.min() > 0 and data.cost.max() > 10 * data.cost.min():
        ticks = log_ticks(float(data.cost.min()), float(data.cost.max()))
        # Plotly's own ticks between powers of ten have one digit: "2" stands for 2000.
        tick_format = "~s" if ticks[0] >= 1.0 else "~g"
        figure.update_xaxes(type="log", tickvals=ticks, tickformat=tick_format)
    return figure


def pareto_front(
    first: Float[np.ndarray, " n"], second: Float[np.ndarray, " n"]
) -> Int[np.ndarray, " p"]:
    """Indices of the points that no other point is at least as low in both and lower in one.

    They are in ascending order of the first coordinate; of equal points the first is named.
    """
    order = np.lexsort((second, first))
    before = np.minimum.accumulate(np.concatenate([[np.inf], second[order]]))[:-1]
    return order[second[order] < before]


def _cost(sampler: PredictorRLSampler, trial: FrozenTrial) -> float:
    assert sampler.cost is not None
    if isinstance(sampler.cost, str):
        return float(trial.user_attrs.get(sampler.cost, np.nan))
    if isinstance(sampler.cost, KnownCost):
        return sampler.cost(trial.params)
    return float(sampler.cost(trial))


def _weight(sampler: PredictorRLSampler, trial: FrozenTrial, trials: list[FrozenTrial]) -> float:
    """The cost weight of a trial that was searched, NaN of one that was not."""
    start = trial.datetime_start
    before = [t for t in trials if start and t.datetime_complete and t.datetime_complete <= start]
    if len(before) < max(sampler.n_startup_trials, 1) or "fixed_params" in trial.system_attrs:
        return float("nan")
    return sampler.cost_weights[trial.number % len(sampler.cost_weights)]


def _proposals(sampler: PredictorRLSampler, found: FittedSearch, n: int, sign: float) -> Proposals:
    history, rows = found.history, found.rows[:n]
    (mean, _), _ = LabelPredictor.of(found.ensemble, history.labels).predict(rows)
    cost: Float[np.ndarray, " n"]
    if isinstance(sampler.cost, KnownCost):
        configurations = history.space.configurations(rows)
        cost = np.array([sampler.cost({**history.fixed, **params}) for params in configurations])
    else:
        cost = mean[:, 1]
    return Proposals(cost_weight=float(found.weight[1]), value=sign * mean[:, 0], cost=cost)


def _draw_trials(
    figure: go.Figure,
    data: TradeOff,
    chosen: Bool[np.ndarray, " n"],
    name: str,
    color: str,
    symbol: str,
) -> None:
    """Filled marks of full trials, which are named in the legend, and open ones of others."""
    kept = np.flatnonzero(chosen)
    if not len(kept):
        return
    kept = kept[thinned(len(kept), N_POINTS)]
    for full in (True, False):
        some = kept[data.full[kept] == full]
        if not full and not len(some):
            continue
        figure.add_scatter(
            # A trace without a point would not be in the legend.
            x=data.cost[some] if len(some) else [None],
            y=data.value[some] if len(some) else [None],
            mode="markers", name=name, legendgroup=name, showlegend=full,
            text=[str(number) for number in data.numbers[some]],
            marker={"color": color, "symbol": symbol if full else f"{symbol}-open", "size": 9,
                    "opacity": 0.8},
            hovertemplate="trial %{text}: %{y:.4g} at cost %{x:.4g}<extra></extra>",
        )  # fmt: skip


def _draw_proposals(figure: go.Figure, proposals: Proposals, color: str) -> None:
    figure.add_scatter(
        x=proposals.cost, y=proposals.value, mode="markers",
        name=f"proposals, {proposals.cost_weight:g}",
        marker={"symbol": "x-thin", "size": 12, "line": {"color": color, "width": 2}},
        hovertemplate="predicted %{y:.4g} at cost %{x:.4g}<extra></extra>",
    )  # fmt: skip
