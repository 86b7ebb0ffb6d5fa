"""The one way to a label: Eq. (2), and what full trials show that it misses.

Eq. (2) ignores what the rest of the training would have changed. That depends on the
configuration, so a search that trusts biased labels converges to configurations whose labels are
too good. Full trials have both a label and a final value, so we model their difference (Kennedy
and O'Hagan, 2000, "Predicting the output from a complex computer code when fast approximations
are available"):

| symbol | code          | meaning                                                             |
|--------|---------------|---------------------------------------------------------------------|
| s      | `step`        | step at which a training stands, to the nearest checkpoint          |
| y      | `finals`      | final value of a full trial                                         |
| l      | `label`       | Eq. (2) at step s, by the rule's fit                                |
| d      | `differences` | y - l of each full trial                                            |
| a      | `ahead`       | what Eq. (2) adds from the value at step s up to the end            |
| b      | `trend`       | share of a that trials gain, learned at s                           |
| r      | `residuals`   | d - b a                                                             |
| g      | `process`     | Gaussian process of r over the parameters, with short lengthscales  |

A label is l + b a + g, or l + b a + median(r) where no full trial had such parameters. The
residuals at the cutoff decide the lengthscales of g, those at s are what it interpolates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from optuna.study import Study
from optuna.trial import FrozenTrial

from optuna_predictor_rl.core.curves import Curve, Extrapolation
from optuna_predictor_rl.core.curves.label import labels_at
from optuna_predictor_rl.core.decisions import Categorical
from optuna_predictor_rl.core.encoding import Encoding
from optuna_predictor_rl.core.predictor.gaussian_process import (
    GaussianProcess,
    fit_gaussian_process,
)
from optuna_predictor_rl.core.predictor.hyperparameters import KernelPrior
from optuna_predictor_rl.fidelity.cutoff_rule import StoppingRule
from optuna_predictor_rl.fidelity.differences import StepDifferences, clipped, fit_trend
from optuna_predictor_rl.fidelity.full_curves import checkpoints, nearest, with_full_curves
from optuna_predictor_rl.study.distributions import known_part, to_space
from optuna_predictor_rl.study.objective import trial_values
from optuna_predictor_rl.study.ranges import modelled
from optuna_predictor_rl.study.storage import trial_id

MIN_FULL = 5
"""Full trials without which all configurations are taken to have the same difference."""

MAX_FULL = 200
"""The latest full trials that are learned from."""

NEAR = KernelPrior(lengthscale=0.08, lengthscale_spread=0.4)
"""Only near configurations share their residual: ten pilots far apart show no pattern. With long
lengthscales, labels of random configurations lose up to .36 of tau on DHEN (docs/results.md)."""

LABEL_STD_FACTOR = 2.0
"""The predictor's standard deviation of a label, in standard errors of the label."""

BEST_DISTANCE_FACTOR = 0.15
"""The part of it that grows with the label's distance to the best full value, as a share of the
distance: bad trials never train to the end, so nothing shows what such curves still gain.

Of 1,724 labels of 14 searches a tenth were off by more than 7.6 of their standard errors, mostly
those far from the best, by about a seventh of the distance. With both factors it is 1.4, and 1.6
in a normal distribution (docs/results.md)."""


def predictor_std(label: Extrapolation, best: float) -> float:
    """Return the standard deviation of a label's error that the predictor is told.

    Args:
        label: Of a `LabelCorrection`.
        best: The best full value.
    """
    return math.hypot(LABEL_STD_FACTOR * label.std, BEST_DISTANCE_FACTOR * (label.value - best))


@dataclass(frozen=True)
class _ReadCurve:
    """A full trial's curve, and its `l` and `a` at the steps asked for so far."""

    trial_id: int
    curve: Curve
    at: dict[float, tuple[float, float]]


class LabelCorrection:
    """The labels that a rule and the full trials lead to.

    Args:
        rule: How a curve is extrapolated.
        full: Full trials, in the order they ended in.
        before: An earlier correction; curves that it has read are not read again.

    Attributes:
        checkpoints: The steps at which differences are learned; between them the nearest counts.
    """

    @np.errstate(over="ignore", invalid="ignore")  # of values near the largest float
    def __init__(
        self,
        rule: StoppingRule,
        full: Sequence[FrozenTrial],
        *,
        before: LabelCorrection | None = None,
    ) -> None:
        finite = [t for t in full if t.value is not None and math.isfinite(t.value)][-MAX_FULL:]
        finite = with_full_curves(finite)
        wide = modelled(finite, {})
        self._space = to_space({name: d for name, d in wide.items() if not d.single()})
        inside = [trial for trial in finite if known_part(trial.params, self._space)]
        kept = inside if len(inside) >= MIN_FULL else finite
        self._rule = rule
        self._finals = trial_values(kept)
        known = {} if before is None else before._read_alike(rule)
        self._read = [
            known.get(trial_id(trial))
            or _ReadCurve(trial_id(trial), Curve.of(trial.intermediate_values), {})
            for trial in kept
        ]
        curves = [read.curve for read in self._read]
        self._encoding = Encoding(self._space)
        self._process = self._fit_process([t.params for t in inside]) if kept is inside else None
        self._learned: dict[float, StepDifferences] = {}
        self.checkpoints = checkpoints(curves, rule.cutoff)

    @np.errstate(over="ignore", invalid="ignore")
    def label(self, curve: Curve, params: Mapping[str, Any]) -> Extrapolation | None:
        """Return the final value to expect of a training; None if its curve diverged.

        Args:
            curve: As far as it was trained.
            params: Of its trial.

        Returns:
            The label at the end of a full training, with the standard error of the difference;
            without full trials Eq. (2), with that of its fit.
        """
        label = self._rule.label(curve)
        if label is None or len(self._finals) == 0:
            return label
        step = nearest(self.checkpoints, curve.last_step)
        if step not in self._learned:
            self._learned[step] = StepDifferences.of(*self._differences(step), self._process)
        x = self._encode([params]) if self._is_inside(params) else None
        mean, std = self._learned[step].expected(self._ahead(curve), x)
        value = label.value + mean
        if not math.isfinite(value):
            return label
        return replace(label, value=value, std=std, step=self._rule.end)

    def _fit_process(self, params: Sequence[Mapping[str, Any]]) -> GaussianProcess | None:
        """Fit `g` to the residuals at the cutoff; None if they do not differ."""
        middle = float(np.median([read.curve.last_step for read in self._read])) / 2
        step = middle if self._rule.cutoff is None else self._rule.cutoff
        differences, ahead = self._differences(step)
        residuals = clipped(differences - fit_trend(differences, ahead) * ahead)
        scale = residuals.std()
        # Residuals that differ by rounding alone would be fitted as a pattern.
        if not 1e-12 * np.abs(residuals).max() < scale < math.inf:
            return None
        z = (residuals - residuals.mean()) / scale
        columns = self._encoding.column_feature
        return fit_gaussian_process(self._encode(params), z, columns, prior=NEAR)

    def _is_inside(self, params: Mapping[str, Any]) -> bool:
        """Return whether full trials had such parameters: the process is not to extrapolate."""
        part = known_part(params, self._space)
        shared = [d for d in self._space.decisions if d.name in params]
        return len(part) == len(shared) > 0 and all(
            isinstance(d, Categorical) or d.low <= part[d.name] <= d.high for d in shared
        )

    def _encode(self, params: Sequence[Mapping[str, Any]]) -> Float[ndarray, "n c"]:
        return self._encoding(self._space.rows([known_part(p, self._space) for p in params]))

    def _differences(self, step: float) -> tuple[Float[ndarray, " n"], Float[ndarray, " n"]]:
        """Return `d` of each full trial, the median for one without a label, and `a`."""
        for read in self._read:
            if step not in read.at:
                (label,) = labels_at([read.curve], step, self._rule.fit, math.nan)
                read.at[step] = float(label), self._ahead(read.curve.until(step))
        labels, ahead = np.array([read.at[step] for read in self._read]).reshape(-1, 2).T
        differences = self._finals - labels
        known = np.isfinite(differences)
        if not known.any():
            return np.zeros(len(differences)), ahead
        return np.where(known, differences, np.median(differences[known])), ahead

    def _ahead(self, curve: Curve) -> float:
        """Return what Eq. (2) adds to a curve up to the end of a full training."""
        if curve.diverged or len(curve) < 2:
            return 0.0
        fit = self._rule.fit
        end = self._rule.value_at_end(curve, axis=fit.axis, shrink=fit.shrink)
        ahead = end - float(curve.values[-1])
        return ahead if math.isfinite(ahead) else 0.0

    def _read_alike(self, rule: StoppingRule) -> dict[int, _ReadCurve]:
        """Return what was read of trials, by identifier, if a rule extrapolates alike."""
        if (self._rule.fit, self._rule.end) != (rule.fit, rule.end):
            return {}
        return {read.trial_id: read for read in self._read}


_Key = tuple[StoppingRule, list[tuple[int, float | None]]]
_LATEST: WeakKeyDictionary[Study, tuple[_Key, LabelCorrection]] = WeakKeyDictionary()


def correction_of(
    study: Study, rule: StoppingRule, full: Sequence[FrozenTrial]
) -> LabelCorrection:
    """Return a study's correction, which is kept for as long as rule and trials are the same."""
    key = rule, [(trial_id(trial), trial.value) for trial in full]
    last = _LATEST.get(study)
    if last is not None and last[0] == key:
        return last[1]
    found = LabelCorrection(rule, full, before=None if last is None else last[1])
    _LATEST[study] = key, found
    return found
