"""What a pruner remembers of a running trial, so that a report costs little, however many came."""

import math
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from optuna.study import Study
from optuna.trial import FrozenTrial

from optuna_predictor_rl.fidelity.cutoff_rule import StoppingRule
from optuna_predictor_rl.study import storage

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
        """Keeps what was decided at a step until the next checkpoint."""
        later = int(np.searchsorted(checkpoints, step, side="right"))
        self.next = float(checkpoints[later]) if later < len(checkpoints) else math.inf
        self.stops = stops
        return stops


@dataclass
class Watched:
    """A running trial.

    Attributes:
        trials: The study's trials as this trial's worker knows them.
        full: Those that ran to their end.
        rule: That they lead to.
        highest: The highest step that it has reported.
        n_read: Reports that have been read.
        cutoff: Looks at whether it stops at the cutoff.
        hopeless: Looks at whether it is hopeless.
    """

    trials: list[FrozenTrial]
    full: list[FrozenTrial]
    rule: StoppingRule | None
    highest: int = -1
    n_read: int = 0
    cutoff: Looks = field(default_factory=Looks)
    hopeless: Looks = field(default_factory=Looks)

    def read(self, reports: dict[int, float]) -> tuple[int, int] | None:
        """Reads the reports that have come since; a step that is lower than one before it."""
        new = list(islice(reversed(reports), max(0, len(reports) - self.n_read)))
        self.n_read, backwards = len(reports), None
        for step in reversed(new):
            if step < self.highest:
                backwards = step, self.highest
            self.highest = max(self.highest, step)
        return backwards


class WatchedTrials:
    """The running trials of a pruner, the latest ones only."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], Watched] = {}

    def __getstate__(self) -> dict[str, object]:
        """Without the trials, which are read again."""
        return {"_known": {}}

    def find(self, study: Study, trial: FrozenTrial) -> Watched | None:
        """What is remembered of a trial, unless the study's trials have been read again since."""
        found = self._known.get((storage.id_of(study), trial.number))
        return found if found is not None and found.trials is storage.trials(study) else None

    def remember(self, study: Study, trial: FrozenTrial, watched: Watched) -> Watched:
        """Keeps what is known of a trial, and forgets the one that was kept first."""
        while len(self._known) >= MAX_REMEMBERED:
            self._known.pop(next(iter(self._known)), None)
        self._known[storage.id_of(study), trial.number] = watched
        return watched
