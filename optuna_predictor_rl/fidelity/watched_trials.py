"""What a pruner remembers of a running trial, so that a report costs little, however many came."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from optuna.study import Study
from optuna.trial import FrozenTrial

from optuna_predictor_rl.fidelity.cutoff_rule import StoppingRule
from optuna_predictor_rl.fidelity.labels import full_trials
from optuna_predictor_rl.fidelity.settings import LowFidelitySettings
from optuna_predictor_rl.fidelity.stored_rules import follow_rule
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


@dataclass
class Watched:
    """A running trial.

    Attributes:
        trials: The study's trials as this trial's worker knows them.
        full: Those that have trained to the end.
        rule: That the full trials lead to.
        highest: The highest step that it has reported.
        n_read: Reports that have been read.
        cutoff: Looks at whether it stops at the cutoff.
        hopeless: Looks at whether it is hopeless.
    """

    trials: Sequence[FrozenTrial]
    full: Sequence[FrozenTrial]
    rule: StoppingRule | None
    highest: int = -1
    n_read: int = 0
    cutoff: Looks = field(default_factory=Looks)
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


class WatchedTrials:
    """The running trials of a pruner, the latest ones only.

    Args:
        settings: Of the pruner.
        warn_once: Its warnings.
    """

    def __init__(self, settings: LowFidelitySettings, warn_once: WarnOnce) -> None:
        self._settings = settings
        self._warn_once = warn_once
        self._known: dict[tuple[int, int], Watched] = {}

    def __getstate__(self) -> dict[str, object]:
        """Leave the trials out: they are read again."""
        return {**vars(self), "_known": {}}

    def watch(self, study: Study, trial: FrozenTrial) -> Watched:
        """Return what is known of a trial that has reported; store the rule that it follows.

        Raises:
            ValueError: If the study has several objectives.
        """
        key = storage.id_of(study), trial.number
        watched = self._known.get(key)
        # The trials are another list once this worker has read them again.
        if watched is None or watched.trials is not storage.trials(study):
            check_one_objective(study)
            trials = storage.trials(study)
            full = full_trials(trials)
            rule = follow_rule(study, full, self._settings, self._warn_once)
            watched = Watched(trials, full, rule)
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
