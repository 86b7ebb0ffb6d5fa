"""The pruners to compare, by name, and what samplers are told of a trial that one has stopped."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from optuna.pruners import (
    BasePruner,
    HyperbandPruner,
    MedianPruner,
    NopPruner,
    SuccessiveHalvingPruner,
    WilcoxonPruner,
)
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial

from benchmarks.fidelity.tasks import CurveTask
from optuna_predictor_rl import HopelessTrialPruner, LowFidelityPruner

FINALIST_SHARE = 0.1
SAMPLERS = ("random", "tpe", "gp", "predictor_rl")
READS_LABELS = ("predictor_rl",)
"""Samplers that read the label of a pruned trial, so the objective raises `TrialPruned` for them.
For others it returns the label, as the documentation of `LowFidelityPruner` says."""


class RungPruner(BasePruner):
    """The simplest rule of all: stops every trial at one share of the training."""

    def __init__(self, share: float, n_steps: int) -> None:
        self.step = ceil(share * n_steps)

    def prune(self, study: Study, trial: FrozenTrial) -> bool:  # noqa: ARG002 # Optuna's interface
        return (trial.last_step or 0) >= self.step


@dataclass(frozen=True)
class Arm:
    """A way to stop trials.

    Attributes:
        make: From the reports of a full training to a pruner with its defaults.
        from_optuna: Whether it is one of Optuna's own.
        of_samples: Whether it takes reports for samples of one mean.
        finalists: Share of the stopped trials, those with the lowest labels, that are trained in
            full at the end, from the start. Only for rules that let no trial train on.
    """

    make: Callable[[int], BasePruner]
    from_optuna: bool = False
    of_samples: bool = False
    finalists: float = 0.0

    def applies_to(self, task: CurveTask) -> bool:
        """Return whether what the pruner assumes of reports holds on the task.

        `WilcoxonPruner` compares two trials report by report, as samples of one mean. Where each
        report is on the same data and the last one is the result, that is no test of anything.
        """
        return task.reports_are_samples or not self.of_samples


def _paper(_: int) -> BasePruner:
    make: Callable[[], BasePruner] | None = getattr(LowFidelityPruner, "paper", None)
    if make is None:
        raise AttributeError(
            "pruner 'paper' needs LowFidelityPruner.paper(), which this version of "
            "optuna_predictor_rl does not have."
        )
    return make()


def _rung(share: float) -> Callable[[int], BasePruner]:
    return lambda n_steps: RungPruner(share, n_steps)


RUNGS = {f"rung_1/{n}": Arm(_rung(1 / n), finalists=FINALIST_SHARE) for n in (16, 8, 4, 2)}
ARMS = {
    "none": Arm(lambda _: NopPruner()),
    "low_fidelity": Arm(lambda _: LowFidelityPruner()),
    "rungs": Arm(lambda _: LowFidelityPruner(rule="rungs")),
    "paper": Arm(_paper, finalists=FINALIST_SHARE),
    "median": Arm(lambda _: MedianPruner(), from_optuna=True),
    "successive_halving": Arm(lambda _: SuccessiveHalvingPruner(), from_optuna=True),
    "hyperband": Arm(lambda _: HyperbandPruner(), from_optuna=True),
    "wilcoxon": Arm(lambda _: WilcoxonPruner(), from_optuna=True, of_samples=True),
    **RUNGS,
    "hopeless": Arm(lambda _: HopelessTrialPruner(LowFidelityPruner())),
}


def label_of_stopped(trial: Trial, pruner: BasePruner, last: float) -> float | None:
    """Return the final value to expect of a stopped trial; None for a pruner that tells none.

    Args:
        trial: The stopped trial.
        pruner: That stopped it.
        last: Value of the last report.
    """
    if isinstance(pruner, LowFidelityPruner | HopelessTrialPruner):
        return pruner.label(trial)
    return last if isinstance(pruner, RungPruner) else None


def returns_labels(pruner: BasePruner, sampler: str) -> bool:
    """Return whether the objective returns the label, not raises `TrialPruned`."""
    return isinstance(pruner, RungPruner) or sampler not in READS_LABELS
