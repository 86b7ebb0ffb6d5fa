"""The sampler, the search and the names that figures of the search show."""

import numpy as np
from jaxtyping import Float
from optuna.samplers import BaseSampler
from optuna.study import Study

from optuna_predictor_rl.sampler import PredictorRLSampler
from optuna_predictor_rl.search.suggester import FittedSearch
from optuna_predictor_rl.study.objective import check_one_objective, sign_of
from optuna_predictor_rl.support.text import plotly_text

WIDEST_TITLE = 40
"""Characters of a name in the title of an axis or a panel."""


def inspect_search(
    study: Study, sampler: BaseSampler | None, *, at_least: int = 3
) -> tuple[PredictorRLSampler, FittedSearch]:
    """Return the sampler of a study, and the search for its next suggestion.

    Args:
        study: A study with one objective.
        sampler: See `sampler_of`. A new one will do, because it reads everything from the study.
        at_least: Smallest number of trials with a value or a label.

    Raises:
        ValueError: If the sampler is of another kind, the study has several objectives, or too
            few trials have a value.
    """
    own = sampler_of(study, sampler)
    check_one_objective(study, "for this figure")
    found = own.inspect(study)
    if len(found.history.rows) < at_least:
        raise ValueError(
            f"study must have at least {at_least} finished trials with a value, "
            f"but got {len(found.history.rows)}."
        )
    return own, found


def sampler_of(study: Study, sampler: BaseSampler | None) -> PredictorRLSampler:
    """Return the sampler whose predictor to show.

    Args:
        study: Any study. `optuna.load_study` gives it a TPESampler, whatever it was run with.
        sampler: A predictor-based sampler; without it, the study's own if it is one, otherwise
            one with default settings.

    Raises:
        ValueError: If the given sampler is of another kind.
    """
    if isinstance(sampler, PredictorRLSampler):
        return sampler
    if sampler is not None:
        raise ValueError(
            f"sampler must be a PredictorRLSampler, but got a {type(sampler).__name__}."
        )
    own = study.sampler
    return own if isinstance(own, PredictorRLSampler) else PredictorRLSampler(seed=0)


def sampler_text(study: Study, sampler: BaseSampler | None) -> str:
    """Return a line of a subtitle if `sampler_of` takes default settings, otherwise nothing."""
    if sampler is not None or isinstance(study.sampler, PredictorRLSampler):
        return ""
    kind = plotly_text(type(study.sampler).__name__)
    return f"<br>Fitted with a default PredictorRLSampler: the study's sampler is a {kind}"


def value_name(study: Study) -> str:
    """Return the metric name that the study was given, or "value"."""
    names = study.metric_names
    return names[0] if names and names[0] else "value"


def value_title(study: Study) -> str:
    """Return an axis title with the value's name and which end is better."""
    name = plotly_text(value_name(study), WIDEST_TITLE)
    better = "higher" if sign_of(study) < 0 else "lower"
    return f"{name[0].upper()}{name[1:]} ({better} is better)"


def cost_name(sampler: PredictorRLSampler) -> str:
    """Return the user attribute that the cost is read from, or "cost"."""
    return sampler.cost if isinstance(sampler.cost, str) else "cost"


def task_names(study: Study, sampler: PredictorRLSampler, n_tasks: int) -> list[str]:
    """Return the name of each task of the predictor."""
    return [value_name(study), cost_name(sampler)][:n_tasks]


def weight_text(weight: Float[np.ndarray, " t"]) -> str:
    """Return the weight of the cost as text, nothing if there is no cost."""
    return f", cost weight {weight[1]:g}" if len(weight) > 1 else ""
