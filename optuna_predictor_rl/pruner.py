"""An Optuna pruner that stops trials early and labels them with the value they would come to."""

import math
from collections.abc import Sequence
from typing import Literal

from optuna.logging import get_logger
from optuna.pruners import BasePruner
from optuna.study import Study
from optuna.trial import BaseTrial, FrozenTrial, Trial, TrialState

from optuna_predictor_rl.core.curves import AxisName, Curve
from optuna_predictor_rl.fidelity.cutoff_pruning import CutoffPruning
from optuna_predictor_rl.fidelity.cutoff_rule import StoppingRule
from optuna_predictor_rl.fidelity.labels import stored_label
from optuna_predictor_rl.fidelity.rung_pruning import RungPruning
from optuna_predictor_rl.fidelity.settings import settings_of
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.attributes import FULL_FIDELITY
from optuna_predictor_rl.study.objective import check_one_objective
from optuna_predictor_rl.support.checked import check_at_least, checked
from optuna_predictor_rl.support.guard import guarded
from optuna_predictor_rl.support.once import WarnOnce
from optuna_predictor_rl.support.representation import call_of, remembering

_LOGGER = get_logger(f"optuna.{__name__}")


@checked
class LowFidelityPruner(BasePruner):
    """Stop trials early, and label them with the final value to expect.

    The rule `"cutoff"` is that of Yin et al. (2024), section 3.1, which `paper` has as published:
    the first trials, the pilots, train to the end, and show the earliest step at which the
    extrapolated value ranks them as the end does. Later trials stop there, unless promising.

    The rule `"rungs"` compares trials after a 64th, a 16th and a quarter of a full training. From
    the fourth full trial on, one trains past a rung if it is among the best quarter of the latest
    trials there, and if it may beat the best full trial by a gain worth having. A rung whose order
    disagrees with later ones stops none. A tenth of all steps shows what learns late.

    A stopped trial carries its label in the user attribute `predictor_rl:low_fidelity_label`.
    Decisions follow from the trials that are stored, so that all workers, and a study that is
    resumed, decide alike. A trial that is enqueued with the user attribute `full_fidelity` trains
    to the end, as the finalists of a search do.

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
        >>> study = optuna.create_study(pruner=LowFidelityPruner(rule="rungs"))
        >>> for level in (0.2, 0.4, 0.6, 0.8):
        ...     study.enqueue_trial({"level": level})
        >>> study.optimize(objective, n_trials=4)
        >>> study.trials[3].user_attrs["predictor_rl:fidelity"]
        1
        >>> study.enqueue_trial({"level": 0.8}, user_attrs={"full_fidelity": True})
        >>> study.optimize(objective, n_trials=1)
        >>> study.trials[4].last_step
        10
    """

    @remembering
    def __init__(
        self,
        *,
        rule: Literal["cutoff", "rungs"] = "cutoff",
        n_steps: int | None = None,
        n_pilot_trials: int | None = None,
        min_rank_correlation: float | None = None,
        min_cutoff: float | None = None,
        cutoff: int | None = None,
        n_fit_points: int | None = None,
        extrapolate_by: float | None = None,
        axis: AxisName | Sequence[AxisName] | None = None,
        shrink: float | None = None,
        confidence: float | None = None,
        full_fraction: float | None = None,
        promising: float | None = None,
        patience: float | None = None,
    ) -> None:
        """Check and keep the settings.

        Args:
            rule: Which trials stop. All other arguments but `n_steps` are of the cutoff.
            n_steps: The last step of a full training, of which rungs are shares. None takes the
                longest that has been seen.
            n_pilot_trials: Full trials before the cutoff is decided, 6 by default. Not used with
                `cutoff`.
            min_rank_correlation: Kendall's tau that the lower confidence bound has to keep, 0.75
                by default.
            min_cutoff: Share of the full training before which no cutoff is chosen, 0.33 by
                default: pilots are easier to rank than what a search ends with. Not used with
                `cutoff`.
            cutoff: A fixed step at which to stop, instead of one that the pilots decide.
            n_fit_points: Points at the end of the curve for the fit, Eq. (1), 5 by default.
            extrapolate_by: Delta x of Eq. (2) as a share of the steps trained so far; never past
                the end of the full trainings. None lets the pilots choose it, and how much of the
                curve is smoothed: noisy curves bear less. With `cutoff`, None is 0.5.
            axis: `"log"`, the default, a line in the logarithm of the step; `"linear"`, as in the
                paper; see `extrapolate`. Of several, the pilots choose. Without `extrapolate_by`
                they choose the value as it stands, unless another way ranks them clearly better.
            shrink: How little of a noisy slope is kept, 0 for all as in the paper, 25 by default;
                see `extrapolate`.
            confidence: Of the two-sided interval of tau, by a bootstrap over the pilots; 0.8 by
                default.
            full_fraction: Share of the trials that train to the end whatever they report, 0 by
                default. With every few of them the rule is decided anew, in case the search drifts
                towards configurations that the cutoff ranks badly.
            promising: A trial trains past the cutoff for as long as it is at least this likely
                to beat the best full value, or would if its curve went on straight; 0.05 by
                default. 1 stops every trial, as in the paper.
            patience: Once the trials stopped since the last full one have cost this many full
                trainings, 1 by default, one whose label is among their best fifth trains on as
                well: it shows what labels miss where the search is now. Infinite for never; not
                used if `promising` is 1.

        Raises:
            ValueError: If an argument is out of its range, or of the other rule.
        """
        if n_steps is not None:
            check_at_least(1, n_steps=n_steps)
        given = {
            "n_pilot_trials": n_pilot_trials,
            "min_rank_correlation": min_rank_correlation,
            "min_cutoff": min_cutoff,
            "cutoff": cutoff,
            "n_fit_points": n_fit_points,
            "extrapolate_by": extrapolate_by,
            "axes": (axis,) if isinstance(axis, str) else axis,
            "shrink": shrink,
            "confidence": confidence,
            "full_fraction": full_fraction,
            "promising": promising,
            "patience": patience,
        }
        warn_once, self._settings = WarnOnce(_LOGGER), settings_of(given)
        others = {"n_steps": n_steps} if rule == "cutoff" else given
        if wrong := sorted(name for name, value in others.items() if value is not None):
            raise ValueError(f"rule={rule!r} must be without the other rule's {wrong}.")
        self.by_cutoff = CutoffPruning(self._settings, warn_once) if rule == "cutoff" else None
        self._pruning = self.by_cutoff or RungPruning(n_steps, warn_once)

    @classmethod
    @checked
    def paper(
        cls,
        *,
        n_pilot_trials: int = 6,
        min_rank_correlation: float = 0.75,
        extrapolate_by: float = 0.4,
    ) -> "LowFidelityPruner":
        """Return the rule of the paper as published: a linear axis, and every trial stops.

        Slopes are kept as fitted, and the cutoff may be any step. For errors see the constructor.
        """
        return cls(
            n_pilot_trials=n_pilot_trials,
            min_rank_correlation=min_rank_correlation,
            min_cutoff=0.0,
            extrapolate_by=extrapolate_by,
            axis="linear",
            shrink=0.0,
            promising=1.0,
        )

    def __repr__(self) -> str:
        """Return the call that makes it again."""
        return call_of(self)

    @guarded()
    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Return whether the trial stops here, with its label; without one if it diverged.

        Raises:
            ValueError: If the study has several objectives.
        """
        if not trial.intermediate_values:
            check_one_objective(study)
            return False
        return self._pruning.prune(study, trial)

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
            curve = Curve.of(reports)
            alone = self._settings.default_fit.label(curve)
            return math.nan if alone is None else alone.value
        label = None
        if not frozen.user_attrs.get(FULL_FIDELITY):
            label = self._pruning.label_of(trial.study, frozen)
        return float(reports[max(reports)]) if label is None else label

    @checked
    @guarded()
    def rule(self, study: Study) -> StoppingRule | None:
        """Return the rule of a cutoff that the study follows now.

        None while the pilots train, and if rungs decide. It is decided here if no trial has
        followed it yet. Nothing is written: that happens when a trial reports.

        Raises:
            ValueError: If the study has several objectives.
        """
        check_one_objective(study)
        return None if self.by_cutoff is None else self.by_cutoff.rule(study)
