"""What a search runs into that its user should know: each is told once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from optuna.logging import get_logger
from optuna.study import Study
from optuna.trial import FrozenTrial

from optuna_predictor_rl.data.history import History
from optuna_predictor_rl.search.startup import Startup
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.support.once import WarnOnce

N_UNMET = 20
"""Trials without a feasible one after which the search says so."""

_LOGGER = get_logger(f"optuna.{__name__}")


def tell_of_unknown_beliefs(warn_once: WarnOnce, startup: Startup, history: History) -> None:
    """Warn of beliefs about parameters that no finished trial has had."""
    names = {*history.space.names, *history.fixed}
    unknown = startup.unknown(names)
    if unknown:
        warn_once(
            f"prior has beliefs about {unknown}, which no finished trial has had; they do "
            f"nothing. Name parameters of the study, which so far are {sorted(names)}.",
            about="prior",
        )


def tell_of_unmet_constraints(warn_once: WarnOnce, study: Study, history: History) -> None:
    """Warn if many trials have ended and none of them satisfies all constraints."""
    n = len(history.rows)
    if n < N_UNMET or history.feasible.any():
        return
    found = [trial.constraints for trial in storage.trials(study, storage.LABELLED)]
    names = dict.fromkeys(name for constraints in found for name in constraints)
    met = {name for constraints in found for name, value in constraints.items() if value <= 0.0}
    unmet = [name for name in names if name not in met]
    which = f"none satisfies {unmet}" if unmet else "no two of them are satisfied together"
    warn_once(
        f"constraints are broken by each of the {n} trials that have ended ({which}); the search "
        "looks for a trial that satisfies all, whatever its values. Check their sign: a "
        "constraint is satisfied up to 0.",
        about="constraints",
    )


@dataclass
class KnownConstraints:
    """A function of constraints with infinity for NaN: what nobody knows counts as broken.

    Optuna's samplers end the study at a NaN, after the trial's cost has been paid.
    """

    of: Callable[[FrozenTrial], Sequence[float]]
    _warn_once: WarnOnce = field(default_factory=lambda: WarnOnce(_LOGGER))

    def __call__(self, trial: FrozenTrial) -> Sequence[float]:
        """Return a trial's constraints."""
        values = self.of(trial)
        if not np.any(np.isnan(values)):
            return values
        self._warn_once(
            f"constraints_func returned {values} for trial {trial.number}; NaN counts as broken.",
            about="NaN",
        )
        return tuple(math.inf if math.isnan(value) else value for value in values)
