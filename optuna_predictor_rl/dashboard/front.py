"""The Pareto front of a study in plain words, and values and parameters as text."""

from typing import Any

import numpy as np
from jaxtyping import Float
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from optuna_predictor_rl.data.finalists import finalists
from optuna_predictor_rl.study.objective import objective_names, signs_of
from optuna_predictor_rl.study.storage import trials
from optuna_predictor_rl.support.text import code_span

N_SHOWN = 5
"""Trials of the front that are shown."""


def front_of(study: Study) -> str:
    """Return how many trials are on the front, its extent in each objective, and some of them."""
    front = study.best_trials  # of the feasible ones
    if not front:
        return f"**Front.** {none_is_best(study)}"
    lines = [_extent(study, front, o) for o in range(len(study.directions))]
    numbers = {trial.number for trial in front}
    shown = [t for t in finalists(study, min(len(front), N_SHOWN)) if t.number in numbers]
    what = "They are" if len(shown) == len(front) else f"{len(shown)} that are spread along it are"
    if len(front) == 1:
        what = "It is"
    return "\n".join(
        [
            f"**Front.** {len(front)} of {_n_complete(study)} complete trials are on the Pareto "
            f"front{_constrained(study)}. Along it",
            "",
            *(f"- {line}" for line in lines),
            "",
            f"{what}{', the best compromise first' * (len(shown) > 1)}:" if shown else "",
            "",
            *(f"- {_trial(study, trial)}" for trial in shown),
        ]
    ).rstrip()


def none_is_best(study: Study) -> str:
    """Return why no trial is the best."""
    n = _n_complete(study)
    if not n:
        return "No trial has a value yet."
    return f"None of the {n} complete trials satisfies all constraints yet."


def expected_values(
    study: Study, mean: Float[np.ndarray, " o"], std: Float[np.ndarray, " o"]
) -> str:
    """Return what is predicted of each objective, with its standard deviation."""
    return "expected: " + ", ".join(
        f"{code_span(name)} {value:.4g} ± {spread:.2g}"
        for name, value, spread in zip(objective_names(study), mean, std, strict=True)
    )


def words(params: dict[str, Any]) -> str:
    """Return parameters as text."""
    return ", ".join(f"{code_span(name)} {_value(value)}" for name, value in params.items())


def _extent(study: Study, front: list[FrozenTrial], objective: int) -> str:
    sign = float(signs_of(study)[objective])
    name, better = objective_names(study)[objective], "higher" if sign < 0 else "lower"
    ordered = sorted(front, key=lambda trial: sign * trial.values[objective])
    best, worst = ordered[0], ordered[-1]
    said = f"{code_span(name)} ({better} is better) is {best.values[objective]:.6g}"
    if worst.values[objective] == best.values[objective]:
        return f"{said}."
    return f"{said} (trial {best.number}) to {worst.values[objective]:.6g} (trial {worst.number})."


def _trial(study: Study, trial: FrozenTrial) -> str:
    values = ", ".join(
        f"{code_span(name)} {value:.4g}"
        for name, value in zip(objective_names(study), trial.values, strict=True)
    )
    return f"trial {trial.number} has {values}: {words(trial.params)}"


def _n_complete(study: Study) -> int:
    return len(trials(study, (TrialState.COMPLETE,)))


def _constrained(study: Study) -> str:
    complete = trials(study, (TrialState.COMPLETE,))
    if not any(trial.constraints for trial in complete):
        return ""
    n = sum(all(value <= 0.0 for value in trial.constraints.values()) for trial in complete)
    return f", and {n} satisfy all constraints"


def _value(value: object) -> str:
    """Return a value as text: numbers as they are, a user's text as code, as it may be markup."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value) if isinstance(value, (bool, int, type(None))) else code_span(value)
