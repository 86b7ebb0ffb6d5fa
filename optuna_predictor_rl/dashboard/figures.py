"""Which figures a study can show, and how each is drawn."""

from collections.abc import Callable
from dataclasses import dataclass

import plotly.graph_objects as go
from optuna.study import Study
from optuna.trial import TrialState

from optuna_predictor_rl import visualization
from optuna_predictor_rl.fidelity.labels import full_trials, value_or_label
from optuna_predictor_rl.pruner import LowFidelityPruner
from optuna_predictor_rl.sampler import PredictorRLSampler
from optuna_predictor_rl.study.storage import trials

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
N_FOLDS = 5
MIN_LABELLED = 3 * N_FOLDS
"""Trials with a value before the predictor is shown: three a fold of its calibration."""


MAX_POLICIES = 12
"""Decisions whose policies are shown: the dashboard's figures are 450 pixels high."""


@dataclass(frozen=True)
class Source:
    """What the figures and the note of a study are made of.

    Attributes:
        study: The study.
        sampler: The predictor-based sampler, if there is one.
        pruner: The low-fidelity pruner, if there is one.
    """

    study: Study
    sampler: PredictorRLSampler | None
    pruner: LowFidelityPruner | None

    @property
    def single(self) -> bool:
        """Whether the study has one objective: figures of several are the dashboard's own."""
        return len(self.study.directions) == 1

    @property
    def predicts(self) -> bool:
        """Whether the predictor has enough trials to be shown."""
        if self.sampler is None or not self.single:
            return False
        labelled = [
            t for t in trials(self.study, FINISHED) if value_or_label(t) is not None and t.params
        ]
        return len(labelled) >= MIN_LABELLED

    @property
    def reports(self) -> bool:
        """Whether trials have reported curves."""
        known = trials(self.study, (*FINISHED, TrialState.RUNNING))
        return self.single and any(len(t.intermediate_values) > 1 for t in known)


def _draw_calibration(source: Source) -> go.Figure | None:
    if not source.predicts:
        return None
    return visualization.plot_predictor_calibration(source.study, source.sampler, n_folds=N_FOLDS)


def _draw_convergence(source: Source) -> go.Figure | None:
    if not source.predicts:
        return None
    return visualization.plot_rl_convergence(source.study, source.sampler)


def _draw_policy(source: Source) -> go.Figure | None:
    if not source.predicts:
        return None
    return visualization.plot_policy_probabilities(
        source.study, source.sampler, max_decisions=MAX_POLICIES
    )


def _draw_importance(source: Source) -> go.Figure | None:
    if not source.predicts:
        return None
    return visualization.plot_decision_importance(source.study, source.sampler)


def _draw_trade_off(source: Source) -> go.Figure | None:
    if not source.predicts or source.sampler is None or source.sampler.cost is None:
        return None
    return visualization.plot_trade_off(source.study, source.sampler)


def _draw_learning_curves(source: Source) -> go.Figure | None:
    return (
        visualization.plot_learning_curves(source.study, source.pruner) if source.reports else None
    )


def _draw_rank_correlation(source: Source) -> go.Figure | None:
    if not source.reports or len(full_trials(trials(source.study, FINISHED))) < 3:
        return None
    return visualization.plot_rank_correlation(source.study, source.pruner)


FIGURES: dict[str, Callable[[Source], go.Figure | None]] = {
    "predictor-calibration": _draw_calibration,
    "rl-convergence": _draw_convergence,
    "policy-probabilities": _draw_policy,
    "decision-importance": _draw_importance,
    "pareto-front": _draw_trade_off,
    "learning-curves": _draw_learning_curves,
    "tau-by-cutoff": _draw_rank_correlation,
}
"""Figures by their name in the dashboard; None where a study has nothing to show yet."""
