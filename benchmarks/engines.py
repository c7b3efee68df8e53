"""Measure the adapters of engines: how soon a job starts, how many run, how soon one is cancelled.

The servers are those of the tests, in temporary folders; where one is missing, a row says so.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import engine_celery
import engine_procrastinate
import pytest
from engine_work import LEDGER, times
from fakes.postgres import Postgres, skip_without_postgres
from fakes.rabbitmq import RabbitMQ
from sizes import size
from table import show

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

HERE = Path(__file__).parent
SLOTS = 16
ROUNDS = size(2, toy=1)
STARTS = size(50, toy=2)
CANCELS = size(20, toy=2)
#: The least no-op jobs per second, as a part of those of the engine's own worker.
GOAL = 0.6
#: Seconds in which a worker has to run what is there.
PATIENCE = 60.0


class Engine(NamedTuple):
    """An engine with its adapter.

    Attributes:
        name: Its name.
        worker: The command of a worker with the adapter.
        plain_workers: Those of the engine's own workers, by the names of their pools.
        nothing: Submit jobs that do nothing, for the first.
        plain: Submit jobs that do nothing, for the second.
        endless: Submit a job that runs until it is cancelled, and return its ID.
        cancel: Cancel a job by its ID.
        jobs: How many jobs a rate counts: those of about two seconds.
    """

    name: str
    worker: list[str]
    plain_workers: dict[str, list[str]]
    nothing: Callable[[Sequence[str]], object]
    plain: Callable[[Sequence[str]], object]
    endless: Callable[[str], Any]
    cancel: Callable[[Any], object]
    jobs: int


@contextmanager
def procrastinate() -> Generator[Engine]:
    with ExitStack() as stack:
        skip_without_postgres()
        server = Postgres()
        stack.callback(server.remove)
        os.environ.update(PGHOST="127.0.0.1", PGPORT=str(server.port), PGUSER="postgres")
        app = engine_procrastinate.app
        stack.enter_context(app.open())
        app.schema_manager.apply_schema()
        program, slots = [sys.executable, "-m"], f"--concurrency={SLOTS}"
        ours = ["ticketr.procrastinate", "worker", "engine_procrastinate:app", slots]
        plain = ["procrastinate", "-a", "engine_procrastinate.app", "worker", slots]
        yield Engine(
            "Procrastinate",
            [*program, *ours],
            {"default": [*program, *plain]},
            lambda names: engine_procrastinate.nothing.batch_defer(*named(names)),
            lambda names: engine_procrastinate.plain.batch_defer(*named(names)),
            lambda name: engine_procrastinate.endless.defer(name=name),
            lambda job: app.job_manager.cancel_job_by_id(job, abort=True),
            size(300, toy=5),
        )


def named(names: Sequence[str]) -> list[Any]:
    return [{"name": name} for name in names]


@contextmanager
def celery() -> Generator[Engine]:
    with ExitStack() as stack:
        server = RabbitMQ()
        stack.callback(server.close)
        os.environ["CELERY_BROKER_URL"] = server.url
        app = engine_celery.app
        stack.callback(app.close)
        worker = [sys.executable, "-m", "celery", "-A", "engine_celery", "worker", f"-c{SLOTS}"]
        worker += ["--without-mingle", "--without-gossip"]  # they start sooner
        yield Engine(
            "Celery",
            worker,
            {"default": [*worker, "-Pprefork"], "-P threads": [*worker, "-Pthreads"]},
            lambda names: [engine_celery.nothing.delay(name) for name in names],
            lambda names: [engine_celery.plain.delay(name) for name in names],
            lambda name: engine_celery.endless.delay(name).id,
            lambda job: app.control.revoke(job, terminate=True),
            size(1500, toy=5),
        )


@contextmanager
def running(command: list[str]) -> Generator[None]:
    """Run a worker during the block, with a ledger of its own."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        os.environ[LEDGER] = str(Path(folder) / "ledger")
        worker = stack.enter_context(
            subprocess.Popen(
                command, cwd=HERE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        )
        try:
            yield
        finally:
            worker.send_signal(signal.SIGTERM)
            try:
                worker.wait(10)
            finally:
                worker.kill()


def wait_for(event: str, names: Sequence[str], *, every: float = 0.005) -> dict[str, float]:
    """Wait until something has happened to all these jobs, and return when."""
    deadline = time.monotonic() + PATIENCE
    while not set(names) <= (seen := times(event)).keys():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(set(names) - seen.keys())} of {len(names)}: no {event!r}")
        threading.Event().wait(every)
    return {name: seen[name] for name in names}


def jobs_per_second(
    command: list[str], submit: Callable[[Sequence[str]], object], names: list[str]
) -> float:
    """Fill the queue, start a worker, and count from the first start to the last."""
    submit(names)
    with running(command):
        started = sorted(wait_for("start", names, every=0.1).values())
    return (len(names) - 1) / (started[-1] - started[0])


def submit_to_start(engine: Engine) -> float:
    delays = []
    for number in range(STARTS):
        name, begun = f"single-{number}", time.time()
        engine.nothing([name])
        delays.append(wait_for("start", [name])[name] - begun)
    return statistics.median(delays)


def cancel_latency(engine: Engine) -> float:
    delays = []
    for number in range(CANCELS):
        name = f"endless-{number}"
        job = engine.endless(name)
        wait_for("start", [name])
        begun = time.time()
        engine.cancel(job)
        delays.append(wait_for("cancelled", [name])[name] - begun)
    return statistics.median(delays)


def measure_rates(engine: Engine) -> None:
    """Measure the workers by turns."""
    workers = {"": (engine.worker, engine.nothing)}
    workers |= {name: (command, engine.plain) for name, command in engine.plain_workers.items()}
    rates: dict[str, list[float]] = {name: [] for name in workers}
    for turn in range(ROUNDS):
        for name, (command, submit) in workers.items():
            jobs = [
                f"{name or 'ours'}-{turn}-{number}".replace(" ", "")
                for number in range(engine.jobs)
            ]
            rates[name].append(jobs_per_second(command, submit, jobs))
    ours = rates.pop("")
    show(
        f"engines: {engine.name}: {statistics.median(ours):.0f} jobs/s that do nothing,"
        f" {SLOTS} at once"
    )
    for name, theirs in rates.items():
        part = statistics.median(mine / peer for mine, peer in zip(ours, theirs, strict=True))
        goal = ""
        if name == "default":
            goal = f" (goal: {GOAL})" + ("" if part >= GOAL else ": MISSED")
        show(f"engines: {engine.name}: that is {part:.2f} of its own worker, {name}{goal}")


def measure(engine: Engine) -> None:
    measure_rates(engine)
    with running(engine.worker):
        engine.nothing(["first"])
        wait_for("start", ["first"])
        start, cancel = submit_to_start(engine), cancel_latency(engine)
    show(f"engines: {engine.name}: submit to start {start * 1e3:.1f} ms (median of {STARTS})")
    show(
        f"engines: {engine.name}: a cancel from another process reaches a running job in"
        f" {cancel * 1e3:.1f} ms (median of {CANCELS})"
    )


def run() -> None:
    """Measure, and show the table's rows."""
    for open_engine in (procrastinate, celery):
        with ExitStack() as stack:
            try:
                engine = stack.enter_context(open_engine())
            except pytest.skip.Exception as missing:
                show(f"engines: {open_engine.__name__}: 0 rows, since it {missing}")
                continue
            measure(engine)
