"""The objective of a study: its direction, its trials' values and the best of them."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial

from optuna_predictor_rl.core.curves import Direction
from optuna_predictor_rl.core.curves.curve import float_step


def check_one_objective(study: Study, purpose: str = "for low fidelity") -> None:
    """Raise if the study has several objectives.

    Args:
        study: The study.
        purpose: What needs a single objective, such as "for this figure".

    Raises:
        ValueError: If the study has several objectives.
    """
    if len(study.directions) > 1:
        needed = " ".join(["one objective", purpose]).rstrip()
        raise ValueError(f"study must have {needed}, but got {len(study.directions)} directions.")


def trial_values(trials: Sequence[FrozenTrial]) -> Float[np.ndarray, " n"]:
    """Return what the trials returned; NaN for those without a value."""
    return np.array([math.nan if t.value is None else t.value for t in trials], dtype=np.float64)


def best_value(study: Study, trials: Sequence[FrozenTrial]) -> float:
    """Return the best finite value of the trials; without one, the infinite that none beats."""
    values = sign_of(study) * trial_values(trials)
    finite = values[np.isfinite(values)]
    return sign_of(study) * (float(finite.min()) if len(finite) else -math.inf)


def last_step(trials: Sequence[FrozenTrial]) -> float:
    """Return the last step that any of the trials reported; infinite without trials."""
    return max((float_step(max(t.intermediate_values)) for t in trials), default=math.inf)


def direction_of(study: Study) -> Direction:
    """Return the direction of a study with one objective."""
    return "maximize" if study.directions[0] == StudyDirection.MAXIMIZE else "minimize"


def sign_of(study: Study) -> float:
    """Return 1 if the study minimizes, -1 if it maximizes: times it, lower values are better."""
    return 1.0 if direction_of(study) == "minimize" else -1.0


def signs_of(study: Study) -> Float[np.ndarray, " o"]:
    """Return the sign of each objective, as `sign_of` does of a single one."""
    return np.array([-1.0 if d == StudyDirection.MAXIMIZE else 1.0 for d in study.directions])
