"""Shapes and types are checked in every test: jaxtyping's annotations, by beartype."""

from collections.abc import Iterator

import optuna
import pytest
import torch
from jaxtyping import install_import_hook

torch.set_num_threads(1)  # small matrices are slower on several

install_import_hook(["optuna_predictor_rl", "dhen_objective"], "beartype.beartype")


@pytest.fixture(autouse=True)
def _verbosity() -> Iterator[None]:
    """What a test makes Optuna say, or keep quiet about, is not the next one's."""
    before = optuna.logging.get_verbosity()
    yield
    optuna.logging.set_verbosity(before)
