"""Learning curves with the fit at their end and the extrapolated value (Fig. 2 of the paper)."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl.core.curves import Curve, Extrapolation
from optuna_predictor_rl.fidelity.cutoff_rule import StoppingRule
from optuna_predictor_rl.fidelity.label_correction import LabelCorrection, correction_of
from optuna_predictor_rl.fidelity.labels import full_trials, is_full
from optuna_predictor_rl.fidelity.pruned_trials import is_stopped_by_another
from optuna_predictor_rl.fidelity.rung_study import rungs_of
from optuna_predictor_rl.fidelity.stored_rules import stored_rule
from optuna_predictor_rl.pruner import LowFidelityPruner
from optuna_predictor_rl.study.objective import check_one_objective, sign_of
from optuna_predictor_rl.support.checked import check_at_least, checked
from optuna_predictor_rl.support.guard import guarded
from optuna_predictor_rl.visualization.source import value_title
from optuna_predictor_rl.visualization.style import (
    COLORS,
    FULL_COLOR,
    GREY,
    base_layout,
    thinned,
    visible_range,
)

STATES = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)
N_OTHERS = 100
"""Largest number of grey curves."""
EXTENDED = (
    "; dotted: where stopped trials would go by the fit of their own curve, then to the final "
    "value that full trainings nearby lead to expect, with its error"
)
N_POINTS = 40
"""Largest number of points of a grey curve."""


@dataclass(frozen=True, kw_only=True)
class LearningCurve:
    """One trial's curve and its extension to the label.

    Attributes:
        number: Number of the trial.
        full: Whether the trial ran to the end.
        rated: Whether the trial has a long-term value. It has none if another pruner stopped it,
            or while it runs without a rule.
        steps: Steps at which it reported finite values.
        values: The reported values.
        label: The label; None for full trials and without a rule.
        path_steps: Steps from the last report to the label, for drawing.
        path_values: The extrapolated curve at these steps, and the label at the end.
    """

    number: int
    full: bool
    rated: bool
    steps: Float[np.ndarray, " n"]
    values: Float[np.ndarray, " n"]
    label: Extrapolation | None
    path_steps: Float[np.ndarray, " m"]
    path_values: Float[np.ndarray, " m"]

    @property
    def long_term(self) -> float:
        """Return the label if there is one, otherwise the last reported value."""
        return float(self.values[-1]) if self.label is None else self.label.value


@checked
@guarded()
def learning_curves(
    study: Study, pruner: LowFidelityPruner | None = None
) -> tuple[list[LearningCurve], StoppingRule | None]:
    """Return the curves of the trials that reported a finite value, and the study's rule.

    Args:
        study: A study with one objective.
        pruner: Whose rule labels the curves; without it, the rule that the trials followed last.
    """
    check_one_objective(study)
    rule = stored_rule(study) if pruner is None else pruner.rule(study)
    trials = study.get_trials(deepcopy=False, states=STATES)
    correction = None if rule is None else correction_of(study, rule, full_trials(trials))
    rungs = rungs_of(study, trials) if rule is None else None
    curves = []
    for trial in trials:
        curve = Curve.of(trial.intermediate_values)
        if len(curve) == 0:
            continue
        if rungs is not None and not is_full(trial):
            curves.append(_labelled(trial, curve, rungs.label(trial)))
        else:
            curves.append(_extended(trial, curve, rule, correction))
    return curves, rule


@checked
@guarded()
def plot_learning_curves(
    study: Study, pruner: LowFidelityPruner | None = None, *, n_best: int = 5
) -> go.Figure:
    """Draw the curves, those with the best long-term values in colour.

    Args:
        study: A study with one objective.
        pruner: See `learning_curves`.
        n_best: Number of curves in colour and in the legend.

    Raises:
        ValueError: If no trial reported a value, or the study has several objectives.
    """
    check_at_least(0, n_best=n_best)
    curves, rule = learning_curves(study, pruner)
    if not curves:
        raise ValueError("study must have a trial that reported a finite value, but got none.")
    sign = sign_of(study)
    ranked = sorted(curves, key=lambda curve: (not curve.rated, sign * curve.long_term))
    distinct = _distinct(ranked)
    figure = go.Figure()
    _draw_others(figure, [same[0] for same in distinct[n_best:]])
    for place, same in reversed(list(enumerate(distinct[:n_best]))):
        _draw(figure, same, color=COLORS[place % len(COLORS)])
    if rule is not None and rule.cutoff is not None:
        figure.add_vline(
            x=rule.cutoff, line_dash="dash", line_color=FULL_COLOR,
            annotation_text=f"cutoff {rule.cutoff:g}", annotation_position="top left",
        )  # fmt: skip
    any_stopped = any(curve.label is not None for curve in curves)
    base_layout(
        figure,
        f"Learning curves of {len(curves)} trials",
        "Step",
        value_title(study),
        subtitle="In colour the best in the long term" + (EXTENDED if any_stopped else ""),
    )
    tails = [curve.values[len(curve.values) // 4 :] for curve in curves]
    ends = [np.array([curve.long_term]) for curve in curves]
    figure.update_yaxes(range=visible_range(np.concatenate(tails + ends), sign))
    figure.update_layout(legend_traceorder="reversed")
    return figure


def _distinct(ranked: list[LearningCurve]) -> list[list[LearningCurve]]:
    """Return the curves grouped by equal ones, of which only one could be seen."""
    groups: dict[tuple[bytes, bytes], list[LearningCurve]] = {}
    for curve in ranked:
        groups.setdefault((curve.steps.tobytes(), curve.values.tobytes()), []).append(curve)
    return list(groups.values())


def _extended(
    trial: FrozenTrial, curve: Curve, rule: StoppingRule | None, correction: LabelCorrection | None
) -> LearningCurve:
    full, stopped = is_full(trial), is_stopped_by_another(trial)
    label, path = None, np.zeros((2, 0))
    if rule is not None and correction is not None and not full and not stopped:
        label, extrapolated = correction.label(curve, trial.params), rule.label(curve)
        if label is not None and extrapolated is not None:
            steps = np.linspace(float(curve.steps[-1]), extrapolated.step, 20)
            fitted = [rule.fit.label(curve, end=float(step)) for step in steps]
            values = [value.value if value else np.nan for value in fitted]
            path = np.array([[*steps, label.step], [*values, label.value]])
    return LearningCurve(
        number=trial.number,
        full=full,
        rated=full or label is not None,
        steps=curve.steps,
        values=curve.values,
        label=label,
        path_steps=path[0],
        path_values=path[1],
    )


def _labelled(trial: FrozenTrial, curve: Curve, label: Extrapolation | None) -> LearningCurve:
    """Return a curve with a straight path to its label."""
    path = np.zeros((2, 0))
    if label is not None:
        path = np.array([[curve.steps[-1], label.step], [curve.values[-1], label.value]])
    return LearningCurve(
        number=trial.number,
        full=False,
        rated=label is not None,
        steps=curve.steps,
        values=curve.values,
        label=label,
        path_steps=path[0],
        path_values=path[1],
    )


def _draw_others(figure: go.Figure, curves: list[LearningCurve]) -> None:
    """Draw all in three traces, with gaps between curves: a trace each is slow to show."""
    if not curves:
        return
    curves = [curves[i] for i in thinned(len(curves), N_OTHERS)]
    labels = [curve.label for curve in curves if curve.label is not None]
    for parts, dash in (
        ([_short(curve.steps, curve.values, N_POINTS) for curve in curves], "solid"),
        ([_short(c.path_steps, c.path_values, 5) for c in curves if c.label], "dot"),
    ):
        steps, values = ([number for part in parts for number in [*part[k], None]] for k in (0, 1))
        figure.add_scatter(
            x=steps, y=values, mode="lines", showlegend=False, hoverinfo="skip",
            line={"color": GREY, "width": 1, "dash": dash},
        )  # fmt: skip
    figure.add_scatter(
        x=[label.step for label in labels], y=[label.value for label in labels], mode="markers",
        marker={"color": GREY, "size": 4}, showlegend=False, hoverinfo="skip",
    )  # fmt: skip


def _short(
    steps: Float[np.ndarray, " n"], values: Float[np.ndarray, " n"], at_most: int
) -> tuple[list[float], list[float]]:
    """Return a few points of a curve, with the digits that can be seen."""
    kept = thinned(len(steps), at_most)
    return steps[kept].tolist(), [float(f"{value:.5g}") for value in values[kept]]


def _draw(figure: go.Figure, same: list[LearningCurve], *, color: str) -> None:
    curve = same[0]
    name = f"trial {curve.number}" + (" (full)" if curve.full else "")
    if len(same) > 1:
        name += f" and {len(same) - 1} like it"
    line = {"color": color, "width": 2}
    kept = thinned(len(curve.steps), 500)
    figure.add_scatter(
        x=curve.steps[kept], y=curve.values[kept], mode="lines", name=name, legendgroup=name,
        line=line,
    )  # fmt: skip
    if curve.label is None:
        return
    figure.add_scatter(
        x=curve.path_steps, y=curve.path_values, mode="lines", legendgroup=name,
        showlegend=False, hoverinfo="skip", line=line | {"dash": "dot"},
    )  # fmt: skip
    error = {"type": "data", "array": [curve.label.std], "color": color, "thickness": 1}
    figure.add_scatter(
        x=[curve.label.step], y=[curve.label.value], mode="markers", name=f"{name}, label",
        legendgroup=name, showlegend=False, marker={"color": color, "size": 9},
        error_y=error if np.isfinite(curve.label.std) else None,
    )  # fmt: skip
