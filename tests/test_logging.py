"""All that both packages say goes through Optuna's logging, as its users set it."""

import importlib
import logging
import pkgutil
from types import ModuleType

import optuna
import pytest

import dhen_objective
import optuna_predictor_rl
from optuna_predictor_rl import LowFidelityPruner


@pytest.mark.parametrize("package", [optuna_predictor_rl, dhen_objective])
def test_every_logger_is_below_optunas(package: ModuleType) -> None:
    found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    modules = [package, *(importlib.import_module(module.name) for module in found)]
    assert len(modules) > 10
    loggers = [v for m in modules for v in vars(m).values() if isinstance(v, logging.Logger)]
    assert all(logger.name.startswith("optuna.") for logger in loggers), loggers
    # So that Optuna's one handler and level hold.
    assert all(logger.propagate and not logger.handlers for logger in loggers)
    prefix = f"{package.__name__}."
    assert not [name for name in logging.root.manager.loggerDict if name.startswith(prefix)]


def backwards() -> None:
    trial = optuna.create_study(pruner=LowFidelityPruner(cutoff=9)).ask()
    for step in (2, 1):
        trial.report(0.0, step)
        trial.should_prune()


def test_the_pruner_says_what_optuna_lets_it_say(caplog: pytest.LogCaptureFixture) -> None:
    for level, is_said in ((optuna.logging.WARNING, True), (optuna.logging.ERROR, False)):
        caplog.clear()
        optuna.logging.set_verbosity(level)
        backwards()
        assert ("in the order of the steps" in caplog.text) is is_said
