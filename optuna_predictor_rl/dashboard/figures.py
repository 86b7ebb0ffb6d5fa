"""The figures of the dashboard, and when a study has enough trials for each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from optuna.study import Study
from optuna.trial import TrialState

from optuna_predictor_rl import visualization
from optuna_predictor_rl.data.finalists import losses
from optuna_predictor_rl.fidelity.labels import full_trials
from optuna_predictor_rl.pruner import LowFidelityPruner
from optuna_predictor_rl.sampler import PredictorRLSampler
from optuna_predictor_rl.study.objective import signs_of
from optuna_predictor_rl.study.storage import LABELLED, trials

N_FOLDS = 5
MIN_LABELLED = 3 * N_FOLDS
"""Trials with a value before the predictor is shown: three in each fold of its calibration."""

MAX_POLICIES = 12
"""Decisions whose policies are shown: the dashboard's figures are 450 pixels high."""


@dataclass(frozen=True)
class Source:
    """The objects that the figures and the note of a study are made from.

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
        """Return whether the study has one objective."""
        return len(self.study.directions) == 1

    @property
    def predicts(self) -> bool:
        """Return whether the predictor has enough trials to be shown."""
        if self.sampler is None:
            return False
        signs = signs_of(self.study)
        labelled = [t for t in trials(self.study, LABELLED) if t.params]
        return sum(not np.isnan(losses(t, signs)).any() for t in labelled) >= MIN_LABELLED

    @property
    def reports(self) -> bool:
        """Return whether trials have reported curves."""
        begun = trials(self.study, (*LABELLED, TrialState.RUNNING))
        return self.single and any(len(t.intermediate_values) > 1 for t in begun)


Draw = Callable[[Source], go.Figure | None]
"""A function that draws a figure, or returns None if the study has nothing to show yet."""


def _of_predictor(draw: Callable[..., go.Figure], **options: Any) -> Draw:
    """Return a function that draws a figure once the predictor has enough trials to be shown."""

    def drawn(source: Source) -> go.Figure | None:
        return draw(source.study, source.sampler, **options) if source.predicts else None

    return drawn


def _trade_off(source: Source) -> go.Figure | None:
    if not source.predicts or source.sampler is None or source.sampler.cost is None:
        return None
    if not source.single:  # the dashboard draws the front of several objectives itself
        return None
    return visualization.plot_trade_off(source.study, source.sampler)


def _learning_curves(source: Source) -> go.Figure | None:
    if not source.reports:
        return None
    return visualization.plot_learning_curves(source.study, source.pruner)


def _rank_correlation(source: Source) -> go.Figure | None:
    if not source.reports or len(full_trials(trials(source.study, LABELLED))) < 3:
        return None
    return visualization.plot_rank_correlation(source.study, source.pruner)


FIGURES: dict[str, Draw] = {
    "predictor-calibration": _of_predictor(
        visualization.plot_predictor_calibration, n_folds=N_FOLDS
    ),
    "rl-convergence": _of_predictor(visualization.plot_rl_convergence),
    "policy-probabilities": _of_predictor(
        visualization.plot_policy_probabilities, max_decisions=MAX_POLICIES
    ),
    "decision-importance": _of_predictor(visualization.plot_decision_importance),
    "pareto-front": _trade_off,
    "learning-curves": _learning_curves,
    "tau-by-cutoff": _rank_correlation,
}
"""Figures by their name in the dashboard."""
