"""Objectives of small networks, and studies of them."""

from dataclasses import replace
from typing import Any

import optuna

from dhen_objective.config import DHENConfig, Interaction, TrainConfig
from dhen_objective.objective import DHENObjective
from dhen_objective.streams import ClickStream

BASE = DHENConfig(n_layers=1, modules=(Interaction.LINEAR,), dim=8)
FAST = TrainConfig(batch_size=100, n_reports=5, window=0.4)


def small(trial: optuna.trial.BaseTrial) -> tuple[DHENConfig, TrainConfig]:
    config = replace(BASE, n_layers=trial.suggest_int("n_layers", 1, 2))
    return config, replace(FAST, lr=trial.suggest_float("lr", 1e-3, 1e-2))


def objective_on(stream: ClickStream, **options: Any) -> DHENObjective:
    """Return an objective against `BASE`, which searches `small` networks by default."""
    return DHENObjective(stream, baseline=BASE, **{"training": FAST, "suggest": small} | options)


def new_study(pruner: optuna.pruners.BasePruner | None = None) -> optuna.Study:
    sampler = optuna.samplers.RandomSampler(seed=0)
    return optuna.create_study(sampler=sampler, pruner=pruner or optuna.pruners.NopPruner())


def run(
    objective: DHENObjective, pruner: optuna.pruners.BasePruner | None = None, n: int = 1
) -> optuna.Study:
    study = new_study(pruner)
    study.optimize(objective, n_trials=n)
    return study
