"""Parameters that trials have, and those that they have been given but not asked for yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial

from optuna_predictor_rl.core.space import Rows, SearchSpace
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.distributions import from_numbers, known_part
from optuna_predictor_rl.study.ranges import modelled


def given_to(trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]) -> dict[str, Any]:
    """Return the parameters that a trial has, and those that it will be given."""
    if trial.state.is_finished():
        return trial.params
    planned = from_numbers(storage.planned(trial), search_space)
    return planned | storage.enqueued(trial) | trial.params


def finished_numbers(study: Study) -> frozenset[int]:
    """Return the numbers of all trials that have finished."""
    trials = storage.trials(study, fresh=True)
    return frozenset(trial.number for trial in trials if trial.state.is_finished())


def read_given(
    study: Study, space: SearchSpace, *, finished: frozenset[int], current: int
) -> tuple[list[int], Rows]:
    """Return the trials that were not finished when the history was read, and their rows.

    Args:
        study: The study.
        space: The space of all finished trials, with its conditions.
        finished: Numbers of the trials that had finished then.
        current: Number of the trial that claims its parameters; it is left out.

    Returns:
        The trials' numbers, and their rows.
    """
    trials = storage.trials(study, fresh=True)
    wide = modelled([t for t in trials if t.state in storage.LABELLED], {})
    others = [t for t in trials if t.number not in finished and t.number != current]
    given = [(t.number, known_part(given_to(t, wide), space)) for t in others]
    placed = [(number, params) for number, params in given if params]
    return [number for number, _ in placed], placed_rows(space, [params for _, params in placed])


def placed_rows(space: SearchSpace, configurations: Sequence[Mapping[str, Any]]) -> Rows:
    """Return the rows of the configurations that have any of the space's decisions."""
    placed = [known_part(params, space) for params in configurations]
    return space.canonical(space.rows([params for params in placed if params]))
