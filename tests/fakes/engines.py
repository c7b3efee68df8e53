"""Procrastinate on a server of the tests' own, with worker processes that run ``fakes.engine_jobs``."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import procrastinate
import psycopg
import pytest
from fakes.postgres import Postgres

LIMIT: Final = 300
"""Seconds to wait for what a fault would keep from coming."""
TESTS: Final = Path(__file__).parent.parent
numbers = itertools.count(1)


class Engine:
    """A database with Procrastinate's tables, and worker processes."""

    def __init__(self, server: Postgres, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.ledger = folder / "ledger"
        self.database = f"test{next(numbers)}"
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {self.database}")
        self.url = server.url(self.database)
        self.app = procrastinate.App(
            connector=procrastinate.SyncPsycopgConnector(conninfo=self.url)
        )
        self.app.open()
        self.app.schema_manager.apply_schema()
        self.workers: list[subprocess.Popen[bytes]] = []

    def worker(self, *options: str, url: str | None = None) -> subprocess.Popen[bytes]:
        """Start a worker."""
        command = [sys.executable, "-m", "ticketr.procrastinate", "worker"]
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [*command, "fakes.engine_jobs:app", *options],
                env=os.environ
                | {"ENGINE_URL": url or self.url, "LEDGER": str(self.ledger)}
                | {"PYTHONPATH": str(TESTS)},
                stdout=log,
                stderr=log,
            )
        self.workers.append(process)
        return process

    def defer(self, task: str, jobs: list[dict[str, Any]], **options: Any) -> list[int]:
        """Submit jobs by the name of their task."""
        return self.app.configure_task(task, **options).batch_defer(*jobs)

    def work(self, count: int, seconds: float, prefix: str = "job") -> list[int]:
        """Submit jobs that sleep."""
        jobs = [{"name": f"{prefix}{number}", "seconds": seconds} for number in range(count)]
        return self.defer("fakes.engine_jobs.work", jobs)

    def hold(self, *names: str) -> list[int]:
        """Submit jobs that run until they are let go."""
        return self.defer("fakes.engine_jobs.held", [{"name": name} for name in names])

    def let_go(self, *names: str) -> None:
        """Let held jobs end."""
        for name in names:
            Path(f"{self.ledger}-{name}").touch()

    def statuses(self) -> dict[str, int]:
        """Return how many jobs there are of each status."""
        with psycopg.connect(self.url) as connection:
            query = "SELECT status::text, count(*) FROM procrastinate_jobs GROUP BY status"
            return dict(connection.execute(query).fetchall())

    def events(self) -> dict[str, list[tuple[str, int, float]]]:
        """Return what the ledger says of each job: what it did, in which process, and when."""
        events = defaultdict[str, list[tuple[str, int, float]]](list)
        if self.ledger.exists():
            # One that crosses a page of the file may be read in half.
            *whole, _ = self.ledger.read_text().split("\n")
            for line in whole:
                what, name, pid, at = line.split()
                events[name].append((what, int(pid), float(at)))
        return events

    def count(self, what: str) -> int:
        """Return how often the ledger has a word."""
        return sum(event[0] == what for events in self.events().values() for event in events)

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def until(self, condition: Callable[[], bool], limit: float = LIMIT) -> None:
        """Wait for other processes."""
        end = time.monotonic() + limit
        while not condition():
            if time.monotonic() > end:
                pytest.fail(f"waited in vain: {self.statuses()}\n{self.log()[-6000:]}")
            time.sleep(0.02)  # noqa: TID251 - other processes work

    def ended(self) -> bool:
        return not {"todo", "doing"} & self.statuses().keys()

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()
        self.app.close()
