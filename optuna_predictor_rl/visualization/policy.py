"""Probabilities of the policy in each decision, by step of REINFORCE."""

import math
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int
from optuna.samplers import BaseSampler
from optuna.study import Study
from plotly.subplots import make_subplots

from optuna_predictor_rl.support.checked import check_at_least, checked
from optuna_predictor_rl.support.guard import guarded
from optuna_predictor_rl.support.text import plotly_text
from optuna_predictor_rl.visualization.options import option_names, option_ticks
from optuna_predictor_rl.visualization.source import inspect_search, sampler_text, weight_text
from optuna_predictor_rl.visualization.style import base_layout, thinned

N_STEPS = 20
"""Largest number of steps in the figure."""
N_COLUMNS = 3
PANEL_HEIGHT = 110
"""Height of a decision's panel, in pixels."""
WIDEST_NAME = 24
"""Characters of a decision's name over its panel."""
N_TICKS = 6
"""Largest number of options beside a panel."""


@dataclass(frozen=True, kw_only=True)
class DecisionPolicy:
    """The policy in one decision.

    Attributes:
        name: Name of the decision.
        options: Its choices, values or intervals of values, as text.
        ticks: The options in a few characters; an interval by a value in its middle.
        probability: Probability of each option at each step, the mean over the chosen rounds.
    """

    name: str
    options: list[str]
    ticks: list[str]
    probability: Float[np.ndarray, "s o"]

    @property
    def decidedness(self) -> float:
        """Return one minus the last policy's normalized entropy: 0 is uniform, 1 is one option."""
        p = self.probability[-1]
        if len(p) < 2:
            return 0.0
        entropy = -float((p * np.log(np.maximum(p, 1e-12))).sum())
        return 1.0 - entropy / math.log(len(p))


@dataclass(frozen=True, kw_only=True)
class PolicyProbabilities:
    """The policy in all decisions.

    Attributes:
        steps: Steps of REINFORCE from 1; the trace may end a little before the last step.
        decisions: Decisions in the order of the search space.
        n_rounds: Number of rounds that probabilities are averaged over.
        n_trials: Number of trials that the predictor was fitted on.
        weight: Weight of each task in Eq. (6).
        weight_text: The weights in words.
    """

    steps: Int[np.ndarray, " s"]
    decisions: list[DecisionPolicy]
    n_rounds: int
    n_trials: int
    weight: Float[np.ndarray, " t"]
    weight_text: str


@checked
@guarded()
def policy_probabilities(
    study: Study, sampler: BaseSampler | None = None, *, search_round: int | None = None
) -> PolicyProbabilities:
    """Return each option's probability by step, in the search for the next suggestion.

    Args:
        study: The study; several objectives are one, by the weights of the next trial.
        sampler: A predictor-based sampler, also a new one; by default the study's own or, if
            that is of another kind, one with default settings.
        search_round: The round to show, from 0; by default the mean over all rounds.

    Raises:
        ValueError: If the given sampler is of another kind, fewer than 3 trials have a value, or
            there is no such round.
    """
    if search_round is not None:
        check_at_least(0, search_round=search_round)
    _, found = inspect_search(study, sampler)
    trace = found.candidates.trace
    n_rounds = trace.probabilities.shape[1]
    if search_round is not None and search_round >= n_rounds:
        raise ValueError(f"search_round must be below {n_rounds}, but got {search_round}.")
    rounds = slice(None) if search_round is None else slice(search_round, search_round + 1)
    kept = thinned(len(trace.steps), N_STEPS)
    mean = trace.probabilities[kept, rounds].mean(1)  # (s, d, o)
    decisions = [
        DecisionPolicy(
            name=decision.name,
            options=option_names(trace.grid, j),
            ticks=option_ticks(trace.grid, j),
            probability=mean[:, j, : trace.grid.n_options[j]].astype(np.float64),
        )
        for j, decision in enumerate(trace.grid.space.decisions)
    ]
    return PolicyProbabilities(
        steps=trace.steps[kept] + 1,
        decisions=decisions,
        n_rounds=n_rounds if search_round is None else 1,
        n_trials=len(found.history.rows),
        weight=found.weight,
        weight_text=weight_text(found),
    )


@checked
@guarded()
def plot_policy_probabilities(
    study: Study,
    sampler: BaseSampler | None = None,
    *,
    search_round: int | None = None,
    max_decisions: int = 18,
) -> go.Figure:
    """Draw a small panel for each decision: darker is more probable.

    Args:
        study: See `policy_probabilities`.
        sampler: See `policy_probabilities`.
        search_round: See `policy_probabilities`.
        max_decisions: Number of decisions to draw: those in which the policy is most decided.

    Raises:
        ValueError: If `max_decisions` is below 1; and see `policy_probabilities`.

    Example:
        >>> import optuna
        >>> from optuna_predictor_rl import PredictorRLSampler
        >>> study = optuna.create_study(sampler=PredictorRLSampler(seed=0))
        >>> study.optimize(lambda trial: trial.suggest_int("x", 0, 3) ** 2, n_trials=3)
        >>> list(plot_policy_probabilities(study).data[0].y)
        ['0', '1', '2', '3']
    """
    check_at_least(1, max_decisions=max_decisions)
    data = policy_probabilities(study, sampler, search_round=search_round)
    shown = _most_decided(data.decisions, max_decisions)
    columns = min(N_COLUMNS, len(shown))
    rows = math.ceil(len(shown) / columns)
    height = max(450, 130 + PANEL_HEIGHT * rows)
    titles = [plotly_text(decision.name, WIDEST_NAME) for decision in shown]
    figure = make_subplots(
        rows=rows, cols=columns, subplot_titles=titles, horizontal_spacing=0.13,
        vertical_spacing=min(0.5, 24 / (height - 130)),
    )  # fmt: skip
    for i, decision in enumerate(shown):
        _draw(figure, data.steps, decision, i // columns + 1, i % columns + 1)
        is_lowest = i + columns >= len(shown)
        figure.update_xaxes(
            showticklabels=is_lowest,
            ticks="outside" if is_lowest else "",
            title={"text": "Step", "standoff": 4} if is_lowest else None,
            row=i // columns + 1,
            col=i % columns + 1,
        )
    rounds = "one round" if data.n_rounds == 1 else f"mean of {data.n_rounds} rounds"
    left_out = len(data.decisions) - len(shown)
    base_layout(
        figure,
        "What the policy chooses, by step of REINFORCE",
        subtitle=f"Next search: {rounds}, predictor of {data.n_trials} trials"
        f"{data.weight_text}"
        + (f"; {left_out} less decided decisions are left out" if left_out else "")
        + sampler_text(study, sampler),
        panel_lines=1,
    )
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(type="category", tickfont={"size": 9}, showgrid=False)
    figure.update_annotations(font={"size": 11})
    figure.update_layout(
        height=height,
        margin={"b": 50},
        coloraxis={
            "cmin": 0, "cmax": 1, "colorscale": [[0, "#ffffff"], [0.5, "#56a0d3"], [1, "#08306b"]],
            "colorbar": {"title": {"text": "Probability", "side": "right"}, "tickformat": ".0%",
                         "tickvals": [0, 0.5, 1], "thickness": 10, "lenmode": "pixels",
                         "len": 200, "y": 1, "yanchor": "top"},
        },
    )  # fmt: skip
    return figure


def _most_decided(decisions: list[DecisionPolicy], k: int) -> list[DecisionPolicy]:
    """Return the k decisions in which the last policy is most decided, in their own order."""
    order = sorted(range(len(decisions)), key=lambda j: -decisions[j].decidedness)[:k]
    return [decisions[j] for j in sorted(order)]


def _draw(
    figure: go.Figure, steps: Int[np.ndarray, " s"], decision: DecisionPolicy, row: int, col: int
) -> None:
    options = [plotly_text(option) for option in decision.options]
    n = len(options)
    figure.add_heatmap(
        x=steps, y=options, z=decision.probability.T.round(3).tolist(), coloraxis="coloraxis",
        row=row, col=col,
        hovertemplate="step %{x}, %{y}: %{z:.0%}<extra></extra>",
    )  # fmt: skip
    labelled = thinned(n, n if n <= N_TICKS else N_TICKS - 1)
    figure.update_yaxes(
        tickvals=[options[k] for k in labelled],
        ticktext=[plotly_text(decision.ticks[k]) for k in labelled],
        row=row, col=col,
    )  # fmt: skip
