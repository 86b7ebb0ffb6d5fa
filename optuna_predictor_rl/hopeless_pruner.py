"""A pruner around the low-fidelity pruner that also drops hopeless trials before the cutoff."""

import math
from collections.abc import Hashable

import numpy as np
import scipy
from numpy import ndarray
from optuna.pruners import BasePruner
from optuna.study import Study
from optuna.trial import BaseTrial, FrozenTrial, TrialState

from optuna_predictor_rl.core.curves import Curve, Extrapolation
from optuna_predictor_rl.core.curves.cutoff import worst_value
from optuna_predictor_rl.core.curves.label import labels_at
from optuna_predictor_rl.fidelity.cutoff_rule import StoppingRule
from optuna_predictor_rl.fidelity.full_curves import checkpoints, nearest
from optuna_predictor_rl.fidelity.labels import is_full, store_label, stored_label
from optuna_predictor_rl.pruner import LowFidelityPruner
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.objective import direction_of, sign_of, trial_values
from optuna_predictor_rl.support.checked import check_at_least, checked
from optuna_predictor_rl.support.guard import guarded
from optuna_predictor_rl.support.representation import call_of, remembering


@checked
class HopelessTrialPruner(BasePruner):
    """Drops a trial before the cutoff when its final value is surely in the worse half.

    The full trials tell how far labels taken at a step lie from the final values. With that
    error, a running trial's final value has a Student-t distribution around its label; the trial
    is dropped when almost all of it is worse than the median of the finished trials. A dropped
    trial carries a label and its error like one that stopped at the cutoff.

    Nothing is dropped while the pilots run, and none of those that the pruner lets run to the
    end (``full_fraction``, ``full_fidelity``).

    Examples:
        >>> pruner = HopelessTrialPruner(LowFidelityPruner(n_pilot_trials=10), probability=0.95)
    """

    @remembering
    def __init__(
        self, pruner: LowFidelityPruner, *, probability: float = 0.95, n_warmup_reports: int = 5
    ) -> None:
        """Checks and keeps the settings.

        Args:
            pruner: Decides the cutoff and the labels.
            probability: Of being in the worse half, from which on a trial is dropped.
            n_warmup_reports: Reports that every trial may make first.

        Raises:
            ValueError: If an argument is out of its range.
        """
        if not 0.5 < probability < 1:
            raise ValueError(f"probability must be between 0.5 and 1, but got {probability}.")
        check_at_least(1, n_warmup_reports=n_warmup_reports)
        self.pruner = pruner
        self._probability = probability
        self._n_warmup_reports = n_warmup_reports
        self._errors: tuple[Hashable, _Errors] | None = None

    def __repr__(self) -> str:
        """The call that makes it again."""
        return call_of(self)

    @guarded()
    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Whether the trial stops here, at the cutoff or as hopeless.

        Raises:
            ValueError: If the study has several objectives.
        """
        if self.pruner.prune(study, trial):
            return True
        if len(trial.intermediate_values) < self._n_warmup_reports:
            return False
        watched = self.pruner.watch(study, trial)
        rule, looks = watched.rule, watched.hopeless
        if rule is None or rule.n_pilots == 0 or watched.highest >= rule.end:
            return False
        if self.pruner.runs_to_the_end(trial):
            return False
        if watched.highest < looks.next:
            return looks.stops
        curve = Curve.of(trial.intermediate_values)
        if curve.n_missing:
            return False
        errors = self._errors_of(
            rule, watched.full[: rule.n_pilots], worst_value(direction_of(study))
        )
        label = errors.predict(rule.label(curve), curve.last_step, rule.end)
        stops = label is not None and self._is_hopeless(study, rule, label)
        if stops and label is not None:
            store_label(study, storage.trial_id(trial), curve.last_step, label)
        return looks.decide(stops, curve.last_step, errors.checkpoints)

    @checked
    def label(self, trial: BaseTrial) -> float:
        """See ``LowFidelityPruner.label``."""
        return self.pruner.label(trial)

    def _errors_of(self, rule: StoppingRule, pilots: list[FrozenTrial], worst: float) -> "_Errors":
        """The errors of the pilots' labels; they are kept until there are others."""
        key = (rule, worst, *((storage.trial_id(t), t.value) for t in pilots))
        if self._errors is None or self._errors[0] != key:
            self._errors = key, _Errors(rule, pilots, worst)
        return self._errors[1]

    def _is_hopeless(self, study: Study, rule: StoppingRule, label: Extrapolation) -> bool:
        finished = storage.trials(study, (TrialState.COMPLETE, TrialState.PRUNED))
        known = [t.value if is_full(t) else stored_label(t) for t in finished]
        median = float(np.median([value for value in known if value is not None]))
        sign = sign_of(study)
        margin = sign * (label.value - median)
        if label.std == 0:
            return margin > 0
        certainty = scipy.stats.t.cdf(margin / label.std, df=rule.n_pilots - 1)
        return float(certainty) > self._probability


class _Errors:
    """How far labels of full trials lie from their final values, by the step they are taken at.

    Args:
        rule: How labels are made.
        full: Trials that ran to their end.
        worst: What stands for a curve that has diverged.

    Attributes:
        checkpoints: The steps at which errors are known; between them the nearest counts.
    """

    def __init__(self, rule: StoppingRule, full: list[FrozenTrial], worst: float) -> None:
        self._rule = rule
        self._worst = worst
        self._curves = [Curve.of(trial.intermediate_values) for trial in full]
        self._finals = trial_values(full)
        self._known: dict[float, ndarray] = {}
        self.checkpoints = checkpoints(self._curves, rule.cutoff)

    def predict(
        self, label: Extrapolation | None, step: float, end: float
    ) -> Extrapolation | None:
        """The label, corrected by the mean error at a step, and its spread."""
        step = nearest(self.checkpoints, step)
        with np.errstate(over="ignore", invalid="ignore"):  # values near the largest float
            if step not in self._known:
                then = labels_at(self._curves, step, self._rule.fit, self._worst)
                errors = self._finals - then
                self._known[step] = errors[np.isfinite(errors)]
            errors = self._known[step]
            if label is None or len(errors) < 3:
                return None
            value = label.value + float(errors.mean())
            std = float(errors.std(ddof=1)) * math.sqrt(1 + 1 / len(errors))
        if not (math.isfinite(value) and math.isfinite(std)):
            return None
        return Extrapolation(value=value, std=std, slope=label.slope, step=end)
