"""A PostgreSQL server of the tests' own: on loopback, in a temporary folder, unprivileged."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

USER = "nobody"
"""Runs the server when the tests run as root, whom PostgreSQL refuses."""
N_CONNECTIONS = 60


def binaries() -> Path | None:
    """The folder of the newest installed server's programs, Debian's included."""
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3])
    )
    if debian:
        return debian[-1].parent
    found = shutil.which("initdb")
    return None if found is None else Path(found).parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class PostgresServer:
    """A server that can be stopped, killed and started again with what it holds."""

    def __init__(self) -> None:
        found = binaries()
        if found is None:
            raise FileNotFoundError("initdb must be installed, but it is not.")
        self._binaries = found
        self._user = USER if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        if self._user is not None:
            os.chown(self._folder, pwd.getpwnam(self._user).pw_uid, -1)
        self.port = free_port()
        options = ["--username=optuna", "--auth=trust", "--no-sync", "--no-instructions"]
        self._call("initdb", f"--pgdata={self._folder}/data", *options)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://optuna@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self._folder,
            "max_connections": N_CONNECTIONS,
            "fsync": "off",
        }
        command = [str(self._binaries / "postgres"), "-D", f"{self._folder}/data"]
        for key, value in settings.items():
            command += ["-c", f"{key}={value}"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self._folder, user=self._user
            )
        deadline = time.monotonic() + 120
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self._folder / "log").read_text())
            time.sleep(0.05)

    def stop(self) -> None:
        """Ends every connection and the server, without waiting for its clients."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            self._process.wait(120)
            self._process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def clear(self) -> None:
        """Drops all tables, for the next test."""
        sql = "DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
        where = ["--host=127.0.0.1", f"--port={self.port}", "--username=optuna"]
        self._call("psql", *where, "--dbname=postgres", "--quiet", "--command", sql)

    def _is_ready(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            where = ["--host=127.0.0.1", f"--port={self.port}", "--username=optuna"]
            asked = [str(self._binaries / "pg_isready"), "--quiet", *where]
            return subprocess.run(asked, check=False).returncode == 0
        return False

    def _call(self, program: str, *arguments: str) -> None:
        command = [str(self._binaries / program), *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, cwd="/", user=self._user, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stderr}")
