"""A callback of `study.optimize` that keeps optuna-dashboard up to date."""

import threading
import time
from collections.abc import Iterable
from typing import Any

from optuna.logging import get_logger
from optuna.study import Study
from optuna.trial import FrozenTrial

from optuna_predictor_rl.dashboard.figures import FIGURES
from optuna_predictor_rl.dashboard.publication import checked_names, publish_all, warning_of
from optuna_predictor_rl.pruner import LowFidelityPruner
from optuna_predictor_rl.sampler import PredictorRLSampler
from optuna_predictor_rl.study.attributes import PUBLISHED, as_number
from optuna_predictor_rl.study.storage import set_study_attribute, study_attributes
from optuna_predictor_rl.support.checked import check_at_least, checked

PAUSE_FACTOR = 9.0
"""Pause after a publication, in its durations, so that publishing takes at most a tenth of the
time. One takes 3 to 6 s of a processor with 50 to 300 trials (`benchmarks cost dashboard`)."""

_LOGGER = get_logger(f"optuna.{__name__}")


@checked
class DashboardCallback:
    """A callback that publishes figures and a note to optuna-dashboard after every few trials.

    Give it to each worker: the worker that ends the due trial publishes, unless another one has
    just begun to. It never fails the study: a figure that cannot be drawn is left out with one
    warning. It turns on the sampler's `store_predictions`, so that trials show their predictions.
    At the end, `optuna_predictor_rl.dashboard.publish(study)` publishes once more.

    Args:
        every: Number of trials between two publications.
        sampler: The sampler whose predictor to show; by default the study's own.
        pruner: The pruner whose labels to show; by default the study's own.
        figures: Names among `optuna_predictor_rl.dashboard.figures.FIGURES`; by default all.
        min_seconds: Shortest time between two publications, in s. They also pause for nine times
            as long as the last one took; 0 turns off both.

    Raises:
        ValueError: If `every` is below 1, `min_seconds` is negative, or a figure is unknown.

    Example:
        >>> import optuna
        >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
        >>> study = optuna.create_study(sampler=PredictorRLSampler(seed=0))
        >>> study.optimize(
        ...     lambda trial: trial.suggest_float("x", -1, 1) ** 2,
        ...     n_trials=20,
        ...     callbacks=[DashboardCallback(every=10)],
        ... )
    """

    def __init__(
        self,
        *,
        every: int = 10,
        sampler: PredictorRLSampler | None = None,
        pruner: LowFidelityPruner | None = None,
        figures: Iterable[str] = tuple(FIGURES),
        min_seconds: float = 10.0,
    ) -> None:
        check_at_least(1, every=every)
        if not min_seconds >= 0:
            raise ValueError(f"min_seconds must not be negative, but got {min_seconds}.")
        self._every = every
        self._sampler = sampler
        self._pruner = pruner
        self._figures = checked_names(figures)
        self._min_seconds = min_seconds
        self._warned: set[str] = set()
        self._lock = threading.Lock()

    def __call__(self, study: Study, trial: FrozenTrial) -> None:
        """Publish if a multiple of `every` trials has been started."""
        try:
            sampler = study.sampler if self._sampler is None else self._sampler
            if isinstance(sampler, PredictorRLSampler):
                sampler.store_predictions = True
            if (trial.number + 1) % self._every == 0 and self._lock.acquire(blocking=False):
                try:
                    self._publish(study)
                finally:
                    self._lock.release()
        except Exception as error:  # of the storage, which the study itself will run into
            self._warn("State of the search", error)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without the lock, which cannot be pickled."""
        return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the state with a new lock."""
        vars(self).update(state)
        self._lock = threading.Lock()

    def _publish(self, study: Study) -> None:
        start = time.time()
        if self._min_seconds > 0 and not self._rested(study, start):
            return
        # No storage has compare-and-set for attributes, so two workers may publish at once.
        set_study_attribute(study, PUBLISHED, {"time": start, "seconds": 0.0})
        publish_all(study, self._sampler, self._pruner, self._figures, self._warn)
        set_study_attribute(study, PUBLISHED, {"time": start, "seconds": time.time() - start})

    def _rested(self, study: Study, now: float) -> bool:
        """Return whether enough time has passed since any worker began to publish."""
        last = study_attributes(study).get(PUBLISHED)
        stored = last if isinstance(last, dict) else {}
        began, seconds = as_number(stored.get("time")), as_number(stored.get("seconds"))
        if began is None or seconds is None:
            return True
        pause = max(self._min_seconds, (1.0 + PAUSE_FACTOR) * seconds)
        return abs(now - began) >= pause  # clocks of machines may differ

    def _warn(self, name: str, error: Exception) -> None:
        if name not in self._warned:
            self._warned.add(name)
            _LOGGER.warning(warning_of(name, error))
