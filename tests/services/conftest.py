import os
from collections.abc import Callable, Iterator

import optuna
import pytest
from optuna.storages import BaseStorage, get_storage

from tests.services.postgres import PostgresServer, binaries


@pytest.fixture(scope="session")
def _server() -> Iterator[PostgresServer]:
    if binaries() is None and "CI" not in os.environ:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    server = PostgresServer()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def postgres(_server: PostgresServer) -> PostgresServer:
    """A running server without tables."""
    _server.stop()
    _server.start()
    _server.clear()
    return _server


@pytest.fixture
def opened() -> Iterator[Callable[[str | BaseStorage], BaseStorage]]:
    """Opens storages, and closes their connections afterwards."""
    storages: list[BaseStorage] = []

    def register(storage: str | BaseStorage) -> BaseStorage:
        storages.append(get_storage(storage))
        return storages[-1]

    yield register
    for storage in storages:
        storage.remove_session()
        backend = getattr(storage, "_backend", storage)
        if hasattr(backend, "engine"):
            backend.engine.dispose()


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(optuna.logging.INFO)
