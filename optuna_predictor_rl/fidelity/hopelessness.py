"""Which trials are hopeless before the cutoff, by the errors of the pilots' labels."""

import math
from collections.abc import Sequence

import numpy as np
import scipy
from jaxtyping import Float
from numpy import ndarray
from optuna.study import Study
from optuna.trial import FrozenTrial

from optuna_predictor_rl.core.curves import Curve
from optuna_predictor_rl.core.curves.cutoff import worst_value
from optuna_predictor_rl.core.curves.label import labels_at
from optuna_predictor_rl.fidelity.continuation import FINISHED
from optuna_predictor_rl.fidelity.cutoff_rule import StoppingRule
from optuna_predictor_rl.fidelity.full_curves import checkpoints, nearest
from optuna_predictor_rl.fidelity.labels import is_full, stored_label
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.objective import direction_of, sign_of, trial_values


class PilotErrors:
    """Final values less labels of the pilots, by the step at which the labels are taken.

    Args:
        study: Of the pilots.
        rule: That they decided.
        full: The study's full trials, in the order they ended in; the first are the pilots.

    Attributes:
        checkpoints: The steps at which errors are known; between them the nearest counts.
    """

    def __init__(self, study: Study, rule: StoppingRule, full: Sequence[FrozenTrial]) -> None:
        pilots = full[: rule.n_pilots]
        self._rule = rule
        self._worst = worst_value(direction_of(study))
        self._curves = [Curve.of(trial.intermediate_values) for trial in pilots]
        self._finals = trial_values(pilots)
        self._known: dict[float, Float[ndarray, " n"]] = {}
        self.checkpoints = checkpoints(self._curves, rule.cutoff)

    def final_value(self, curve: Curve) -> tuple[float, float] | None:
        """Return mean and scale of the Student-t distribution of a training's final value.

        None if the curve has no label, or fewer than three pilots have one at its step.
        """
        label = self._rule.label(curve)
        step = nearest(self.checkpoints, curve.last_step)
        with np.errstate(over="ignore", invalid="ignore"):  # values near the largest float
            if step not in self._known:
                then = labels_at(self._curves, step, self._rule.fit, self._worst)
                errors = self._finals - then
                self._known[step] = errors[np.isfinite(errors)]
            errors = self._known[step]
            if label is None or len(errors) < 3:
                return None
            mean = label.value + float(errors.mean())
            # The error of one more trial: that of the pilots' mean, and its own.
            scale = float(errors.std(ddof=1)) * math.sqrt(1 + 1 / len(errors))
        return (mean, scale) if math.isfinite(mean) and math.isfinite(scale) else None

    def is_hopeless(self, study: Study, curve: Curve, probability: float) -> bool:
        """Return whether a trial is so likely to end in the worse half of the finished trials."""
        expected = self.final_value(curve)
        if expected is None:
            return False
        finished = storage.trials(study, FINISHED)
        known = [t.value if is_full(t) else stored_label(t) for t in finished]
        median = float(np.median([value for value in known if value is not None]))
        margin = sign_of(study) * (expected[0] - median)
        if expected[1] == 0:
            return margin > 0
        certainty = scipy.stats.t.cdf(margin / expected[1], df=self._rule.n_pilots - 1)
        return float(certainty) > probability
