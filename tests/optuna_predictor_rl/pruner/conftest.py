import optuna
import pytest
from optuna.storages import InMemoryStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend

from tests.optuna_predictor_rl.pruner.studies import MakeStorage


@pytest.fixture(params=["memory", "sqlite", "journal"])
def make_storage(request: pytest.FixtureRequest, tmp_path) -> MakeStorage:
    """Opens one and the same storage at each call, as another process would."""
    memory = InMemoryStorage()
    return {
        "memory": lambda: memory,
        "sqlite": lambda: RDBStorage(f"sqlite:///{tmp_path}/study.db"),
        "journal": lambda: JournalStorage(JournalFileBackend(f"{tmp_path}/study.log")),
    }[request.param]


@pytest.fixture(autouse=True)
def quiet() -> None:
    """Only warnings."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
