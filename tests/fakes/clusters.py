"""A cluster for tests: a queue, and its workers in this process or in others."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import uuid
from contextlib import asynccontextmanager
from functools import partial
from multiprocessing import forkserver
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trio

from ticketr.cluster import ClusterQueue, open_cluster_queue, run_worker
from ticketr.cluster._commands import main

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from multiprocessing.connection import Connection

    from ticketr import JobHandle, JobStatus
    from ticketr.cluster import ClusterHandle

SECRET = "a secret of the tests"
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["fakes.clusters", "fakes.cluster_jobs"])


def new_name() -> str:
    return f"q{uuid.uuid4().hex[:8]}"


@asynccontextmanager
async def open_cluster(
    url: str,
    *,
    workers: int = 4,
    lease: float = 60.0,
    name: str = "",
    **options: Any,
) -> AsyncGenerator[ClusterQueue, None]:
    """Open a queue, and run its worker in this process; 0 workers for none."""
    name = name or new_name()
    stop = trio.Event()

    ready = trio.Event()
    work = partial(
        run_worker,
        url,
        name=name,
        secret=SECRET,
        workers=workers,
        lease=lease,
        grace=0,
        stop=stop,
        on_ready=lambda _: ready.set(),
    )
    async with trio.open_nursery() as nursery:
        if workers:
            nursery.start_soon(work)
            await ready.wait()
        try:
            async with open_cluster_queue(url, name=name, secret=SECRET, **options) as queue:
                yield queue
        finally:
            stop.set()


class WorkerProcess:
    """A worker in a process of its own, forked from one that has imported all it needs."""

    def __init__(
        self, url: str, name: str, *, workers: int = 4, lease: float = 10.0, grace: float = 0.0
    ) -> None:
        arguments = [
            *("worker", "--url", url, "--name", name, "--workers", str(workers)),
            *("--lease", str(lease), "--grace", str(grace), "fakes.cluster_jobs"),
        ]
        start_forks()
        self._output, output = FORKS.Pipe(duplex=False)
        self._process = FORKS.Process(target=run_command, args=(arguments, output), daemon=True)
        self._process.start()
        output.close()
        self._id = ""

    @property
    def id(self) -> str:
        """Its ID, once it is ready."""
        if not self._id:
            words = os.read(self._output.fileno(), 1000).split()
            assert words, "the worker does not start"
            self._id = words[1].decode()
        return self._id

    @property
    def pid(self) -> int:
        assert self._process.pid is not None  # it was started
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int | None:
        """Send a signal and return the exit code."""
        if self.is_alive:
            self.send(number)
        self._process.join()
        self._output.close()
        return self._process.exitcode


def start_forks() -> None:
    """Start the process from which workers are forked, unless it runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))  # it ignores sys.path
        patch.setattr(sys.modules["__main__"], "__spec__", None)  # forks need not import pytest
        forkserver.ensure_running()


def run_command(arguments: list[str], output: Connection) -> None:
    """Run a command of ``python -m ticketr.cluster`` in a forked process."""
    os.dup2(output.fileno(), 1)
    os.environ["TICKETR_CLUSTER_SECRET"] = SECRET
    sys.exit(main(arguments))


async def read_all(block: AbstractAsyncContextManager[AsyncIterator[Any]]) -> list[Any]:
    """Return all results of a map."""
    async with block as results:
        return [result async for result in results]


async def until(handle: ClusterHandle[Any] | JobHandle[Any], status: JobStatus) -> None:
    """Wait until a job has this status."""
    if handle.status is status:
        return
    with handle.watch() as changes:
        if handle.status is status:
            return
        async for snapshot in changes:
            if snapshot.status is status:
                return
    raise AssertionError(f"the job has ended as {handle.status}")


async def until_waiting(handle: ClusterHandle[Any] | JobHandle[Any], reason: str) -> None:
    """Wait until a job waits for this."""
    with handle.watch() as changes:
        if handle.snapshot().waiting_for == reason:
            return
        async for snapshot in changes:
            if snapshot.waiting_for == reason:
                return
    raise AssertionError(f"the job has ended as {handle.status}")


async def until_attempt(handle: ClusterHandle[Any], attempt: int) -> None:
    """Wait until a job runs for the n-th time."""
    with handle.watch() as changes:
        if handle.snapshot().attempt >= attempt:
            return
        async for snapshot in changes:
            if snapshot.attempt >= attempt:
                return
    raise AssertionError(f"the job has ended as {handle.status}")


async def until_lines(path: Path, count: int) -> list[str]:
    """Wait until jobs have written so many lines; return their first words.

    The server has a job as running before its function is called, and a cancel may come first.
    """
    while not path.exists() or len(path.read_text().splitlines()) < count:  # noqa: ASYNC110
        await trio.sleep(0.005)
    return [line.split()[0] for line in path.read_text().splitlines()]
