"""Each way to distribute a search runs at its smallest, with four workers on this machine."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.postgres import PostgresServer, free_port

pytestmark = pytest.mark.ci

EXAMPLES = Path(__file__).parents[2] / "examples" / "workers"
N_WORKERS = 4
N_TRIALS = 12


def start(name: str, *options: str, cwd: Path) -> subprocess.Popen[str]:
    command = [sys.executable, str(EXAMPLES / name), *options]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=cwd, text=True, stdout=pipe, stderr=pipe)


def output(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    return out


@pytest.fixture(params=["journal", "postgres", "grpc"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where workers meet, as the examples name it."""
    if request.param == "journal":
        yield f"journal:{tmp_path}/study.log"
        return
    postgres: PostgresServer = request.getfixturevalue("postgres")
    if request.param == "postgres":
        yield postgres.url
        return
    port = free_port()
    proxy = start("proxy.py", "--storage", postgres.url, "--port", str(port), cwd=tmp_path)
    yield f"grpc:localhost:{port}"
    proxy.kill()
    proxy.communicate()


def test_workers_search_a_study_together(storage: str, tmp_path: Path) -> None:
    options = ["--storage", storage, "--trials", str(N_TRIALS)]
    workers = [start("worker.py", *options, cwd=tmp_path) for _ in range(N_WORKERS)]
    for said in map(output, workers):
        n_finished = int(said.split(" finished trials")[0])
        assert N_TRIALS <= n_finished < N_TRIALS + N_WORKERS


def test_dask_workers_suggest_and_train(tmp_path: Path) -> None:
    said = output(start("dask_cluster.py", "--trials", str(N_TRIALS), cwd=tmp_path))
    assert f"{N_TRIALS} finished trials" in said


def test_ray_tasks_train_what_the_driver_suggests(tmp_path: Path) -> None:
    said = output(start("ray_tasks.py", "--trials", str(N_TRIALS), cwd=tmp_path))
    assert f"{N_TRIALS} complete trials" in said
