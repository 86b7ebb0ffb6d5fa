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


def objective_names(study: Study) -> list[str]:
    """Return the metric name of each objective, or "value", or "objective 0" of several."""
    n = len(study.directions)
    plain = ["value"] if n == 1 else [f"objective {i}" for i in range(n)]
    named = study.metric_names or plain
    return [name or other for name, other in zip(named, plain, strict=True)]


def objective_index(study: Study, objective: int | str | None) -> int:
    """Return which objective is meant by its index or its metric name.

    Raises:
        ValueError: If there is no such objective, or none is named in a study with several.
    """
    names = objective_names(study)
    if objective is None and len(names) == 1:
        return 0
    if isinstance(objective, str) and names.count(objective) == 1:
        return names.index(objective)
    if isinstance(objective, int) and 0 <= objective < len(names):
        return objective
    raise ValueError(
        f"objective must be an index below {len(names)} or a name among {names}, "
        f"but got {objective!r}."
    )


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
