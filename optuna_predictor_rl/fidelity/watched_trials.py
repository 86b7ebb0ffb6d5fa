"""What a pruner remembers of a running trial, so that a report costs little, however many came."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Generic, TypeVar

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from optuna.study import Study
from optuna.trial import FrozenTrial

from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.objective import check_one_objective
from optuna_predictor_rl.support.once import WarnOnce

MAX_REMEMBERED = 64
"""Running trials that are remembered at once."""


@dataclass
class Looks:
    """When a trial is looked at: at its first report past each checkpoint.

    Attributes:
        next: The step from which on it is looked at again.
        stops: What was decided at the last look; it holds until the next.
    """

    next: float = -math.inf
    stops: bool = False

    def decide(self, stops: bool, step: float, checkpoints: Float[ndarray, " c"]) -> bool:
        """Keep what was decided at a step until the next checkpoint, and return it."""
        later = int(np.searchsorted(checkpoints, step, side="right"))
        self.next = float(checkpoints[later]) if later < len(checkpoints) else math.inf
        self.stops = stops
        return stops


Rule = TypeVar("Rule")


@dataclass
class Watched(Generic[Rule]):
    """A running trial.

    Attributes:
        trials: The study's trials as this trial's worker knows them.
        rule: That they lead to.
        highest: The highest step that it has reported.
        n_read: Reports that have been read.
        looks: At whether it stops.
        hopeless: Looks at whether it is hopeless.
    """

    trials: Sequence[FrozenTrial]
    rule: Rule
    highest: int = -1
    n_read: int = 0
    looks: Looks = field(default_factory=Looks)
    hopeless: Looks = field(default_factory=Looks)

    def read(self, reports: dict[int, float]) -> tuple[int, int] | None:
        """Read the reports that have come since the last call.

        Returns:
            A step that is lower than one before it, and that one; None if the steps grow.
        """
        new = list(islice(reversed(reports), max(0, len(reports) - self.n_read)))
        self.n_read, backwards = len(reports), None
        for step in reversed(new):
            if step < self.highest:
                backwards = step, self.highest
            self.highest = max(self.highest, step)
        return backwards


class WatchedTrials(Generic[Rule]):
    """The running trials of a pruner, the latest ones only.

    Args:
        read_rule: Returns the rule that a study's trials lead to.
        warn_once: The pruner's warnings.
    """

    def __init__(self, read_rule: Callable[[Study], Rule], warn_once: WarnOnce) -> None:
        self._read_rule = read_rule
        self._warn_once = warn_once
        self._known: dict[tuple[int, int], Watched[Rule]] = {}

    def __getstate__(self) -> dict[str, object]:
        """Leave the trials out: they are read again."""
        return {**vars(self), "_known": {}}

    def watch(self, study: Study, trial: FrozenTrial) -> Watched[Rule]:
        """Return what is known of a trial that has reported.

        Raises:
            ValueError: If the study has several objectives.
        """
        key = storage.id_of(study), trial.number
        watched = self._known.get(key)
        # The trials are another list once this worker has read them again.
        if watched is None or watched.trials is not storage.trials(study):
            check_one_objective(study)
            trials = storage.trials(study)
            watched = Watched(trials, self._read_rule(study))
            while len(self._known) >= MAX_REMEMBERED:
                self._known.pop(next(iter(self._known)), None)
            self._known[key] = watched
        backwards = watched.read(trial.intermediate_values)
        if backwards is not None:
            self._warn_once(
                f"Trial {trial.number} reported step {backwards[0]} after step {backwards[1]}: "
                "curves are read in the order of the steps.",
                about=(study.study_name, "order"),
            )
        return watched
