"""The pruner's default rule: trials stop at rungs, and a few train on to show what is missed."""

from __future__ import annotations

import math

import numpy as np
from optuna.study import Study
from optuna.trial import FrozenTrial

from optuna_predictor_rl.core.curves import Curve
from optuna_predictor_rl.core.predictor.kernel import squared_distance
from optuna_predictor_rl.fidelity.continuation import trains_in_full
from optuna_predictor_rl.fidelity.labels import store_label
from optuna_predictor_rl.fidelity.rung_rule import Standing
from optuna_predictor_rl.fidelity.rung_study import RungStudy, rungs_of
from optuna_predictor_rl.fidelity.watched_trials import WatchedTrials
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.attributes import AGAINST_ORDER
from optuna_predictor_rl.support.once import WarnOnce

LATE_SHARE = 0.1
"""Share of the latest steps that goes to full trainings of trials that would stop: they show which
trainings learn late."""

N_CANDIDATES = 8
"""The latest stopped trials with which one is compared: it has to be far from all full ones."""

FAR_QUANTILE = 0.75
"""Of their distances from the nearest full one: a label is the more doubtful the farther it is."""


class RungPruning:
    """Decides at rungs.

    Args:
        n_steps: The last step of a full training; None for the longest that was seen.
        warn_once: For warnings.
    """

    def __init__(self, n_steps: int | None, warn_once: WarnOnce) -> None:
        self._n_steps = n_steps
        self._watched: WatchedTrials[RungStudy | None] = WatchedTrials(self._read, warn_once)

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Return whether a trial that has reported stops here; if so, its label is stored.

        Raises:
            ValueError: If the study has several objectives.
        """
        watched = self._watched.watch(study, trial)
        rungs, looks = watched.rule, watched.looks
        if rungs is None or watched.highest >= rungs.table.rungs.end:
            return False
        if watched.highest < looks.next:
            return looks.stops
        # A live trial does not see what a pruner wrote, so the storage is asked.
        written = storage.stored_trial(study, trial).user_attrs
        if trains_in_full(trial, 0.0) or written.get(AGAINST_ORDER):
            return False
        curve = Curve.of(trial.intermediate_values)
        if curve.diverged:
            return True
        if curve.n_missing or curve.last_step < rungs.table.rungs.steps[0]:
            return False  # until a value comes
        standing = rungs.standing(trial)
        stops = standing is not None and standing.stops()
        if stops and standing is not None and self._shows_late_learning(rungs, standing):
            storage.set_trial_attribute(study, storage.trial_id(trial), AGAINST_ORDER, True)
            stops = False
        if stops:
            label = rungs.label(trial)
            if label is not None:
                store_label(study, storage.trial_id(trial), curve.last_step, label)
        looks.stops, looks.next = stops, rungs.table.rungs.next_after(curve.last_step)
        return stops

    def _read(self, study: Study, *, fresh: bool = False) -> RungStudy | None:
        return rungs_of(study, storage.trials(study, fresh=fresh), self._n_steps)

    def _shows_late_learning(self, rungs: RungStudy, standing: Standing) -> bool:
        """Return whether a trial that would stop trains on to show what labels like its miss."""
        table = rungs.table
        n_against = sum(bool(t.user_attrs.get(AGAINST_ORDER)) for t in table.trials)
        if n_against + 0.5 > LATE_SHARE * table.trained:
            return False
        stopped = np.flatnonzero(~table.full)[-N_CANDIDATES:]
        if len(stopped) < N_CANDIDATES:
            return False
        x = rungs.model.x
        if x is None or standing.x is None:
            return True
        distance = squared_distance(x[stopped], x[table.full]).min(axis=1)
        own = float(squared_distance(standing.x, x[table.full]).min())
        return own >= float(np.quantile(distance, FAR_QUANTILE))

    def label_of(self, study: Study, trial: FrozenTrial) -> float | None:
        """Return the label of a running trial, and store it; None if it is a full training.

        It is a full training until enough others are, or if it has come to their end.
        """
        rungs = self._read(study, fresh=True)
        curve = Curve.of(trial.intermediate_values)
        if rungs is None or curve.last_step >= rungs.table.rungs.end:
            return None
        label = rungs.label(trial)
        if label is None:
            return math.nan
        store_label(study, storage.trial_id(trial), curve.last_step, label)
        return label.value
