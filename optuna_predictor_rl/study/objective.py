"""The objective of a study: its direction, its trials' values and their best."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial

from optuna_predictor_rl.core.curves import (
    Direction,
)
from optuna_predictor_rl.core.curves.curve import float_step


def check_one_objective(study: Study) -> None:
    """Raises ``ValueError`` if the study has several objectives."""
    if len(study.directions) > 1:
        raise ValueError(
            f"study must have one objective for low fidelity, "
            f"but got {len(study.directions)} directions."
        )


def trial_values(trials: Sequence[FrozenTrial]) -> Float[np.ndarray, " n"]:
    """What the trials returned; NaN for those without a value."""
    return np.array([math.nan if t.value is None else t.value for t in trials], dtype=np.float64)


def best_value(study: Study, trials: Sequence[FrozenTrial]) -> float:
    """The best of the trials' finite values; without one, an infinite one that none beats."""
    values = sign_of(study) * trial_values(trials)
    finite = values[np.isfinite(values)]
    return sign_of(study) * (float(finite.min()) if len(finite) else -math.inf)


def last_step(trials: Sequence[FrozenTrial]) -> float:
    """The last step that any of the trials reported; infinite without trials."""
    return max((float_step(max(t.intermediate_values)) for t in trials), default=math.inf)


def direction_of(study: Study) -> Direction:
    """The direction of a study with one objective."""
    return "maximize" if study.directions[0] == StudyDirection.MAXIMIZE else "minimize"


def sign_of(study: Study) -> float:
    """1 if the study minimizes, -1 if it maximizes: times it, lower values are better."""
    return 1.0 if direction_of(study) == "minimize" else -1.0
