"""Examples without a deadline, since the first one imports, and a quiet Optuna."""

import optuna
import pytest


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
