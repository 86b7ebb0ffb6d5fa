"""Shapes and types are checked in every test: jaxtyping's annotations, by beartype."""

import optuna
import pytest
import torch
from jaxtyping import install_import_hook

torch.set_num_threads(1)  # small matrices are slower on several

install_import_hook(["optuna_predictor_rl", "dhen_objective"], "beartype.beartype")


@pytest.fixture(autouse=True)
def _logging() -> None:
    """`caplog` sees what Optuna says, and what a test silences is not silent in the next one."""
    optuna.logging.set_verbosity(optuna.logging.INFO)
    optuna.logging.enable_propagation()
