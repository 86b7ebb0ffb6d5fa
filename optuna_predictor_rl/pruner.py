"""An Optuna pruner that stops every trial at the cheapest fidelity that still ranks like full."""

import math
from collections.abc import Sequence

from optuna.logging import get_logger
from optuna.pruners import BasePruner
from optuna.study import Study
from optuna.trial import BaseTrial, FrozenTrial, Trial, TrialState

from optuna_predictor_rl.core.curves import AxisName, Curve
from optuna_predictor_rl.fidelity.continuation import AtCutoff, reason_to_continue, trains_in_full
from optuna_predictor_rl.fidelity.cutoff_rule import StoppingRule
from optuna_predictor_rl.fidelity.label_correction import LabelCorrection, correction_of
from optuna_predictor_rl.fidelity.labels import full_trials, store_label, stored_label
from optuna_predictor_rl.fidelity.settings import LowFidelitySettings
from optuna_predictor_rl.fidelity.stored_rules import current_rule, follow_rule
from optuna_predictor_rl.fidelity.watched_trials import Watched, WatchedTrials
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.objective import check_one_objective
from optuna_predictor_rl.support.checked import checked
from optuna_predictor_rl.support.guard import guarded
from optuna_predictor_rl.support.once import WarnOnce
from optuna_predictor_rl.support.representation import call_of, remembering

_LOGGER = get_logger(f"optuna.{__name__}")


@checked
class LowFidelityPruner(BasePruner):
    """Low-fidelity evaluation of Yin et al. (2024), section 3.1.

    The first trials, the pilots, train to the end. Their curves show the earliest step at which
    the extrapolated value still ranks them as the full training does (Kendall's tau). Later
    trials stop there and carry a label in the user attribute
    `predictor_rl:low_fidelity_label`: Eq. (2), and what full trials with a like slope, and near
    in the parameters, still gained after that step.

    The rule is decided from the full trials in the order in which they ended and is kept in the
    study, so that all workers, and a study that is resumed, follow the same one.

    A trial that is enqueued with the user attribute `full_fidelity` trains to the end, as the
    finalists of a search do.

    Example:
        >>> import optuna
        >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
        >>> def objective(trial):
        ...     level = trial.suggest_float("level", 0, 1)
        ...     for step in range(1, 11):
        ...         trial.report(level + 1 / step, step)
        ...         if trial.should_prune():
        ...             raise optuna.TrialPruned
        ...     return level + 1 / step
        >>> study = optuna.create_study(pruner=LowFidelityPruner(n_pilot_trials=3))
        >>> for level in (0.2, 0.4, 0.6, 0.8):
        ...     study.enqueue_trial({"level": level})
        >>> study.optimize(objective, n_trials=4)
        >>> study.trials[3].user_attrs["predictor_rl:fidelity"]
        6
        >>> study.enqueue_trial({"level": 0.8}, user_attrs={"full_fidelity": True})
        >>> study.optimize(objective, n_trials=1)
        >>> study.trials[4].last_step
        10
    """

    @remembering
    def __init__(
        self,
        *,
        n_pilot_trials: int = 6,
        min_rank_correlation: float = 0.75,
        min_cutoff: float = 0.33,
        cutoff: int | None = None,
        n_fit_points: int = 5,
        extrapolate_by: float | None = None,
        axis: AxisName | Sequence[AxisName] = "log",
        shrink: float = 25.0,
        confidence: float = 0.8,
        full_fraction: float = 0.0,
        promising: float = 0.05,
        patience: float = 1.0,
    ) -> None:
        """Check and keep the settings.

        Args:
            n_pilot_trials: Full trials before the cutoff is decided. Not used with `cutoff`.
            min_rank_correlation: Kendall's tau that the lower confidence bound has to keep.
            min_cutoff: Share of the full training before which no cutoff is chosen: pilots are
                easier to rank than what a search ends with. Not used with `cutoff`.
            cutoff: A fixed step at which to stop, instead of one that the pilots decide.
            n_fit_points: Points at the end of the curve for the fit, Eq. (1).
            extrapolate_by: Delta x of Eq. (2) as a share of the steps trained so far; never past
                the end of the full trainings. None lets the pilots choose it, and how much of the
                curve is smoothed: noisy curves bear less. With `cutoff`, None is 0.5.
            axis: `"log"`, a line in the logarithm of the step; `"linear"`, as in the paper;
                see `extrapolate`. Of several, the pilots choose. Without `extrapolate_by` they
                choose the value as it stands, unless another way ranks them clearly better.
            shrink: How little of a noisy slope is kept, 0 for all as in the paper; see
                `extrapolate`.
            confidence: Of the two-sided interval of tau, by a bootstrap over the pilots.
            full_fraction: Share of the trials that train to the end whatever they report. With
                every few of them the rule is decided anew, in case the search drifts towards
                configurations that the cutoff ranks badly.
            promising: A trial trains past the cutoff for as long as it is at least this likely
                to beat the best full value, or would if its curve went on straight. 1 stops every
                trial, as in the paper.
            patience: Once the trials stopped since the last full one have cost this many full
                trainings, one whose label is among their best fifth trains on as well: it shows
                what labels miss where the search is now. Infinite for never; not used if
                `promising` is 1.

        Raises:
            ValueError: If an argument is out of its range.
        """
        self._settings = LowFidelitySettings(
            n_pilot_trials=n_pilot_trials,
            min_rank_correlation=min_rank_correlation,
            min_cutoff=min_cutoff,
            cutoff=cutoff,
            n_fit_points=n_fit_points,
            extrapolate_by=extrapolate_by,
            axes=(axis,) if isinstance(axis, str) else tuple(axis),
            shrink=shrink,
            confidence=confidence,
            full_fraction=full_fraction,
            promising=promising,
            patience=patience,
        )
        self._warn_once = WarnOnce(_LOGGER)
        self._watched = WatchedTrials(self._settings, self._warn_once)

    def __repr__(self) -> str:
        """Return the call that makes it again."""
        return call_of(self)

    @guarded()
    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Return whether the trial stops here; if so, its label is stored on it.

        A trial whose last reports are all NaN or infinite stops without a label.

        Raises:
            ValueError: If the study has several objectives.
        """
        if not trial.intermediate_values:
            check_one_objective(study)
            return False
        watched = self.watch(study, trial)
        rule = watched.rule
        if rule is None or not rule.is_between(watched.highest) or self.runs_to_the_end(trial):
            return False
        if watched.highest < watched.cutoff.next:
            return watched.cutoff.stops
        curve = Curve.of(trial.intermediate_values)
        if not rule.stops(curve):
            return False
        correction = correction_of(study, rule, watched.full)
        label = correction.label(curve, trial.params)
        stops = True
        if label is not None:
            at_cutoff = AtCutoff(study, rule, watched.full, curve, label)
            stops = reason_to_continue(at_cutoff, self._settings) is None
            if stops:
                store_label(study, storage.trial_id(trial), curve.last_step, label)
        return watched.cutoff.decide(stops, curve.last_step, correction.checkpoints)

    def watch(self, study: Study, trial: FrozenTrial) -> Watched:
        """Return what is known of a running trial that has reported; store the rule it follows.

        Raises:
            ValueError: If the study has several objectives.
        """
        return self._watched.watch(study, trial)

    @checked
    @guarded()
    def label(self, trial: BaseTrial) -> float:
        """Return the final value to expect of a trial, for an objective that raises nothing.

        So every sampler learns from the trial, also those that ignore pruned ones: where
        `trial.should_prune()`, write `return pruner.label(trial)`.

        A running trial that has not been stopped is extrapolated and marked, except one that
        has to train to the end (a pilot) or has come there: that gives its last value. A finished
        trial gives its label, or its value if it trained to the end.

        Returns:
            The label, in the unit of the reports; NaN for a curve that diverged.

        Raises:
            TypeError: If the trial is of another kind, such as a wrapper for distributed training.
            ValueError: If nothing was reported, or the study has several objectives.
        """
        if not isinstance(trial, (Trial, FrozenTrial)):
            raise TypeError(
                f"trial must be an optuna.trial.Trial or FrozenTrial, but got a "
                f"{type(trial).__name__}. Of a wrapper such as TorchDistributedTrial, pass the "
                "trial that it was made from; a FixedTrial keeps no reports to make a label of."
            )
        if isinstance(trial, Trial):
            check_one_objective(trial.study)
        frozen = storage.latest(trial) if isinstance(trial, Trial) else trial
        stored = stored_label(frozen)
        if stored is not None:
            return stored
        if frozen.state == TrialState.COMPLETE and frozen.value is not None:
            return float(frozen.value)
        reports = frozen.intermediate_values
        if not reports:
            raise ValueError(
                f"trial must have reported a value to be labelled, but trial {frozen.number} has "
                "reported none."
            )
        curve = Curve.of(reports)
        if not isinstance(trial, Trial):  # it does not know its study, so it has no full trials
            alone = StoppingRule(cutoff=None, fit=self._settings.default_fit)
            label = LabelCorrection(alone, []).label(curve, frozen.params)
            return math.nan if label is None else label.value
        full = full_trials(storage.trials(trial.study, fresh=True))
        rule = follow_rule(trial.study, full, self._settings, self._warn_once)
        if rule is None or not rule.needs_label(curve.last_step) or self.runs_to_the_end(frozen):
            return float(reports[max(reports)])
        label = correction_of(trial.study, rule, full).label(curve, frozen.params)
        if label is None:
            return math.nan
        store_label(trial.study, storage.trial_id(trial), curve.last_step, label)
        return label.value

    @checked
    @guarded()
    def rule(self, study: Study) -> StoppingRule | None:
        """Return the rule that the study follows now; None while the pilots train.

        It is decided here if no trial has followed it yet. Nothing is written: that happens when
        a trial reports.

        Raises:
            ValueError: If the study has several objectives.
        """
        check_one_objective(study)
        full = full_trials(storage.trials(study, fresh=True))
        return current_rule(study, full, self._settings)

    def runs_to_the_end(self, trial: FrozenTrial) -> bool:
        """Return whether a trial is one of `full_fraction`, or was enqueued as `full_fidelity`."""
        return trains_in_full(trial, self._settings.full_fraction)
