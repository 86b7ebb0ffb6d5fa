"""The pruner's rule of the paper: pilots decide a cutoff, and later trials stop there."""

from __future__ import annotations

import math
from dataclasses import dataclass

from optuna.study import Study
from optuna.trial import FrozenTrial

from optuna_predictor_rl.core.curves import Curve
from optuna_predictor_rl.fidelity.continuation import AtCutoff, reason_to_continue, trains_in_full
from optuna_predictor_rl.fidelity.cutoff_rule import StoppingRule
from optuna_predictor_rl.fidelity.label_correction import correction_of
from optuna_predictor_rl.fidelity.labels import full_trials, store_label
from optuna_predictor_rl.fidelity.settings import LowFidelitySettings
from optuna_predictor_rl.fidelity.stored_rules import current_rule, follow_rule
from optuna_predictor_rl.fidelity.watched_trials import Watched, WatchedTrials
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.support.once import WarnOnce


@dataclass(frozen=True)
class Followed:
    """The rule that a running trial follows.

    Attributes:
        full: The trials that have trained to the end.
        rule: That they lead to; None while the pilots train.
    """

    full: list[FrozenTrial]
    rule: StoppingRule | None


class CutoffPruning:
    """Decides at one cutoff.

    Args:
        settings: Of the pruner.
        warn_once: For warnings.
    """

    def __init__(self, settings: LowFidelitySettings, warn_once: WarnOnce) -> None:
        self.settings = settings
        self._warn_once = warn_once
        self._watched: WatchedTrials[Followed] = WatchedTrials(self._follow, warn_once)

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Return whether a trial that has reported stops here; if so, its label is stored.

        Raises:
            ValueError: If the study has several objectives.
        """
        watched = self.watch(study, trial)
        rule, full, looks = watched.rule.rule, watched.rule.full, watched.looks
        if rule is None or not rule.is_between(watched.highest) or self.runs_to_the_end(trial):
            return False
        if watched.highest < looks.next:
            return looks.stops
        curve = Curve.of(trial.intermediate_values)
        if not rule.stops(curve):
            return False
        correction = correction_of(study, rule, full)
        label = correction.label(curve, trial.params)
        stops = True
        if label is not None:
            at_cutoff = AtCutoff(study, rule, full, curve, label)
            stops = reason_to_continue(at_cutoff, self.settings) is None
            if stops:
                store_label(study, storage.trial_id(trial), curve.last_step, label)
        return looks.decide(stops, curve.last_step, correction.checkpoints)

    def watch(self, study: Study, trial: FrozenTrial) -> Watched[Followed]:
        """Return what is known of a running trial that has reported; store the rule it follows.

        Raises:
            ValueError: If the study has several objectives.
        """
        return self._watched.watch(study, trial)

    def label_of(self, study: Study, trial: FrozenTrial) -> float | None:
        """Return the label of a running trial, and store it; None if it is a full training."""
        curve = Curve.of(trial.intermediate_values)
        followed = self._follow(study, fresh=True)
        rule = followed.rule
        if rule is None or not rule.needs_label(curve.last_step) or self.runs_to_the_end(trial):
            return None
        label = correction_of(study, rule, followed.full).label(curve, trial.params)
        if label is None:
            return math.nan
        store_label(study, storage.trial_id(trial), curve.last_step, label)
        return label.value

    def rule(self, study: Study) -> StoppingRule | None:
        """Return the rule that the study follows now; None while the pilots train."""
        return current_rule(study, full_trials(storage.trials(study, fresh=True)), self.settings)

    def runs_to_the_end(self, trial: FrozenTrial) -> bool:
        """Return whether a trial is one of `full_fraction`, or was enqueued as `full_fidelity`."""
        return trains_in_full(trial, self.settings.full_fraction)

    def _follow(self, study: Study, *, fresh: bool = False) -> Followed:
        full = full_trials(storage.trials(study, fresh=fresh))
        return Followed(full, follow_rule(study, full, self.settings, self._warn_once))
