"""Three studies are searched as they were when their trials were recorded.

A change that is meant to leave the search as it is keeps these trials. One that is meant to change
it writes them anew, and its commit says why:

    python -m tests.optuna_predictor_rl.test_recorded_suggestions
"""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.study import Study
from optuna.trial import Trial

from optuna_predictor_rl import LowFidelityPruner, PredictorRLSampler

RECORD = Path(__file__).with_name("recorded_suggestions.json")
N_TRIALS = 12
"""Eight of them start the search; four are suggested by the predictor and the policy."""


def conditional() -> Study:
    def objective(trial: Trial) -> float:
        kernel = trial.suggest_categorical("kernel", ["linear", "rbf"])
        scale = trial.suggest_float("scale", 1e-3, 1e3, log=True)
        loss = math.log10(scale / 3) ** 2
        if kernel == "linear":
            return loss + 0.5
        for i in range(trial.suggest_int("n_widths", 1, 3)):
            loss += (trial.suggest_float(f"width{i}", 0.0, 1.0) - 0.3) ** 2
        return loss

    study = optuna.create_study(sampler=PredictorRLSampler(seed=0))
    study.optimize(objective, n_trials=N_TRIALS)
    return study


def costly_and_constrained() -> Study:
    def objective(trial: Trial) -> float:
        width = trial.suggest_int("width", 4, 64, log=True)
        rate = trial.suggest_float("rate", 0.0, 1.0)
        layer = trial.suggest_categorical("layer", ["dense", "sparse", "mixed"])
        cost = width * (1.0 + rate)
        trial.set_user_attr("cost", cost)
        trial.set_constraint("memory", cost - 60.0)
        return (rate - 0.6) ** 2 + 4.0 / width + {"dense": 0.0, "sparse": 0.2, "mixed": 0.1}[layer]

    study = optuna.create_study(sampler=PredictorRLSampler(cost="cost", cost_weight=0.3, seed=0))
    study.optimize(objective, n_trials=N_TRIALS)
    return study


def stopped_early() -> Study:
    def objective(trial: Trial) -> float:
        rate = trial.suggest_float("rate", 1e-4, 1.0, log=True)
        momentum = trial.suggest_float("momentum", 0.0, 0.99)
        level = math.log10(rate / 0.03) ** 2 / 4 + (momentum - 0.7) ** 2
        for step in range(1, 13):
            value = level + (1.0 + momentum) / step
            trial.report(value, step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return value

    study = optuna.create_study(sampler=PredictorRLSampler(seed=0), pruner=LowFidelityPruner())
    study.optimize(objective, n_trials=N_TRIALS)
    return study


STUDIES: dict[str, Callable[[], Study]] = {
    search.__name__: search for search in (conditional, costly_and_constrained, stopped_early)
}


def found(name: str) -> list[dict[str, Any]]:
    """State and parameters of each trial."""
    return [{"state": t.state.name, "params": t.params} for t in STUDIES[name]().trials]


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_is_searched_as_recorded(name: str) -> None:
    recorded = json.loads(RECORD.read_text())[name]
    for number, (trial, expected) in enumerate(zip(found(name), recorded, strict=True)):
        assert trial["state"] == expected["state"], number
        assert list(trial["params"]) == list(expected["params"]), number
        for parameter, value in trial["params"].items():
            exact = expected["params"][parameter]
            # Another processor rounds otherwise, and each fit carries that on.
            wanted = pytest.approx(exact, rel=1e-3) if isinstance(exact, float) else exact
            assert value == wanted, (number, parameter)


if __name__ == "__main__":
    RECORD.write_text(json.dumps({name: found(name) for name in STUDIES}, indent=1) + "\n")
