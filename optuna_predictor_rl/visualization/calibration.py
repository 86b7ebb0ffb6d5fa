"""Predicted against observed rank in held-out folds (Figs. 4 and 5 of the paper)."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int
from optuna.samplers import BaseSampler
from optuna.study import Study
from plotly.subplots import make_subplots
from scipy.stats import rankdata

from optuna_predictor_rl.core.predictor.cross_validation import (
    HeldOut,
    cross_validate,
    rank_correlation,
)
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
from optuna_predictor_rl.visualization.style import COLORS, GREY, SYMBOLS, base_layout, thinned

MIN_FOLD = 3
"""Smallest number of trials in a fold: the tau of two is always 1 or -1."""
N_COLUMNS = 2
ROW_HEIGHT = 420
"""Height of a row of panels where there are several, in pixels."""
N_POINTS = 500
"""Largest number of trials in the figure."""


@dataclass(frozen=True, kw_only=True)
class TaskCalibration:
    """The predictor's ranking of held-out trials in one task; rank 1 is the best.

    Attributes:
        name: Name of the objective or the cost.
        fold: Fold in which each trial was held out.
        observed: Rank of each trial's label; equal labels share their mean rank.
        predicted: Rank of each trial's prediction.
        tau: Kendall's tau of predictions and labels over all folds.
        fold_taus: Kendall's tau within each fold.
        training_tau: Kendall's tau on the trials that a predictor was fitted on, for contrast.
    """

    name: str
    fold: Int[np.ndarray, " n"]
    observed: Float[np.ndarray, " n"]
    predicted: Float[np.ndarray, " n"]
    tau: float
    fold_taus: Float[np.ndarray, " f"]
    training_tau: float


@checked
@guarded()
def predictor_calibration(
    study: Study,
    sampler: BaseSampler | None = None,
    *,
    n_folds: int = 5,
    seed: int = 0,
    objective: int | str | None = None,
) -> list[TaskCalibration]:
    """Return held-out ranks of each objective and, if the predictor learns it, of the cost.

    Args:
        study: The study.
        sampler: A predictor-based sampler, also a new one; by default the study's own or, if
            that is of another kind, one with default settings.
        n_folds: Number of folds; the predictor is fitted once without each.
        seed: Seed of the folds and the fits.
        objective: Index or metric name of the objective to show alone; by default all are shown,
            and the cost.

    Raises:
        ValueError: If the given sampler is of another kind, there is no such objective, there are
            fewer than 2 folds, or a fold would have fewer than 3 trials.
    """
    check_at_least(2, n_folds=n_folds)
    check_at_least(0, seed=seed)
    if objective is not None:
        objective_index(study, objective)
    own, found = inspect_objectives(study, sampler, at_least=MIN_FOLD * n_folds)
    history = found.history
    held_out = cross_validate(
        own.predictor,
        history.space,
        history.rows,
        history.labels,
        n_folds=n_folds,
        rng=np.random.default_rng(seed),
    )
    fitted = found.ensemble.predict(history.rows)[0]
    names = task_names(study, own, history.labels.shape[1])
    return [
        _calibration(
            names[task], task, held_out, rank_correlation(fitted[:, task], history.labels[:, task])
        )
        for task in shown_tasks(study, objective, len(names))
    ]


@checked
@guarded()
def plot_predictor_calibration(
    study: Study,
    sampler: BaseSampler | None = None,
    *,
    n_folds: int = 5,
    seed: int = 0,
    objective: int | str | None = None,
) -> go.Figure:
    """Draw held-out ranks, with a panel for each objective and one for the cost, if there is one.

    Arguments and errors are those of `predictor_calibration`.

    Example:
        >>> import optuna
        >>> from optuna_predictor_rl import PredictorRLSampler
        >>> study = optuna.create_study(sampler=PredictorRLSampler(seed=0))
        >>> study.optimize(lambda trial: trial.suggest_float("x", -1, 1) ** 2, n_trials=15)
        >>> figure = plot_predictor_calibration(study)
        >>> figure.layout.title.text
        'Predicted against observed rank of held-out trials'
    """
    tasks = predictor_calibration(study, sampler, n_folds=n_folds, seed=seed, objective=objective)
    rows = -(-len(tasks) // N_COLUMNS)
    figure = make_subplots(
        rows=rows, cols=min(len(tasks), N_COLUMNS),
        subplot_titles=[_panel_title(task) for task in tasks],
        horizontal_spacing=0.14, vertical_spacing=0.36 / rows,
    )  # fmt: skip
    for place, task in enumerate(tasks):
        _draw(figure, task, place)
    base_layout(
        figure,
        "Predicted against observed rank of held-out trials",
        "Observed rank (1 is the best)",
        "Predicted rank",
        subtitle=f"{len(tasks[0].observed)} trials in {n_folds} folds: each is predicted by "
        f"a predictor that has not seen it{sampler_text(study, sampler)}",
        panel_lines=3,
    )
    figure.update_annotations(font={"size": 13})
    if rows > 1:
        figure.update_layout(height=ROW_HEIGHT * rows)
    return figure


def _calibration(name: str, task: int, held_out: HeldOut, training_tau: float) -> TaskCalibration:
    present = ~np.isnan(held_out.labels[:, task])
    return TaskCalibration(
        name=name,
        fold=held_out.fold[present],
        observed=rankdata(held_out.labels[present, task]),
        predicted=rankdata(held_out.mean[present, task]),
        tau=held_out.tau(task),
        fold_taus=held_out.fold_taus(task),
        training_tau=training_tau,
    )


def _panel_title(task: TaskCalibration) -> str:
    taus = task.fold_taus[np.isfinite(task.fold_taus)]
    folds = f"<br>by fold {taus.min():.2f} to {taus.max():.2f}" if len(taus) else ""
    return (
        f"<b>{plotly_text(task.name, WIDEST_TITLE)}</b>: Kendall's tau {task.tau:.2f}{folds}"
        f"<br>(on the trials it was fitted to: {task.training_tau:.2f})"
    )


def _draw(figure: go.Figure, task: TaskCalibration, panel: int) -> None:
    place = {"row": panel // N_COLUMNS + 1, "col": panel % N_COLUMNS + 1}
    n = len(task.observed)
    figure.add_scatter(
        x=[1, n], y=[1, n], mode="lines", line={"color": GREY, "width": 2}, hoverinfo="skip",
        name="as observed", showlegend=panel == 0, **place,
    )  # fmt: skip
    kept = thinned(n, N_POINTS)
    for fold, tau in enumerate(task.fold_taus):
        inside = kept[task.fold[kept] == fold]
        figure.add_scatter(
            x=task.observed[inside], y=task.predicted[inside], mode="markers",
            name=f"fold {fold + 1}", legendgroup=f"fold {fold + 1}", showlegend=panel == 0,
            hovertemplate=f"fold {fold + 1}, tau {tau:.2f}<br>observed %{{x}}, predicted %{{y}}"
            "<extra></extra>",
            marker={
                "color": COLORS[fold % len(COLORS)], "symbol": SYMBOLS[fold % len(SYMBOLS)],
                "size": 8, "line": {"width": 0.5, "color": "white"},
            },
            **place,
        )  # fmt: skip
