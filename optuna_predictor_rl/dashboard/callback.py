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

PAUSE = 9.0
"""Publishing pauses this many times as long as it took, so that it takes a tenth of the time."""

_LOGGER = get_logger(f"optuna.{__name__}")


@checked
class DashboardCallback:
    """Publishes figures and a note to optuna-dashboard after every few trials.

    Give it to each worker: only the one that ends the due trial publishes, unless another has
    just begun. Nothing it does fails the study: what cannot be drawn is left out, with one
    warning. It turns on the sampler's `store_predictions`, so that trials show what was expected
    of them.
    At the end, `optuna_predictor_rl.dashboard.publish(study)` publishes once more.

    Args:
        every: Trials between two publications.
        sampler: Whose predictor to show; by default the study's own sampler.
        pruner: Whose labels to show; by default the study's own pruner.
        figures: Which of `optuna_predictor_rl.dashboard.figures.FIGURES`; by default all.
        min_seconds: Shortest time between two publications. They also pause for nine times as long
            as the last one took; 0 turns off both.

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
        """Publishes if this trial's number makes it due."""
        try:
            sampler = study.sampler if self._sampler is None else self._sampler
            if isinstance(sampler, PredictorRLSampler):
                sampler.store_predictions = True
            if (trial.number + 1) % self._every == 0 and self._lock.acquire(blocking=False):
                try:
                    self._publish(study)
                finally:
                    self._lock.release()
        except Exception as error:  # of the storage: the study's own access to it will tell
            self._warn("State of the search", error)

    def __getstate__(self) -> dict[str, Any]:
        """Without the lock, which cannot be pickled."""
        return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """With a lock of its own."""
        vars(self).update(state)
        self._lock = threading.Lock()

    def _publish(self, study: Study) -> None:
        start = time.time()
        if self._min_seconds > 0 and not self._rested(study, start):
            return
        # No storage has compare-and-set for attributes; two who find it at once both publish.
        set_study_attribute(study, PUBLISHED, {"time": start, "seconds": 0.0})
        publish_all(study, self._sampler, self._pruner, self._figures, self._warn)
        set_study_attribute(study, PUBLISHED, {"time": start, "seconds": time.time() - start})

    def _rested(self, study: Study, now: float) -> bool:
        """Whether enough time has passed since any worker began to publish."""
        last = study_attributes(study).get(PUBLISHED)
        known = last if isinstance(last, dict) else {}
        began, seconds = as_number(known.get("time")), as_number(known.get("seconds"))
        if began is None or seconds is None:
            return True
        pause = max(self._min_seconds, (1.0 + PAUSE) * seconds)
        return abs(now - began) >= pause  # clocks of machines may differ

    def _warn(self, name: str, error: Exception) -> None:
        if name not in self._warned:
            self._warned.add(name)
            _LOGGER.warning(warning_of(name, error))
