"""The sampler, the search and the names that figures of the search show."""

from optuna.samplers import BaseSampler
from optuna.study import Study

from optuna_predictor_rl.sampler import PredictorRLSampler
from optuna_predictor_rl.search.suggester import FittedObjectives, FittedSearch
from optuna_predictor_rl.study.objective import objective_index, objective_names, signs_of
from optuna_predictor_rl.support.text import plotly_text

WIDEST_TITLE = 40
"""Characters of a name in the title of an axis or a panel."""


def inspect_search(
    study: Study, sampler: BaseSampler | None, *, at_least: int = 3
) -> tuple[PredictorRLSampler, FittedSearch]:
    """Return the sampler of a study, and the search for its next suggestion.

    Args:
        study: The study; several objectives are one in the search, by weights of the next trial.
        sampler: See `sampler_of`. A new one will do, because it reads everything from the study.
        at_least: Smallest number of trials with a value or a label.

    Raises:
        ValueError: If the sampler is of another kind, or too few trials have a value.
    """
    own = sampler_of(study, sampler)
    found = own.inspect(study)
    _check_number(found, at_least)
    return own, found


def inspect_objectives(
    study: Study, sampler: BaseSampler | None, *, at_least: int = 3
) -> tuple[PredictorRLSampler, FittedObjectives]:
    """Return the sampler of a study, and the predictor of its objectives; see `inspect_search`."""
    own = sampler_of(study, sampler)
    found = own.inspect_objectives(study)
    _check_number(found, at_least)
    return own, found


def _check_number(found: FittedObjectives, at_least: int) -> None:
    if len(found.history.rows) < at_least:
        raise ValueError(
            f"study must have at least {at_least} finished trials with a value, "
            f"but got {len(found.history.rows)}."
        )


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


def value_title(study: Study, objective: int = 0) -> str:
    """Return an axis title with the name of an objective and which end is better."""
    name = plotly_text(objective_names(study)[objective], WIDEST_TITLE)
    better = "higher" if signs_of(study)[objective] < 0 else "lower"
    return f"{name[0].upper()}{name[1:]} ({better} is better)"


def cost_name(sampler: PredictorRLSampler) -> str:
    """Return the user attribute that the cost is read from, or "cost"."""
    return sampler.cost if isinstance(sampler.cost, str) else "cost"


def task_names(study: Study, sampler: PredictorRLSampler, n_tasks: int) -> list[str]:
    """Return the name of each task of the predictor: the objectives, and the cost."""
    return [*objective_names(study), cost_name(sampler)][:n_tasks]


def shown_tasks(study: Study, objective: int | str | None, n_tasks: int) -> list[int]:
    """Return the tasks of a figure: all, or the objective that is asked for.

    Raises:
        ValueError: If there is no such objective.
    """
    return list(range(n_tasks)) if objective is None else [objective_index(study, objective)]


def weight_text(found: FittedSearch) -> str:
    """Return the weights of the objectives or of the cost as text, nothing if there are none."""
    weights, text = found.history.objective_weights, ""
    if weights is not None:
        text = f", objectives weighed {', '.join(f'{weight:.2g}' for weight in weights)}"
    elif len(found.weight) > 1:
        text = f", cost weight {found.weight[1]:g}"
    return text
