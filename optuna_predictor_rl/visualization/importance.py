"""Importance of decisions for the predicted value and cost."""

from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float
from optuna.samplers import BaseSampler
from optuna.study import Study
from plotly.subplots import make_subplots

from optuna_predictor_rl.core.importance import total_effects
from optuna_predictor_rl.study.objective import objective_index
from optuna_predictor_rl.support.checked import check_at_least, checked
from optuna_predictor_rl.support.guard import guarded
from optuna_predictor_rl.support.text import plotly_text
from optuna_predictor_rl.visualization.source import (
    WIDEST_TITLE,
    inspect_objectives,
    sampler_text,
    shown_tasks,
    task_names,
)
from optuna_predictor_rl.visualization.style import COLORS, base_layout, distinct

MAX_DECISIONS = 30
"""Largest number of decisions in the figure."""
N_WIDE = 2
"""Most panels that have room for long titles."""
WIDEST_ROW = 60
"""Characters of the titles of more panels together."""
WIDEST_NAME = 28
"""Characters of a decision's name in the figure."""


@dataclass(frozen=True, kw_only=True)
class Importance:
    """Total effects of decisions, the most important one for all objectives together first.

    Attributes:
        decisions: Names of the decisions.
        tasks: Names of the objectives and, if the predictor learns it, the cost.
        effect: Share of the variance of a task's predictions over uniform configurations that a
            decision takes part in; see `core.importance.total_effects`.
        n_trials: Number of trials that the predictor was fitted on.
    """

    decisions: list[str]
    tasks: list[str]
    effect: Float[np.ndarray, "d t"]
    n_trials: int


@checked
@guarded()
def decision_importance(
    study: Study,
    sampler: BaseSampler | None = None,
    *,
    n_samples: int = 1024,
    seed: int = 0,
    objective: int | str | None = None,
) -> Importance:
    """Return the total effects of the decisions on the predictions of random configurations.

    Args:
        study: The study.
        sampler: A predictor-based sampler, also a new one; by default the study's own or, if
            that is of another kind, one with default settings.
        n_samples: Number of configurations; each decision is resampled in all of them.
        seed: Seed of the configurations.
        objective: Index or metric name of the objective to show alone; by default all are shown,
            and the cost.

    Raises:
        ValueError: If the given sampler is of another kind, there is no such objective, or fewer
            than 3 trials have a value.
    """
    check_at_least(1, n_samples=n_samples)
    check_at_least(0, seed=seed)
    if objective is not None:
        objective_index(study, objective)
    own, found = inspect_objectives(study, sampler)
    space = found.history.space
    effect = total_effects(
        space,
        lambda rows: found.ensemble.predict(rows)[0],
        n_samples=n_samples,
        rng=np.random.default_rng(seed),
    )
    names = task_names(study, own, effect.shape[1])
    shown = shown_tasks(study, objective, len(names))
    deciding = effect[:, [task for task in shown if task < found.history.n_objectives]]
    order = np.argsort(-deciding.sum(1), kind="stable")
    return Importance(
        decisions=[space.decisions[j].name for j in order],
        tasks=[names[task] for task in shown],
        effect=effect[order][:, shown],
        n_trials=len(found.history.rows),
    )


@checked
@guarded()
def plot_decision_importance(
    study: Study,
    sampler: BaseSampler | None = None,
    *,
    n_samples: int = 1024,
    seed: int = 0,
    objective: int | str | None = None,
) -> go.Figure:
    """Draw a bar for each decision, with a panel for each objective and one for the cost, if any.

    Arguments and errors are those of `decision_importance`.

    Example:
        >>> import optuna
        >>> from optuna_predictor_rl import PredictorRLSampler
        >>> study = optuna.create_study(sampler=PredictorRLSampler(seed=0))
        >>> study.optimize(lambda trial: trial.suggest_float("x", -1, 1) ** 2, n_trials=10)
        >>> list(plot_decision_importance(study).data[0].y)
        ['x']
    """
    data = decision_importance(study, sampler, n_samples=n_samples, seed=seed, objective=objective)
    shown = slice(0, MAX_DECISIONS)
    names = distinct([plotly_text(name, WIDEST_NAME) for name in data.decisions[shown]])
    narrow = len(data.tasks) > N_WIDE
    title, widest = "Effect on ", WIDEST_TITLE
    if narrow:
        title, widest = "", max(WIDEST_ROW // len(data.tasks), 6)
    panels = [f"{title}<b>{plotly_text(task, widest)}</b>" for task in data.tasks]
    figure = make_subplots(
        cols=len(panels), shared_yaxes=True, subplot_titles=panels, horizontal_spacing=0.05
    )
    for column, color in enumerate(islice(cycle(COLORS), len(panels)), 1):
        effect = data.effect[shown, column - 1]
        figure.add_bar(
            x=effect.round(4), y=names, orientation="h", marker={"color": color},
            showlegend=False, row=1, col=column,
            hovertemplate="%{y}: %{x:.0%}<extra></extra>",
        )  # fmt: skip
    total = len(data.decisions)
    left_out = f"; the first {len(names)} of {total} decisions" if len(names) < total else ""
    base_layout(
        figure,
        "Importance of decisions, according to the predictor",
        "Share of variance" if narrow else "Share of the predicted variance",
        subtitle=f"Predictor of {data.n_trials} trials, {n_samples} random configurations; "
        f"interactions count for each of their decisions{left_out}" + sampler_text(study, sampler),
        panel_lines=1,
    )
    figure.update_xaxes(tickformat=".0%", rangemode="tozero")
    # Plotly takes names such as "1" and "2" for numbers, and leaves out some of many.
    figure.update_yaxes(
        type="category", autorange="reversed", dtick=1, tickfont={"size": 12 if total < 20 else 9}
    )
    figure.update_layout(height=max(320, 150 + 22 * len(names)), bargap=0.35)
    figure.update_annotations(font={"size": 12 if narrow else 13})
    if narrow:
        figure.update_xaxes(title={"font": {"size": 12}}, nticks=4)
    return figure
