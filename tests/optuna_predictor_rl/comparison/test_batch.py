"""In the batch protocol a searcher proposes all its trials before it sees any result."""

from typing import Any

import numpy as np
import optuna
import pytest
from optuna.samplers import BaseSampler, GPSampler, TPESampler
from optuna.storages import BaseStorage
from optuna.trial import TrialState

from optuna_predictor_rl import PredictorRLSampler, compare_searchers
from tests.optuna_predictor_rl.comparison.searches import of
from tests.optuna_predictor_rl.comparison.spies import SpySampler


def measured(trial: optuna.Trial) -> float:
    """Write the result wherever an objective can."""
    x, y = (trial.suggest_float(name, -1.0, 1.0) for name in "xy")
    value = 1.0 + x**2 + (y - 0.5) ** 2
    trial.report(value, step=1)
    trial.set_user_attr("measured", value)
    trial.set_constraint("c", value)
    return value


def test_a_searcher_is_shown_its_own_trials_as_running(storage: BaseStorage) -> None:
    study = optuna.create_study(storage=storage)
    spy = SpySampler("a")
    arms: dict[str, Any] = {"a": spy, "b": SpySampler("b")}
    compare_searchers(study, measured, arms, n_shared=2, n_each=3, protocol="batch")
    own = of(study, "a")
    for trial in own[1:]:
        seen = spy.seen[trial.number]
        for earlier in own[: own.index(trial)]:
            shown = seen[earlier.number]
            assert shown.state == TrialState.RUNNING
            assert shown.params == earlier.params
            assert shown.values is None
            assert not shown.intermediate_values
            assert "measured" not in shown.user_attrs
            assert not shown.constraints
        assert [seen[k].value for k in (0, 1)] == [t.value for t in study.trials[:2]]
    assert spy.values == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: TPESampler(seed=1, n_startup_trials=3),
        lambda: GPSampler(seed=1, n_startup_trials=3),
        lambda: PredictorRLSampler(seed=1, n_startup_trials=3),
    ],
)
def test_the_candidates_are_those_of_asking_for_all_before_telling_any(
    make: Any, storage: BaseStorage
) -> None:
    compared = optuna.create_study(storage=storage)
    compare_searchers(
        compared, measured, {"it": make()}, n_shared=6, n_each=3, protocol="batch", seed=0
    )
    sampler: BaseSampler = make()
    asked = optuna.create_study(sampler=sampler)
    asked.add_trials(of(compared, "shared"))
    space = asked.trials[0].distributions
    trials = [asked.ask(space) for _ in range(3)]
    expected = [list(trial.params.values()) for trial in trials]
    np.testing.assert_allclose([list(t.params.values()) for t in of(compared, "it")], expected)


def test_a_pruner_sees_how_the_searchers_own_trials_went() -> None:
    def objective(trial: optuna.Trial) -> float:
        trial.suggest_float("x", 0.0, 1.0)
        trial.report(float(trial.number), step=1)
        if trial.should_prune():
            raise optuna.TrialPruned
        return float(trial.number)

    class OwnMedian(optuna.pruners.BasePruner):
        def prune(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> bool:
            own = [
                t.values[0]
                for t in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
                if t.user_attrs["predictor_rl:searcher"] == "random"
            ]
            return bool(own) and trial.intermediate_values[1] > min(own)

    study = optuna.create_study(pruner=OwnMedian())
    compare_searchers(study, objective, ["random"], n_shared=1, n_each=3, protocol="batch")
    assert [t.state.name for t in study.trials] == ["COMPLETE", "COMPLETE", "PRUNED", "PRUNED"]
