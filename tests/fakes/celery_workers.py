"""Celery's workers in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fakes.celery_app import Tasks
from fakes.celery_jobs import gate_of, read_ledger

TESTS = Path(__file__).parents[1]
LIMIT = 300
"""Seconds to wait for what a fault would keep from coming."""


def pause() -> None:
    threading.Event().wait(0.01)


def until(is_so: Callable[[], object]) -> None:
    """Wait until something is so; the test has a time limit."""
    while not is_so():
        pause()


class Worker:
    """A worker process."""

    def __init__(
        self, broker: str, queue: str, folder: Path, *, slots: int = 4, **settings: Any
    ) -> None:
        self._log = folder / f"worker-{uuid.uuid4().hex[:8]}.log"
        environment = {
            **os.environ,
            "PYTHONPATH": str(TESTS),
            "TEST_BROKER": broker,
            "TEST_QUEUE": queue,
            "TEST_SETTINGS": json.dumps(settings),
        }
        program = [sys.executable, "-m", "celery", "-A", "fakes.celery_app", "worker"]
        self.name = f"{self._log.stem}@tests"
        options = ["-c", str(slots), "-n", self.name, "-l", "INFO"]
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                [*program, *options], stdout=output, stderr=output, env=environment
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def until_ready(self) -> None:
        """Wait until it takes jobs."""
        until(lambda: " ready." in self.log or not self.is_alive)
        assert self.is_alive, self.log

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, and return the exit code."""
        self.send(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end, and return the exit code."""
        return self._process.wait()


class Site:
    """A queue of its own in RabbitMQ, with what submits to it and works for it."""

    def __init__(self, broker: str, folder: Path, **settings: Any) -> None:
        self.broker = broker
        self.queue = f"q{uuid.uuid4().hex[:8]}"
        self.folder = folder
        self.ledger = str(folder / "ledger")
        self.tasks = Tasks(broker, self.queue, **settings)
        self.workers: list[Worker] = []
        self._settings = settings

    def start_worker(self, *, slots: int = 4, broker: str = "", **settings: Any) -> Worker:
        """Start a worker, and wait until it takes jobs."""
        worker = self.launch_worker(slots=slots, broker=broker, **settings)
        worker.until_ready()
        return worker

    def launch_worker(self, *, slots: int = 4, broker: str = "", **settings: Any) -> Worker:
        """Start a worker."""
        settings = {**self._settings, **settings}
        worker = Worker(broker or self.broker, self.queue, self.folder, slots=slots, **settings)
        self.workers.append(worker)
        return worker

    def events(self, job: str) -> list[str]:
        """Return what has happened to a job."""
        return [entry.event for entry in read_ledger(self.ledger) if entry.job == job]

    def until(self, job: str, event: str, count: int = 1) -> None:
        """Wait until something has happened to a job."""
        until(lambda: self.events(job).count(event) >= count)

    def let_go(self, *jobs: str) -> None:
        """Let held jobs end."""
        for job in jobs:
            gate_of(self.ledger, job).touch()

    def revoke(self, job_id: str, worker: Worker, **options: Any) -> str:
        """Revoke a job, and return what the worker answers."""
        control = self.tasks.app.control
        more: dict[str, Any] = {"destination": [worker.name], "reply": True, "limit": 1}
        return str(control.revoke(job_id, timeout=LIMIT, **more, **options))

    def close(self) -> None:
        """End all workers, and delete the queue."""
        for worker in self.workers:
            worker.end(signal.SIGKILL)
        self.tasks.close()
