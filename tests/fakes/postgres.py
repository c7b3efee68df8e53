"""A PostgreSQL server of the tests' own: in a temporary folder, on a free port of the loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import pytest
from free_ports import free_port

BINARIES: Final = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
MISSING: Final = "needs PostgreSQL: install the package postgresql"


class Postgres:
    """A server; start it, stop it, kill it.

    Attributes:
        port: Its port on the loopback.
    """

    def __init__(self, *, fsync: bool = False) -> None:
        self._bin = BINARIES[-1]
        # initdb and postgres refuse to run as root.
        self._user = "postgres" if os.geteuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix="ticketr-pg-"))
        if self._user is not None:
            owner = pwd.getpwnam(self._user)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self.port = free_port()
        self._settings = f"-h 127.0.0.1 -k '' -p {self.port} -c max_connections=200"
        if not fsync:
            self._settings += " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
        self._run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync")
        self.start()

    def url(self, database: str = "postgres", port: int | None = None) -> str:
        """Return the address of a database, also through a proxy."""
        return f"postgresql://postgres@127.0.0.1:{port or self.port}/{database}"

    def start(self) -> None:
        self._control("-l", str(self.folder / "log"), "-o", self._settings, "start")

    def stop(self, mode: str = "fast") -> None:
        self._control("-m", mode, "stop")

    def remove(self) -> None:
        if (self.folder / "data" / "postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self.folder)

    def _control(self, *arguments: str) -> None:
        # It waits a minute unless it is told otherwise.
        self._run("pg_ctl", "-w", "-t", "300", *arguments)

    def _run(self, command: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._bin / command, "-D", self.folder / "data", *arguments],
            user=self._user,
            group=self._user,
            extra_groups=[] if self._user else None,
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            # Not pipes, which the server would hold open.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE if command != "pg_ctl" else subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == 0, (command, done.stderr)


def skip_without_postgres() -> None:
    if not BINARIES:
        pytest.skip(MISSING)
