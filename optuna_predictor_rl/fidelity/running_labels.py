"""What a trial teaches that is still running but has reported enough."""

from collections.abc import Callable

from optuna.study import Study
from optuna.trial import FrozenTrial

from optuna_predictor_rl.core.curves import Curve, Extrapolation
from optuna_predictor_rl.pruner import LowFidelityPruner

RunningLabel = Callable[[FrozenTrial], Extrapolation | None]
"""The long-term value of a running trial; None if it has not reported enough for one."""


def low_fidelity_pruner(
    study: Study, pruner: LowFidelityPruner | None = None
) -> LowFidelityPruner | None:
    """The given pruner; without it, the study's own, also inside one that drops trials."""
    if pruner is not None:
        return pruner
    inner = getattr(study.pruner, "pruner", study.pruner)
    return inner if isinstance(inner, LowFidelityPruner) else None


def running_label(study: Study) -> RunningLabel:
    """How the study's low-fidelity pruner labels running trials that have come to its cutoff.

    Those are the trials that run to their end all the same. Without such a pruner, or while its
    pilots run, no trial has reported enough.
    """
    pruner = low_fidelity_pruner(study)
    rule = None if pruner is None else pruner.rule(study)

    def label(trial: FrozenTrial) -> Extrapolation | None:
        curve = Curve.of(trial.intermediate_values)
        if rule is None or rule.cutoff is None or not curve.last_step >= rule.cutoff:
            return None
        return rule.label(curve)

    return label
