"""Rank correlation of reduced with full training, by cutoff (Fig. 3a of the paper)."""

import math

import numpy as np
import plotly.graph_objects as go
from optuna.study import Study
from optuna.trial import TrialState

from optuna_predictor_rl.core.curves import (
    Curve,
    LabelFit,
    TauByCutoff,
    TauEstimate,
    rank_correlation_by_cutoff,
)
from optuna_predictor_rl.core.curves.cutoff import report_steps
from optuna_predictor_rl.fidelity.cutoff_rule import MAX_CUTOFFS, StoppingRule
from optuna_predictor_rl.fidelity.labels import full_trials
from optuna_predictor_rl.fidelity.stored_rules import stored_rule
from optuna_predictor_rl.pruner import LowFidelityPruner
from optuna_predictor_rl.study.objective import check_one_objective, direction_of, trial_values
from optuna_predictor_rl.support.checked import check_between, checked
from optuna_predictor_rl.support.guard import guarded
from optuna_predictor_rl.visualization.style import FULL_COLOR, LABEL_COLOR, base_layout


@checked
@guarded()
def rank_correlation(
    study: Study, pruner: LowFidelityPruner | None = None, *, confidence: float = 0.8
) -> tuple[TauByCutoff, StoppingRule | None]:
    """Return tau by cutoff over all full trials, and the study's rule.

    Args:
        study: A study with one objective.
        pruner: Whose rule labels the curves; without it, the rule that the trials followed last.
        confidence: Level of the two-sided interval.

    Raises:
        ValueError: If fewer than 3 trials ran to the end and reported a curve, or the study has
            several objectives.
    """
    check_one_objective(study)
    check_between(0, 1, confidence=confidence)
    full = full_trials(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))
    if len(full) < 3:
        raise ValueError(
            f"study must have at least 3 trials that reported a curve and ran to the end, "
            f"but got {len(full)}."
        )
    rule = stored_rule(study) if pruner is None else pruner.rule(study)
    curves = [Curve.of(trial.intermediate_values) for trial in full]
    table = rank_correlation_by_cutoff(
        curves,
        finals=trial_values(full),
        cutoffs=report_steps(curves, at_most=MAX_CUTOFFS),
        fit=LabelFit() if rule is None else rule.fit,
        direction=direction_of(study),
        confidence=confidence,
    )
    return table, rule


@checked
@guarded()
def plot_rank_correlation(
    study: Study,
    pruner: LowFidelityPruner | None = None,
    *,
    confidence: float = 0.8,
    min_rank_correlation: float | None = 0.75,
) -> go.Figure:
    """Draw tau of the raw value and of the label, with the label's interval.

    Args:
        study: See `rank_correlation`.
        pruner: See `rank_correlation`.
        confidence: See `rank_correlation`.
        min_rank_correlation: The tau to draw as a horizontal line; None draws none.
    """
    if min_rank_correlation is not None:
        check_between(-1, 1, min_rank_correlation=min_rank_correlation)
    table, rule = rank_correlation(study, pruner, confidence=confidence)
    figure = go.Figure()
    _draw_interval(figure, table.cutoffs, table.label, f"{confidence:.0%} interval of the label")
    raw = {"name": "raw value", "line": {"color": FULL_COLOR, "width": 2, "dash": "dot"}}
    label = {"name": "extrapolated label", "line": {"color": LABEL_COLOR, "width": 3}}
    figure.add_scatter(x=table.cutoffs, y=table.label.tau, mode="lines", **label)
    figure.add_scatter(x=table.cutoffs, y=table.raw.tau, mode="lines", **raw)
    if min_rank_correlation is not None:
        figure.add_hline(
            y=min_rank_correlation, line_dash="dash", line_width=1,
            annotation_text=f"wanted {min_rank_correlation:g}",
            annotation_position="bottom right",
        )  # fmt: skip
    if rule is not None and rule.cutoff is not None:
        saved = "" if math.isinf(rule.end) else f", saves {1 - rule.cutoff / rule.end:.0%}"
        figure.add_vline(
            x=rule.cutoff, line_dash="dash", annotation_text=f"cutoff {rule.cutoff:g}{saved}",
            annotation_position="top left",
        )  # fmt: skip
    base_layout(
        figure,
        f"How {table.n_total} full trials would rank if they were stopped early",
        "Step at which training stops",
        "Kendall's tau with the final value",
        subtitle="1: as after full trainings, 0: no relation",
    )
    return figure


def _draw_interval(
    figure: go.Figure, cutoffs: np.ndarray, estimate: TauEstimate, name: str
) -> None:
    finite = ~np.isnan(estimate.low)
    steps = np.concatenate([cutoffs[finite], cutoffs[finite][::-1]])
    bounds = np.concatenate([estimate.high[finite], estimate.low[finite][::-1]])
    figure.add_scatter(
        x=steps, y=bounds, fill="toself", mode="none", name=name, hoverinfo="skip",
        fillcolor="rgba(213, 94, 0, 0.15)",
    )  # fmt: skip
