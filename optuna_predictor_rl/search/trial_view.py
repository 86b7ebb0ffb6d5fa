"""What a trial sees of its study before it is given parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial

from optuna_predictor_rl.core.space import Rows, row_keys
from optuna_predictor_rl.data.history import History, NextTrial, read_history
from optuna_predictor_rl.data.scalarization import with_one_objective
from optuna_predictor_rl.search.settings import SearchSettings
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.distributions import from_numbers


def history_for(
    settings: SearchSettings,
    study: Study,
    search_space: Mapping[str, BaseDistribution],
    number: int,
    given: Mapping[str, Any],
) -> History:
    """Return the study's trials as one of a number sees them that has some parameters anyway.

    Several objectives are one, by the trial's own weights.

    Raises:
        ValueError: If a complete trial has no cost, or the cost has a weight beside several
            objectives.
    """
    history = objectives_for(settings, study, search_space, number, given)
    return with_one_objective(history, settings.seed, number)


def objectives_for(
    settings: SearchSettings,
    study: Study,
    search_space: Mapping[str, BaseDistribution],
    number: int,
    given: Mapping[str, Any],
) -> History:
    """Return the same with a label for each objective."""
    check_cost_weights(settings.cost_weights, study)
    return read_history(
        study,
        search_space,
        cost=settings.cost,
        max_cost=settings.max_cost,
        next_trial=NextTrial(number, given or {}),
        learn_from_running=settings.learn_from_running,
    )


def check_cost_weights(weights: Sequence[float], study: Study) -> None:
    """Raise if a cost has a weight beside several objectives.

    Raises:
        ValueError: If it has.
    """
    if len(study.directions) > 1 and any(weights):
        raise ValueError(
            "cost_weight must be 0 in a study with several objectives, of which the cost may "
            f"be one, but got {tuple(weights)}."
        )


def given_parameters(
    study: Study, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]
) -> dict[str, Any]:
    """Return the parameters that a trial has anyway: its own, and those that others give it."""
    finished = storage.trials(study, storage.LABELLED)
    latest = latest_elsewhere(finished, search_space)
    return latest | storage.fixed(study) | storage.enqueued(trial) | trial.params


def latest_elsewhere(
    trials: Sequence[FrozenTrial], search_space: Mapping[str, BaseDistribution]
) -> dict[str, Any]:
    """Return the parameters outside of the search space, taken to be as in the latest trial."""
    latest: dict[str, Any] = {}
    for trial in trials:
        latest.update(trial.params)
    return {name: value for name, value in latest.items() if name not in search_space}


def planned_row(
    trial: FrozenTrial, search_space: Mapping[str, BaseDistribution], history: History
) -> Rows | None:
    """Return the row that was planned for a killed trial which this one retries, (decisions,).

    None without it, or if another trial has come to have the same meanwhile.
    """
    planned = from_numbers(storage.planned(trial), search_space)
    scope = history.scope
    if not planned or not all(name in planned for name in scope.space.names):
        return None
    row = scope.to_model(scope.space.rows([planned]))
    return None if row_keys(row)[0] in row_keys(history.rows) else row[0]
