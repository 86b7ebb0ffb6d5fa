"""What is left between the labels of stopped trials and final values, learned from full trials.

A label is taken for the final value without what the training after it would still have changed.
That depends on the configuration: a search that believes its labels ends where they flatter, and
passes by where they do not. The trials that ran to their end tell both, so the difference can be
modelled: a share of what the slope of the curve promises, and a process over the parameters
(Kennedy and O'Hagan, 2000, "Predicting the output from a complex computer code when fast
approximations are available").
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
from optuna_predictor_rl.core.encoding import Encoding
from optuna_predictor_rl.core.predictor.gaussian_process import (
    GaussianProcess,
    fit_gaussian_process,
)
from optuna_predictor_rl.core.predictor.hyperparameters import KernelPrior
from optuna_predictor_rl.core.space import Categorical
from optuna_predictor_rl.fidelity.cutoff_rule import StoppingRule
from optuna_predictor_rl.fidelity.full_curves import checkpoints, nearest, with_whole_curves
from optuna_predictor_rl.study.distributions import known_part, to_space
from optuna_predictor_rl.study.objective import trial_values
from optuna_predictor_rl.study.ranges import modelled

MIN_FULL = 5
"""Full trials without which all configurations are taken to have the same difference."""

MAX_FULL = 200
"""The latest full trials that are learned from."""

NEAR = KernelPrior(lengthscale=0.08, lengthscale_spread=0.4)
"""Only near configurations share their difference: ten pilots far apart tell of no trend."""

TREND_PRIOR = 2.0
"""How many full trials weigh as much as the belief that curves do not go on as they end."""

CLIPPED = 10.0
"""Percent of the differences at either end that are clipped: diverged trials teach nothing."""

DOUBT = 2.0
"""How many of its standard errors the predictor takes a label to be off by, as a deviation."""

FAR_OFF = 0.15
"""And what share of its distance to the best full value: bad trials are never trained to the end,
so that nothing tells what such curves still gain."""


def error_of(label: Extrapolation, best: float) -> float:
    """Standard deviation of a label's error, as the predictor should know it.

    Args:
        label: That full trials lead to expect.
        best: The best full value.
    """
    return math.hypot(DOUBT * label.std, FAR_OFF * (label.value - best))


@dataclass(frozen=True)
class _Read:
    """A full trial's curve, with its label and what lies ahead of it at steps asked for so far."""

    trial: FrozenTrial
    curve: Curve
    at: dict[float, tuple[float, float]]


class Discrepancy:
    """Final values less the labels that trials had at a step, as slopes and parameters tell them.

    A line in what Eq. (2) adds up to the end, and a Gaussian process of short lengthscales over
    what it leaves: the differences at the cutoff decide these, those at the step that is asked
    for are what it interpolates.

    Args:
        rule: How labels are made.
        full: Trials that ran to their end, in the order in which they ended.
        before: What was learned earlier; curves that it has read are not read again.

    Attributes:
        checkpoints: The steps at which differences are learned; between them the nearest counts.
    """

    @np.errstate(over="ignore", invalid="ignore")  # of values near the largest float
    def __init__(
        self,
        rule: StoppingRule,
        full: Sequence[FrozenTrial],
        *,
        before: Discrepancy | None = None,
    ) -> None:
        finite = [t for t in full if t.value is not None and math.isfinite(t.value)][-MAX_FULL:]
        finite = with_whole_curves(finite)
        wide = modelled(finite, {})
        self._space = to_space({name: d for name, d in wide.items() if not d.single()})
        inside = [trial for trial in finite if known_part(trial.params, self._space)]
        kept = inside if len(inside) >= MIN_FULL else finite
        self._rule = rule
        self._finals = trial_values(kept)
        known = {} if before is None else before.read_for(rule)
        self._read = [
            known.get(id(trial)) or _Read(trial, Curve.of(trial.intermediate_values), {})
            for trial in kept
        ]
        self._curves = [read.curve for read in self._read]
        self._encoding = Encoding(self._space)
        self._process = self._fit([t.params for t in inside]) if kept is inside else None
        self._learned: dict[float, _Differences] = {}
        self.checkpoints = checkpoints(self._curves, rule.cutoff)

    @np.errstate(over="ignore", invalid="ignore")
    def label(self, curve: Curve, params: Mapping[str, Any]) -> Extrapolation | None:
        """The final value that is expected of a training; None if its curve diverged.

        Args:
            curve: As far as it was trained.
            params: Of its trial. Outside of all ranges that full trials have had, it is taken to
                have their median difference.

        Returns:
            Eq. (2), and what the difference is expected to add up to the end of a whole training.
            Its standard error is that of the difference; the fit's without full trials.
        """
        label = self._rule.label(curve)
        if label is None or len(self._finals) == 0:
            return label
        mean, std = self._expected(curve, params)
        value = label.value + mean
        if not math.isfinite(value):
            return label
        return replace(label, value=value, std=std, step=self._rule.end)

    def _expected(self, curve: Curve, params: Mapping[str, Any]) -> tuple[float, float]:
        step = nearest(self.checkpoints, curve.last_step)
        if step not in self._learned:
            differences, ahead = self._differences(step)
            self._learned[step] = _Differences.of(differences, ahead, self._process)
        known = self._is_known(params)
        return self._learned[step].expected(
            self._ahead(curve), self._encode([params]) if known else None
        )

    def _fit(self, params: Sequence[Mapping[str, Any]]) -> GaussianProcess | None:
        middle = float(np.median([curve.last_step for curve in self._curves])) / 2
        step = middle if self._rule.cutoff is None else self._rule.cutoff
        raw, ahead = self._differences(step)
        differences = _clipped(raw - _trend(raw, ahead) * ahead)
        scale = differences.std()
        if not 1e-12 * np.abs(differences).max() < scale < math.inf:
            return None
        z = (differences - differences.mean()) / scale
        columns = self._encoding.column_feature
        return fit_gaussian_process(self._encode(params), z, columns, prior=NEAR)

    def _is_known(self, params: Mapping[str, Any]) -> bool:
        """Whether full trials have had such parameters: the process is not to extrapolate."""
        part = known_part(params, self._space)
        shared = [d for d in self._space.decisions if d.name in params]
        return len(part) == len(shared) > 0 and all(
            isinstance(d, Categorical) or d.low <= part[d.name] <= d.high for d in shared
        )

    def _encode(self, params: Sequence[Mapping[str, Any]]) -> Float[ndarray, "n c"]:
        return self._encoding(self._space.rows([known_part(p, self._space) for p in params]))

    def _differences(self, step: float) -> tuple[Float[ndarray, " n"], Float[ndarray, " n"]]:
        """Of each full trial, and how far its curve would go on; the median for one without."""
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

    def read_for(self, rule: StoppingRule) -> dict[int, _Read]:
        """What was read of trials, by their identity, if the rule labels alike."""
        if (self._rule.fit, self._rule.end) != (rule.fit, rule.end):
            return {}
        return {id(read.trial): read for read in self._read}

    def _ahead(self, curve: Curve) -> float:
        """What Eq. (2) adds to a curve up to the end of a whole training."""
        if curve.diverged or len(curve) < 2:
            return 0.0
        fit = self._rule.fit
        end = self._rule.at_the_end(curve, axis=fit.axis, shrink=fit.shrink)
        ahead = end - float(curve.values[-1])
        return ahead if math.isfinite(ahead) else 0.0


_LATEST: WeakKeyDictionary[Study, tuple[StoppingRule, list[FrozenTrial], Discrepancy]] = (
    WeakKeyDictionary()
)


def discrepancy_of(study: Study, rule: StoppingRule, full: list[FrozenTrial]) -> Discrepancy:
    """What a study's full trials tell; it is kept for as long as rule and trials are the same."""
    last = _LATEST.get(study)
    if last is not None and last[0] == rule and _are_same(last[1], full):
        return last[2]
    found = Discrepancy(rule, full, before=None if last is None else last[2])
    _LATEST[study] = rule, full, found
    return found


def _are_same(known: list[FrozenTrial], full: list[FrozenTrial]) -> bool:
    return len(known) == len(full) and all(a is b for a, b in zip(known, full, strict=True))


def _clipped(differences: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
    low = np.percentile(differences, CLIPPED, method="higher")
    return np.clip(differences, low, np.percentile(differences, 100.0 - CLIPPED, method="lower"))


def _trend(differences: Float[ndarray, " n"], ahead: Float[ndarray, " n"]) -> float:
    """How much of what lies ahead trials come to gain: least squares, shrunk towards nothing."""
    x, y = _clipped(ahead), _clipped(differences)
    x, y = x - x.mean(), y - y.mean()
    variance = float(x @ x)
    if not 0 < variance < math.inf:
        return 0.0
    return max(0.0, float(x @ y) / variance * len(x) / (len(x) + TREND_PRIOR))


@dataclass(frozen=True)
class _Differences:
    """The differences at one step.

    Args:
        trend: How much a trial gains for each unit that lies ahead of it.
        reach: The range of what lies ahead of full trials, but for a tenth at either end.
        median: Of what the trend leaves of the differences of full trials.
        spread: Its standard deviation, blind to a few outliers.
        mean: What the process calls 0.
        scale: What it calls 1.
        process: Over the encoded parameters; None if they tell nothing.
    """

    trend: float
    reach: tuple[float, float]
    median: float
    spread: float
    mean: float
    scale: float
    process: GaussianProcess | None

    @classmethod
    def of(
        cls,
        differences: Float[ndarray, " n"],
        ahead: Float[ndarray, " n"],
        process: GaussianProcess | None,
    ) -> _Differences:
        trend = _trend(differences, ahead)
        left = differences - trend * ahead
        median, clipped = float(np.median(left)), _clipped(left)
        # 1.4826 median absolute deviations are the standard deviation of a normal distribution.
        spread = 1.4826 * float(np.median(np.abs(left - median)))
        mean, scale = float(clipped.mean()), float(clipped.std())
        if process is not None and 0 < scale < math.inf:
            process = process.relabelled((clipped - mean) / scale)
        within = _clipped(ahead)
        reach = float(within.min()), float(within.max())
        return cls(trend, reach, median, spread, mean, scale, process)

    def expected(self, ahead: float, x: Float[ndarray, "1 c"] | None) -> tuple[float, float]:
        """Mean and standard deviation of a trial's difference."""
        gain = self.trend * min(max(ahead, self.reach[0]), self.reach[1])
        if x is None or self.process is None or not 0 < self.scale < math.inf:
            return gain + self.median, self.spread
        mean, std = self.process.predict(x)
        noisy = math.sqrt(float(std[0]) ** 2 + self.process.noise)
        return gain + self.mean + self.scale * float(mean[0]), self.scale * noisy
