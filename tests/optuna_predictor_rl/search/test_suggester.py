"""What a search is given: where it starts, and what is expected of pending trials."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from optuna_predictor_rl import PolicyConfig, PredictorConfig
from optuna_predictor_rl.core.policy.reinforce import Start
from optuna_predictor_rl.data.history import read_history
from optuna_predictor_rl.search import suggester
from optuna_predictor_rl.search.acquisition import SearchProblem
from optuna_predictor_rl.search.settings import SearchSettings
from optuna_predictor_rl.search.suggester import Suggester
from tests.optuna_predictor_rl.trials import SPACE, study_of, trial

XS = [0.05, 0.15, 0.3, 0.4, 0.55, 0.7, 0.85, 0.95]
WEIGHT = np.array([1.0])


def problem() -> SearchProblem:
    """Return that of eight trials whose values are their distances to .52."""
    study = study_of(*(trial(x, abs(x - 0.52)) for x in XS))
    return SearchProblem(read_history(study, SPACE), WEIGHT, None, None)


def tiny() -> Suggester:
    settings = SearchSettings(
        predictor=PredictorConfig(n_members=2, n_epochs=5),
        policy=PolicyConfig(n_steps=3, distances=(0.0,)),
        cost=None,
        cost_weights=(0.0,),
        max_cost=None,
        n_startup_trials=4,
        learn_from_running=False,
        seed=0,
        device=torch.device("cpu"),
    )
    return Suggester(settings)


def test_suggestions_beside_a_pending_trial_improve_on_what_is_predicted_of_it() -> None:
    asked, alone = tiny(), problem()
    rows = asked.suggest(alone)
    beside = replace(alone, history=alone.history.with_pending(rows[0]))
    found = asked.suggest(beside)
    assert asked.last is not None
    ensemble = asked.last.ensemble.condition_on_pending(rows[:1])
    assert (np.diff(ensemble.log_improvement(found, WEIGHT).improvement) <= 1e-9).all()
    assert sorted(found.tolist()) == sorted(rows.tolist())  # the search is the same
    assert found[0] != rows[0]


@pytest.mark.parametrize("name", ["search", "local_optima"])
def test_searches_start_from_the_best_five_trials(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Start] = []
    search = getattr(suggester, name)

    def spied(*arguments: Any, start: Start, **options: Any) -> Any:
        started.append(start)
        return search(*arguments, start=start, **options)

    monkeypatch.setattr(suggester, name, spied)
    asked = tiny()
    asked.optima(asked.search(problem()))
    (start,) = started
    assert start.elite[:, 0].tolist() == [0.55, 0.4, 0.7, 0.3, 0.85]
