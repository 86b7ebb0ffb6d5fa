"""Whole studies over the curves that trainings have: nothing raises, and all trials end."""

import math
from collections.abc import Callable

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.pruners import BasePruner, MedianPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import Trial, TrialState

from optuna_predictor_rl import (
    HopelessTrialPruner,
    LowFidelityPruner,
    PolicyConfig,
    PredictorConfig,
    PredictorRLSampler,
    finalists,
)

N_STEPS = 12
N_TRIALS = 7

PRUNERS: dict[str, Callable[[], BasePruner]] = {
    "low fidelity": lambda: LowFidelityPruner(n_pilot_trials=3),
    "fixed": lambda: LowFidelityPruner(cutoff=4, promising=1.0),
    "hopeless": lambda: HopelessTrialPruner(
        LowFidelityPruner(n_pilot_trials=3), n_warmup_reports=1
    ),
    "median": lambda: MedianPruner(n_startup_trials=2),
}
SAMPLERS: dict[str, Callable[[], BaseSampler]] = {
    "random": lambda: RandomSampler(seed=0),
    "tpe": lambda: TPESampler(seed=0, n_startup_trials=3),
    "ours": lambda: PredictorRLSampler(
        predictor=PredictorConfig(n_members=1, n_epochs=1),
        policy=PolicyConfig(n_steps=1, n_rounds=1),
        n_startup_trials=4,
        learn_from_running=True,
        seed=0,
    ),
}


def reports(kind: str, level: float, number: int) -> list[tuple[int, float]]:
    """Steps and values of a training, in the order in which they come."""
    plain = [(s, level + 1 / s) for s in range(1, N_STEPS + 1)]
    interval = (1, 3, 5, 7)[number % 4]
    return {
        "plain": plain,
        "nan": [(s, math.nan) for s, _ in plain],
        "inf": [(s, math.inf) for s, _ in plain],
        "-inf": [(s, -math.inf) for s, _ in plain],
        "late nan": [(s, v if s < 3 else math.nan) for s, v in plain],
        "gaps": [(s, math.nan if s % 2 else v) for s, v in plain],
        "largest": [(s, (level - 0.5) * 3e308) for s, _ in plain],
        "constant": [(s, 1.0) for s, _ in plain],
        "none": [],
        "one": plain[:1],
        "repeated": [p for p in plain for _ in "12"],
        "decreasing": plain[::-1],
        "sparse": [p for p in plain if p[0] % interval == 0],
        "ends early": plain[: 3 + number % 6],
        "huge first": [(10**12, level), *plain],
        "huge": [(10**400 + s, v) for s, v in plain],
        "other unit": [(s * (1000 if number % 2 else 1), v) for s, v in plain],
    }[kind]


KINDS = [
    "plain", "nan", "inf", "-inf", "late nan", "gaps", "largest", "constant", "none", "one",
    "repeated", "decreasing", "sparse", "ends early", "huge first", "huge", "other unit",
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:The reported value is ignored")
@pytest.mark.parametrize(
    "pruner",
    [
        "low fidelity",
        "fixed",
        "hopeless",
        # Its percentiles of infinite values warn.
        pytest.param("median", marks=pytest.mark.filterwarnings("ignore::RuntimeWarning")),
    ],
)
@settings(deadline=None, derandomize=True, max_examples=10)
@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=3),
    sampler=st.sampled_from(["random", "random", "tpe", "ours"]),
    direction=st.sampled_from(["minimize", "maximize"]),
)
def test_no_curve_raises(pruner: str, kinds: list[str], sampler: str, direction: str) -> None:
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    study = optuna.create_study(
        pruner=PRUNERS[pruner](), sampler=SAMPLERS[sampler](), direction=direction
    )

    def objective(trial: Trial) -> float:
        level = trial.suggest_float("level", 0.0, 1.0)
        for step, value in reports(kinds[trial.number % len(kinds)], level, trial.number):
            trial.report(value, step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return level

    study.optimize(objective, n_trials=N_TRIALS)
    states = [trial.state for trial in study.trials]
    assert len(states) == N_TRIALS
    assert set(states) <= {TrialState.COMPLETE, TrialState.PRUNED}
    assert all(np.isfinite(t.value) or t.state == TrialState.PRUNED for t in finalists(study))
