"""Publication of a study's figures and note to optuna-dashboard."""

from collections.abc import Callable, Iterable

from optuna.logging import get_logger
from optuna.study import Study
from optuna_dashboard import get_note, save_note, save_plotly_graph_object

from optuna_predictor_rl.dashboard.figures import FIGURES, Source
from optuna_predictor_rl.dashboard.note import state_of_the_search
from optuna_predictor_rl.dashboard.payload import trimmed
from optuna_predictor_rl.dashboard.remarks import merged
from optuna_predictor_rl.pruner import LowFidelityPruner
from optuna_predictor_rl.sampler import PredictorRLSampler
from optuna_predictor_rl.support.checked import checked

NOTE = "note"

_LOGGER = get_logger(f"optuna.{__name__}")


@checked
def publish(
    study: Study,
    *,
    sampler: PredictorRLSampler | None = None,
    pruner: LowFidelityPruner | None = None,
    figures: Iterable[str] = tuple(FIGURES),
) -> list[str]:
    """Publish the figures that the study can show, and a note on the state of the search.

    A figure that fails is left out with a warning, because the study matters more.

    Args:
        study: The study to show.
        sampler: The sampler whose predictor to show; by default the study's own.
        pruner: The pruner whose labels to show; by default the study's own.
        figures: Names among `optuna_predictor_rl.dashboard.figures.FIGURES`; by default all.

    Returns:
        The names of the published figures, and "note".

    Raises:
        ValueError: If a name is unknown.
    """
    return publish_all(study, sampler, pruner, checked_names(figures), _warn)


def publish_all(
    study: Study,
    sampler: PredictorRLSampler | None,
    pruner: LowFidelityPruner | None,
    names: Iterable[str],
    on_error: Callable[[str, Exception], None],
) -> list[str]:
    """Publish as `publish` does, and call `on_error` with the name and error of each failure."""
    own = study.sampler if sampler is None else sampler
    source = Source(
        study=study,
        sampler=own if isinstance(own, PredictorRLSampler) else None,
        pruner=_low_fidelity_pruner(study) if pruner is None else pruner,
    )
    published = []
    for name in (*names, NOTE):
        try:
            if _publish_one(source, name):
                published.append(name)
        except Exception as error:  # no figure may end a study
            on_error(name, error)
    return published


def _low_fidelity_pruner(study: Study) -> LowFidelityPruner | None:
    """Return the study's own low-fidelity pruner, also from inside one that drops trials."""
    inner = getattr(study.pruner, "pruner", study.pruner)
    return inner if isinstance(inner, LowFidelityPruner) else None


def checked_names(figures: Iterable[str]) -> tuple[str, ...]:
    """Return the names of figures, or raise `ValueError` if one is unknown."""
    names = tuple(figures)
    unknown = [name for name in names if name not in FIGURES]
    if unknown:
        raise ValueError(f"figures must be among {list(FIGURES)}, but got {unknown}.")
    return names


def warning_of(name: str, error: Exception) -> str:
    """Return a warning that names what is missing from the dashboard, and why."""
    return (
        f"{name} was not published to optuna-dashboard, and the study goes on: "
        f"{type(error).__name__}: {error}"
    )


def _warn(name: str, error: Exception) -> None:
    _LOGGER.warning(warning_of(name, error))


def _publish_one(source: Source, name: str) -> bool:
    """Publish a figure or the note; return False if the study has nothing to show there yet."""
    if name == NOTE:
        state = state_of_the_search(source)  # takes seconds, so the note is read only afterwards
        save_note(source.study, merged(get_note(source.study), state))
        return True
    figure = FIGURES[name](source)
    if figure is not None:
        save_plotly_graph_object(source.study, trimmed(figure), graph_object_id=name)
    return figure is not None
