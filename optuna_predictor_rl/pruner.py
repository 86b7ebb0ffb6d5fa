"""An Optuna pruner that stops every trial at the cheapest fidelity that still ranks like full."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import replace

from optuna.logging import get_logger
from optuna.pruners import BasePruner
from optuna.study import Study
from optuna.trial import BaseTrial, FrozenTrial, Trial, TrialState

from optuna_predictor_rl.core.curves import AxisName, Curve, Extrapolation, LabelFit
from optuna_predictor_rl.core.curves.cutoff import check_confidence
from optuna_predictor_rl.fidelity.continuation import is_due, is_promising, leads_to_the_best
from optuna_predictor_rl.fidelity.cutoff_rule import StoppingRule, decide
from optuna_predictor_rl.fidelity.full_curves import report_in_another_unit, with_whole_curves
from optuna_predictor_rl.fidelity.label_correction import Discrepancy
from optuna_predictor_rl.fidelity.labels import full_trials, store_label, stored_label
from optuna_predictor_rl.fidelity.stored_rules import read_rule, store_decided, store_fixed
from optuna_predictor_rl.fidelity.watched_trials import Watched, WatchedTrials
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.attributes import FULL_FIDELITY, RULE
from optuna_predictor_rl.study.objective import check_one_objective, direction_of, last_step
from optuna_predictor_rl.support.checked import check_at_least, checked
from optuna_predictor_rl.support.guard import guarded
from optuna_predictor_rl.support.representation import call_of, remembering

COMPLETE = (TrialState.COMPLETE,)

_LOGGER = get_logger(f"optuna.{__name__}")


@checked
class LowFidelityPruner(BasePruner):
    """Low-fidelity evaluation of Yin et al. (2024), section 3.1.

    The first trials, the pilots, run to their end. Their curves tell the earliest step at which
    the extrapolated value still ranks them as the full training does (Kendall's tau). Later
    trials stop there and carry a label in the user attribute
    ``predictor_rl:low_fidelity_label``: Eq. (2), and what full trials with a like slope, and near
    in the parameters, still gained after that step.

    The rule is decided from the full trials in the order in which they ended and is kept in the
    study, so that all workers, and a study that is resumed, follow the same one.

    A trial that is enqueued with the user attribute ``full_fidelity`` runs to its end, as the
    finalists of a search do::

        study.enqueue_trial(trial.params, user_attrs={"full_fidelity": True})

    Examples:
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
        """Checks and keeps the settings.

        Args:
            n_pilot_trials: Full trials before the cutoff is decided. Not used with ``cutoff``.
            min_rank_correlation: The tau that the lower confidence bound has to keep.
            min_cutoff: Share of the whole training before which no cutoff is chosen: pilots are
                easier to rank than what a search ends with. Not used with ``cutoff``.
            cutoff: A fixed step at which to stop, instead of one that the pilots decide.
            n_fit_points: Points at the end of the curve for the fit, Eq. (1).
            extrapolate_by: Delta x of Eq. (2) as a share of the steps trained so far; never past
                the end of the full trainings. None chooses it from the pilots, together with how
                much of the curve is smoothed: noisy curves bear less. With ``cutoff``, None is
                0.5.
            axis: ``"log"``, a line in the logarithm of the step; ``"linear"``, as in the paper;
                ``"power"`` or ``"exponential"``; see ``extrapolate``. Of several, the pilots
                choose. Without ``extrapolate_by`` they choose the value as it stands, unless
                another way ranks them clearly better.
            shrink: How little of a noisy slope is kept, 0 for all as in the paper; see
                ``extrapolate``.
            confidence: Of the two-sided interval of tau, by a bootstrap over the pilots.
            full_fraction: Share of the later trials that run to the end all the same. With every
                few of them the rule is decided anew, so that a drift of the search towards
                configurations that the cutoff ranks badly is noticed.
            promising: A trial goes on past the cutoff for as long as it is at least this likely
                to beat the best full value, or would if its curve went on straight. 1 stops every
                trial, as in the paper.
            patience: Once the trials stopped since the last full one have cost this many whole
                trainings, one whose label is among their best fifth goes on as well: it tells
                what labels miss where the search is now. Infinite for never; not used if
                ``promising`` is 1.

        Raises:
            ValueError: If an argument is out of its range.
        """
        check_at_least(3, n_pilot_trials=n_pilot_trials)
        if not 0 < min_rank_correlation <= 1:
            raise ValueError(
                f"min_rank_correlation must be in (0, 1], but got {min_rank_correlation}."
            )
        if cutoff is not None and cutoff < 1:
            raise ValueError(f"cutoff must be at least 1, but got {cutoff}.")
        if not 0 <= full_fraction <= 1:
            raise ValueError(f"full_fraction must be in [0, 1], but got {full_fraction}.")
        if not 0 < promising <= 1:
            raise ValueError(f"promising must be in (0, 1], but got {promising}.")
        if not patience > 0:
            raise ValueError(f"patience must be positive, but got {patience}.")
        if not 0 <= min_cutoff < 1:
            raise ValueError(f"min_cutoff must be in [0, 1), but got {min_cutoff}.")
        check_confidence(confidence)
        self._n_pilot_trials = n_pilot_trials
        self._min_rank_correlation = min_rank_correlation
        self._cutoff = cutoff
        self._confidence = confidence
        self._full_fraction = full_fraction
        self._promising = promising
        self._patience = patience
        self._min_cutoff = min_cutoff
        axes = [axis] if isinstance(axis, str) else list(axis)
        if not axes:
            raise ValueError("axis must name at least one axis, but got none.")
        share = 1.0 if extrapolate_by is None else extrapolate_by
        fits = [
            LabelFit(extrapolate_by=share, n_fit_points=n_fit_points, axis=name, shrink=shrink)
            for name in axes
        ]
        if extrapolate_by is None:
            self._fits = list(dict.fromkeys(one for fit in fits for one in fit.alternatives()))
            self._fixed_fit = replace(fits[0], extrapolate_by=0.5)
        else:
            self._fits, self._fixed_fit = fits, fits[0]
        self._told: set[tuple[str, str]] = set()
        self._learned: tuple[Hashable, Discrepancy] | None = None
        self._watched = WatchedTrials()

    def __repr__(self) -> str:
        """The call that makes it again."""
        return call_of(self)

    @guarded()
    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Whether the trial stops here; if so, its label is stored on it.

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
        discrepancy = self._discrepancy(rule, watched.full)
        label = discrepancy.label(curve, trial.params)
        stops = label is None or not self._trains_on(study, rule, watched.full, label, curve)
        if stops and label is not None:
            store_label(study, storage.trial_id(trial), curve.last_step, label)
        return watched.cutoff.decide(stops, curve.last_step, discrepancy.checkpoints)

    def watch(self, study: Study, trial: FrozenTrial) -> Watched:
        """What is known of a running trial that has reported; its rule is stored in the study.

        Raises:
            ValueError: If the study has several objectives.
        """
        watched = self._watched.find(study, trial)
        if watched is None:
            check_one_objective(study)
            trials = storage.trials(study)
            full = full_trials(t for t in trials if t.state == TrialState.COMPLETE)
            watched = Watched(trials, full, self._followed(study, full))
            self._watched.remember(study, trial, watched)
        backwards = watched.read(trial.intermediate_values)
        if backwards is not None:
            self._tell_once(
                study,
                "order",
                f"Trial {trial.number} reported step {backwards[0]} after step {backwards[1]}: "
                "curves are read in the order of the steps.",
            )
        return watched

    @checked
    @guarded()
    def label(self, trial: BaseTrial) -> float:
        """The long-term value of a trial, to return from an objective instead of raising.

        So every sampler learns from the trial, also those that make nothing of pruned ones::

            if trial.should_prune():
                return pruner.label(trial)

        A running trial that has not been stopped is extrapolated and marked, except one that
        has to run to the end (a pilot) or has come there: that gives its last value. A finished
        trial gives its label, or its value if it ran to the end.

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
        if not frozen.intermediate_values:
            raise ValueError(
                f"trial must have reported a value to be labelled, but trial {frozen.number} "
                f"has reported none."
            )
        curve = Curve.of(frozen.intermediate_values)
        if not isinstance(trial, Trial):
            alone = self._fixed_fit.label(curve)
            return math.nan if alone is None else alone.value
        full = full_trials(storage.trials(trial.study, COMPLETE, fresh=True))
        rule = self._followed(trial.study, full)
        if (
            rule is None
            or rule.cutoff is None
            or curve.last_step >= rule.end
            or self.runs_to_the_end(frozen)
        ):
            return float(frozen.intermediate_values[max(frozen.intermediate_values)])
        label = self._discrepancy(rule, full).label(curve, frozen.params)
        if label is None:
            return math.nan
        store_label(trial.study, storage.trial_id(trial), curve.last_step, label)
        return label.value

    @checked
    @guarded()
    def rule(self, study: Study) -> StoppingRule | None:
        """The rule that the study follows now; None while the pilots run.

        It is decided here if no trial has followed it yet. Nothing is written: that happens when
        a trial reports.

        Raises:
            ValueError: If the study has several objectives.
        """
        check_one_objective(study)
        return self._rule(study, full_trials(storage.trials(study, COMPLETE, fresh=True)))

    def _rule(self, study: Study, full: list[FrozenTrial]) -> StoppingRule | None:
        if self._cutoff is not None:
            end = last_step(with_whole_curves(full))
            return StoppingRule(cutoff=float(self._cutoff), end=end, fit=self._fixed_fit)
        n_pilots = self._n_deciding(len(full))
        if n_pilots == 0:
            return None
        stored = read_rule(storage.study_attributes(study), f"{RULE}{n_pilots}")
        return self._decide(study, full[:n_pilots]) if stored is None else stored

    def _followed(self, study: Study, full: list[FrozenTrial]) -> StoppingRule | None:
        """The rule, stored in the study so that all workers follow the same."""
        rule = self._rule(study, full)
        if rule is None:
            return None
        if report_in_another_unit(full):
            self._tell_once(
                study,
                "unit",
                "The values that full trials returned are far from their last reports: labels of "
                "stopped trials are made of reports, so report what the objective returns.",
            )
        if self._cutoff is not None:
            store_fixed(study, rule)
            if rule.cutoff is not None and rule.cutoff >= rule.end:
                self._tell_once(
                    study,
                    "fixed cutoff",
                    f"cutoff ({self._cutoff}) is not before the last step of the full trials "
                    f"({rule.end:.0f}), so no trial is stopped.",
                )
            return rule
        key = f"{RULE}{self._n_deciding(len(full))}"
        if store_decided(study, key, rule):
            self._tell_of(study, rule, full[: rule.n_pilots])
        return read_rule(storage.study_attributes(study), key)  # of who was last

    def _decide(self, study: Study, pilots: list[FrozenTrial]) -> StoppingRule:
        return decide(
            pilots,
            fits=self._fits,
            min_rank_correlation=self._min_rank_correlation,
            min_cutoff=self._min_cutoff,
            confidence=self._confidence,
            direction=direction_of(study),
        )

    def _tell_of(self, study: Study, rule: StoppingRule, full: list[FrozenTrial]) -> None:
        """Says what has changed by a new rule."""
        last = self._decided_by(len(full) - 1)[-1]
        before = read_rule(storage.study_attributes(study), f"{RULE}{last}")
        odd = sorted({t.number for t in full} - {t.number for t in with_whole_curves(full)})
        if odd:
            self._tell_once(
                study,
                "odd curves",
                f"The curves of trials {odd} start late, or end far from where the others end: "
                "they have no part in deciding where training stops.",
            )
        was = None if before is None else before.cutoff
        if rule.cutoff is None and (before is None or was is not None):
            self._tell_once(
                study,
                "no cutoff",
                f"No cutoff keeps a rank correlation of {self._min_rank_correlation} over "
                f"{len(full)} full trials: trials run to the end until more of them have ended.",
            )
        elif rule.cutoff is not None and was is not None and rule.cutoff > was:
            self._tell_once(
                study,
                "later cutoff",
                f"{len(full)} full trials show that step {was:g} is too early to rank the trials "
                f"of today: training now stops at step {rule.cutoff:g}.",
            )
        elif rule.cutoff is not None and rule.cutoff != was:
            _LOGGER.info(f"After {len(full)} full trials, training stops at step {rule.cutoff:g}.")

    def _n_deciding(self, n_full: int) -> int:
        """How many full trials decide: the pilots, half as many more each time, or a twentieth."""
        return self._decided_by(n_full)[-1]

    def _decided_by(self, n_full: int) -> list[int]:
        """The numbers of full trials that have decided so far, after 0."""
        numbers, n = [0], self._n_pilot_trials
        while n <= n_full:
            numbers.append(n)
            n += max(3, self._n_pilot_trials // 2, n // 20)
        return numbers

    def _discrepancy(self, rule: StoppingRule, full: list[FrozenTrial]) -> Discrepancy:
        """What the full trials tell of labels; it is kept until there are others."""
        key = (rule, *((storage.trial_id(t), t.value) for t in full))
        if self._learned is None or self._learned[0] != key:
            before = None if self._learned is None else self._learned[1]
            self._learned = key, Discrepancy(rule, full, before=before)
        return self._learned[1]

    def _trains_on(
        self,
        study: Study,
        rule: StoppingRule,
        full: list[FrozenTrial],
        label: Extrapolation,
        curve: Curve,
    ) -> bool:
        """Whether a trial with this label goes on past the cutoff."""
        if self._promising == 1.0:
            return False
        return (
            is_promising(study, label, full, self._promising)
            or leads_to_the_best(study, curve, full, rule)
            or is_due(study, label, full, whole=rule.end, patience=self._patience)
        )

    def runs_to_the_end(self, trial: FrozenTrial) -> bool:
        """Whether a trial is one of ``full_fraction``, or was enqueued as ``full_fidelity``."""
        if trial.user_attrs.get(FULL_FIDELITY):
            return True
        share = self._full_fraction
        return math.floor((trial.number + 1) * share) > math.floor(trial.number * share)

    def _tell_once(self, study: Study, about: str, message: str) -> None:
        """Warns, unless it has been said of this study before."""
        key = study.study_name, about
        if key not in self._told:
            self._told.add(key)
            _LOGGER.warning(message)
