"""What a new user meets: imports, representations, and the errors of the likeliest mistakes."""

import copy
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import optuna
import pytest
from optuna.trial import Trial

from optuna_predictor_rl import (
    HopelessTrialPruner,
    LowFidelityPruner,
    PolicyConfig,
    PredictorConfig,
    PredictorRLSampler,
    finalists,
)


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def parabola(trial: Trial) -> float:
    return trial.suggest_float("x", -1, 1) ** 2


def searched(sampler: PredictorRLSampler, n_trials: int = 1) -> None:
    study = optuna.create_study(sampler=sampler)
    study.optimize(parabola, n_trials=n_trials)


FIRST_SUGGESTION = """
import sys, optuna, torch
before = set(sys.modules)
import optuna_predictor_rl
imported = set(sys.modules) - before
sampler = optuna_predictor_rl.PredictorRLSampler(seed=0, n_startup_trials=2)
study = optuna.create_study(sampler=sampler)
constructed = set(sys.modules)
study.optimize(lambda trial: trial.suggest_float("x", -1, 1) ** 2, n_trials=4)
print(*sorted(imported))
print(*sorted(set(sys.modules) - constructed))
"""


@pytest.fixture(scope="module")
def modules() -> tuple[set[str], set[str]]:
    """What importing the package adds to Optuna and torch, and the first suggestions add to it."""
    done = subprocess.run(
        [sys.executable, "-c", FIRST_SUGGESTION], capture_output=True, text=True, check=True
    )
    imported, suggested = done.stdout.split("\n")[:2]
    return set(imported.split()), set(suggested.split())


def test_importing_loads_nothing_slow_beside_optuna_and_torch(
    modules: tuple[set[str], set[str]],
) -> None:
    imported, _ = modules
    heavy = {
        "botorch",
        "gpytorch",
        "matplotlib",
        "optuna_dashboard",
        "pandas",
        "plotly",
        "sklearn",
    }
    assert not heavy & {name.partition(".")[0] for name in imported}
    assert not imported & {"scipy.stats", "scipy.optimize"}


def test_suggesting_imports_nothing_once_the_sampler_is_made(
    modules: tuple[set[str], set[str]],
) -> None:
    _, suggested = modules
    assert suggested == set()


@pytest.mark.parametrize(
    ("made", "shown"),
    [
        (PredictorRLSampler(seed=3), "PredictorRLSampler(seed=3)"),
        (
            PredictorRLSampler(cost="flops", cost_weight=(0.0, 0.5), seed=1),
            "PredictorRLSampler(cost='flops', cost_weight=(0.0, 0.5), seed=1)",
        ),
        (
            PredictorRLSampler(predictor=PredictorConfig.paper(), seed=1),
            f"PredictorRLSampler(predictor={PredictorConfig.paper()!r}, seed=1)",
        ),
        (LowFidelityPruner(), "LowFidelityPruner()"),
        (
            LowFidelityPruner(cutoff=5, axis=["log", "linear"]),
            "LowFidelityPruner(cutoff=5, axis=['log', 'linear'])",
        ),
        (
            HopelessTrialPruner(LowFidelityPruner(n_pilot_trials=4)),
            "HopelessTrialPruner(pruner=LowFidelityPruner(n_pilot_trials=4))",
        ),
    ],
)
def test_a_representation_names_what_was_set_and_makes_the_same_again(
    made: Any, shown: str
) -> None:
    assert repr(made) == shown
    assert repr(eval(shown)) == shown
    assert repr(copy.deepcopy(made)) == shown


MISTAKES: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "a startup of less than nothing": (
        lambda: PredictorRLSampler(n_startup_trials=-1),
        ValueError,
        "n_startup_trials must not be negative, but got -1.",
    ),
    "a cost weight without a cost": (
        lambda: PredictorRLSampler(cost_weight=0.3),
        ValueError,
        "cost_weight must be 0 without a cost, but got",
    ),
    "a cost weight in percent": (
        lambda: PredictorRLSampler(cost="flops", cost_weight=30.0),
        ValueError,
        r"cost_weight must be in \[0, 1\], but got 30.0.",
    ),
    "a cost that no trial has stored": (
        lambda: searched(PredictorRLSampler(cost="flops", cost_weight=0.3), 3),
        ValueError,
        "cost must name a user attribute of every complete trial, but trial 0 has no 'flops'.",
    ),
    "a misspelt setting": (
        lambda: PolicyConfig(reward="best"),
        ValueError,
        r"reward must be one of \('improvement', 'mean'\), but got 'best'.",
    ),
    "a distance of more than the range": (
        lambda: PolicyConfig(distances=(0.1, 2.0)),
        ValueError,
        r"distances must be one or more numbers in \[0, 1\], but got \(0.1, 2.0\).",
    ),
    "a rate of zero": (
        lambda: PolicyConfig(learning_rate=0.0),
        ValueError,
        "learning_rate must be positive, but got 0.0.",
    ),
    "too few pilots": (
        lambda: LowFidelityPruner(n_pilot_trials=1),
        ValueError,
        "n_pilot_trials must be at least 3, but got 1.",
    ),
    "a cutoff as a share": (
        lambda: LowFidelityPruner(cutoff=0),
        ValueError,
        "cutoff must be at least 1, but got 0.",
    ),
    "the label of a trial that reports nothing": (
        lambda: LowFidelityPruner(cutoff=3).label(optuna.create_study().ask()),
        ValueError,
        "trial must have reported a value to be labelled, but trial 0 has reported none.",
    ),
    "no finalists wanted": (
        lambda: finalists(optuna.create_study(), 0),
        ValueError,
        "k must be at least 1, but got 0.",
    ),
    "a look into a study without trials": (
        lambda: PredictorRLSampler().inspect(optuna.create_study()),
        ValueError,
        "study must have a finished trial with a parameter, but has none.",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_likely_mistake_is_told_by_argument_rule_and_value(mistake: str) -> None:
    make, kind, message = MISTAKES[mistake]
    with pytest.raises(kind, match=message):
        make()
