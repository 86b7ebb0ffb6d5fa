"""Studies whose objective reports a curve that is known."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import optuna
from optuna.samplers import RandomSampler
from optuna.storages import BaseStorage
from optuna.study import Study
from optuna.trial import Trial, TrialState, create_trial

from optuna_predictor_rl.fidelity.cutoff_rule import StoppingRule
from optuna_predictor_rl.fidelity.stored_rules import stored_rule
from optuna_predictor_rl.pruner import LowFidelityPruner

N_STEPS = 12


MakeStorage = Callable[[], BaseStorage]


def curve_value(level: float, step: int) -> float:
    """A curve that falls to its level, as 1 / step."""
    return level + 1.0 / step


def objective(trial: Trial) -> float:
    level = trial.suggest_float("level", 0.0, 1.0)
    for step in range(1, N_STEPS + 1):
        trial.report(curve_value(level, step), step)
        if trial.should_prune():
            raise optuna.TrialPruned
    return curve_value(level, N_STEPS)


def labelled_objective(pruner: LowFidelityPruner) -> Callable[[Trial], float]:
    def run(trial: Trial) -> float:
        level = trial.suggest_float("level", 0.0, 1.0)
        for step in range(1, N_STEPS + 1):
            trial.report(curve_value(level, step), step)
            if trial.should_prune():
                break
        return pruner.label(trial)

    return run


def make_study(pruner: LowFidelityPruner, storage: BaseStorage | None = None, **options) -> Study:
    options = {"sampler": RandomSampler(seed=0), "study_name": "s"} | options
    return optuna.create_study(pruner=pruner, storage=storage, load_if_exists=True, **options)


def report(
    study: Study, curve: Mapping[int, float], *, heeds: bool = True
) -> tuple[Trial, list[bool]]:
    """A new trial that reports a curve, and what `should_prune` said each time.

    It ends at the first True unless it heeds nothing.
    """
    trial, stops = study.ask(), []
    for step, value in curve.items():
        trial.report(value, step)
        stops.append(trial.should_prune())
        if stops[-1] and heeds:
            break
    return trial, stops


def train(study: Study, curve: Mapping[int, float]) -> int:
    """A trial that reports a curve and ends, and how many reports it made."""
    trial, stops = report(study, curve)
    if stops[-1]:
        study.tell(trial, state=TrialState.PRUNED)
    else:
        study.tell(trial, list(curve.values())[-1])
    return len(stops)


def rule_of(study: Study) -> StoppingRule:
    """The rule that the pruner of a study has decided."""
    assert isinstance(study.pruner, LowFidelityPruner)
    rule = study.pruner.rule(study)
    assert rule is not None
    return rule


def followed_rule(study: Study) -> StoppingRule | None:
    """The rule that a trial finds at its first report, which stores it; the trial fails then."""
    study.tell(report(study, {0: 0.0})[0], state=TrialState.FAIL)
    return stored_rule(study)


def attributes(study: Study, number: int = -1) -> dict[str, Any]:
    """As stored: a live trial does not see what the pruner wrote."""
    return study.trials[number].user_attrs


def add_full_trials(study: Study, curves: list[dict[int, float]]) -> None:
    for curve in curves:
        value = next(v for _, v in sorted(curve.items(), reverse=True) if math.isfinite(v))
        study.add_trial(create_trial(value=value, intermediate_values=curve))


def parallel_curves(n: int, steps: range = range(1, N_STEPS + 1)) -> list[dict[int, float]]:
    return [{step: curve_value(level, step) for step in steps} for level in np.linspace(0, 1, n)]
