"""The settings of a low-fidelity pruner, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from optuna_predictor_rl.core.curves import AxisName, LabelFit
from optuna_predictor_rl.core.curves.cutoff import check_confidence
from optuna_predictor_rl.support.checked import check_at_least


@dataclass(frozen=True, kw_only=True)
class LowFidelitySettings:
    """What a `LowFidelityPruner` is asked for; its constructor describes each setting.

    Raises:
        ValueError: If a setting is out of its range.
    """

    n_pilot_trials: int
    min_rank_correlation: float
    min_cutoff: float
    cutoff: int | None
    n_fit_points: int
    extrapolate_by: float | None
    axis: AxisName | Sequence[AxisName]
    shrink: float
    confidence: float
    full_fraction: float
    promising: float
    patience: float

    def __post_init__(self) -> None:
        check_at_least(3, n_pilot_trials=self.n_pilot_trials)
        if not 0 < self.min_rank_correlation <= 1:
            raise ValueError(
                f"min_rank_correlation must be in (0, 1], but got {self.min_rank_correlation}."
            )
        if self.cutoff is not None and self.cutoff < 1:
            raise ValueError(f"cutoff must be at least 1, but got {self.cutoff}.")
        if not 0 <= self.full_fraction <= 1:
            raise ValueError(f"full_fraction must be in [0, 1], but got {self.full_fraction}.")
        if not 0 < self.promising <= 1:
            raise ValueError(f"promising must be in (0, 1], but got {self.promising}.")
        if not self.patience > 0:
            raise ValueError(f"patience must be positive, but got {self.patience}.")
        if not 0 <= self.min_cutoff < 1:
            raise ValueError(f"min_cutoff must be in [0, 1), but got {self.min_cutoff}.")
        check_confidence(self.confidence)
        if not self.axes:
            raise ValueError("axis must name at least one axis, but got none.")
        _ = self.fits  # which checks the rest

    @property
    def axes(self) -> list[AxisName]:
        """Return the axes among which the pilots choose."""
        return [self.axis] if isinstance(self.axis, str) else list(self.axis)

    @cached_property
    def fits(self) -> list[LabelFit]:
        """Return the ways of labelling among which the pilots choose, the preferred one first."""
        fits = [self._fit(axis) for axis in self.axes]
        if self.extrapolate_by is None:
            fits = list(dict.fromkeys(one for fit in fits for one in fit.alternatives()))
        return fits

    @cached_property
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
