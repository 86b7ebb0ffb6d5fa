"""The settings of a low-fidelity pruner, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from optuna_predictor_rl.core.curves import AxisName, LabelFit
from optuna_predictor_rl.core.curves.cutoff import check_confidence
from optuna_predictor_rl.support.checked import check_at_least


@dataclass(frozen=True, kw_only=True)
class LowFidelitySettings:
    """What a `LowFidelityPruner` is asked for; its constructor describes each setting.

    Comments give the measurements that set a default (docs/results.md, "Low fidelity").

    Raises:
        ValueError: If a setting is out of its range.
    """

    n_pilot_trials: int
    min_rank_correlation: float
    # Mean regret after 50 trainings is .032 with 0.2 and .020 with 0.33.
    min_cutoff: float
    cutoff: int | None
    n_fit_points: int
    extrapolate_by: float | None
    axes: Sequence[AxisName]
    shrink: float
    confidence: float
    full_fraction: float
    # Neither 0.01 nor 0.1 improves on 0.05.
    promising: float
    patience: float

    def __post_init__(self) -> None:
        check_at_least(3, n_pilot_trials=self.n_pilot_trials)
        if self.cutoff is not None:
            check_at_least(1, cutoff=self.cutoff)
        check_confidence(self.confidence)
        for name, interval, is_inside in (
            ("min_rank_correlation", "in (0, 1]", 0 < self.min_rank_correlation <= 1),
            ("min_cutoff", "in [0, 1)", 0 <= self.min_cutoff < 1),
            ("full_fraction", "in [0, 1]", 0 <= self.full_fraction <= 1),
            ("promising", "in (0, 1]", 0 < self.promising <= 1),
            ("patience", "positive", self.patience > 0),
        ):
            if not is_inside:
                raise ValueError(f"{name} must be {interval}, but got {getattr(self, name)}.")
        if not self.axes:
            raise ValueError("axis must name at least one axis, but got none.")
        _ = self.fits  # `LabelFit` checks the settings that are left

    @cached_property
    def fits(self) -> list[LabelFit]:
        """Return the ways of labelling among which the pilots choose, the preferred one first."""
        fits = [self._fit(axis) for axis in self.axes]
        if self.extrapolate_by is None:
            fits = list(dict.fromkeys(one for fit in fits for one in fit.alternatives()))
        return fits

    @property
    def default_fit(self) -> LabelFit:
        """Return the way of labelling where no pilots choose one."""
        fit = self._fit(self.axes[0])
        return replace(fit, extrapolate_by=0.5) if self.extrapolate_by is None else fit

    def _fit(self, axis: AxisName) -> LabelFit:
        return LabelFit(
            extrapolate_by=1.0 if self.extrapolate_by is None else self.extrapolate_by,
            n_fit_points=self.n_fit_points,
            axis=axis,
            shrink=self.shrink,
        )


DEFAULTS: dict[str, Any] = {
    "n_pilot_trials": 6,
    "min_rank_correlation": 0.75,
    "min_cutoff": 0.33,
    "cutoff": None,
    "n_fit_points": 5,
    "extrapolate_by": None,
    "axes": ("log",),
    "shrink": 25.0,
    "confidence": 0.8,
    "full_fraction": 0.0,
    "promising": 0.05,
    "patience": 1.0,
}


def settings_of(given: Mapping[str, Any]) -> LowFidelitySettings:
    """Return the settings of arguments, of which None is the default.

    Raises:
        ValueError: If a setting is out of its range.
    """
    found = {name: value for name, value in given.items() if value is not None}
    return LowFidelitySettings(**DEFAULTS | found)
