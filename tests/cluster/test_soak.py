"""Test that many jobs of all kinds leave nothing behind, neither keys nor memory."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trio
from fakes import cluster_jobs as jobs
from fakes.clusters import SECRET, WorkerProcess, new_name

from ticketr import JobFailed, JobStatus, Keep
from ticketr.cluster import open_cluster_queue
from ticketr.cluster._address import read_url
from ticketr.cluster._connection import open_client
from ticketr.cluster._keys import LEVELS, QueueKeys

if TYPE_CHECKING:
    import coredis

    from ticketr.cluster import ClusterQueue

AT_ONCE = 50
LONGEST_GROWTH = 8 * 2**20
"""Bytes that a process may grow by while 70,000 jobs run."""
RECORD = 2500
"""Bytes of an ended job in the server, which keeps those of the last 30 seconds, many or few."""
FOR_EVER = -1
"""The life of a key that has no end; -2 is that of one whose end has come since it was listed."""


async def have_one(queue: ClusterQueue, number: int) -> None:
    """Have a job live and end, each number in another way."""
    match number % 8:
        case 0:
            assert await queue.run(jobs.echo, number, key=f"k{number % 3}") == number
        case 1:
            assert await queue.run(jobs.echo, number, delay=0.01) == number
        case 2:
            assert await queue.run(jobs.later, 1) == 2
        case 3:
            with pytest.raises(JobFailed):
                await queue.run(jobs.fail, "as it is to")
        case 4:
            handle = await queue.submit(jobs.forever, priority=number % 3 - 1)
            assert (await handle.cancel_and_wait()).status is JobStatus.CANCELLED
        case 5:
            first = await queue.submit(jobs.echo)
            assert await queue.run(jobs.echo, number, after=[first.id]) == number
        case 6:
            with trio.move_on_after(number % 5 * 0.002):
                await queue.run(jobs.echo, within=60)
        case _:
            assert await queue.run(jobs.count, 3) == 3


async def have_all(queue: ClusterQueue, numbers: range) -> None:
    left = iter(numbers)

    async def have() -> None:
        for number in left:
            await have_one(queue, number)

    async with trio.open_nursery() as nursery:
        for _ in range(AT_ONCE):
            nursery.start_soon(have)


async def memory_of(server: coredis.Redis[bytes], worker: WorkerProcess, name: str) -> list[int]:
    """Return the bytes of the server beside ended jobs, of the worker and of this process."""
    ended = await server.zcard(f"{QueueKeys(name).prefix}ended")
    facts: Any = await server.info("memory")
    pages = [Path(f"/proc/{pid}/statm").read_text().split()[1] for pid in (worker.pid, "self")]
    return [int(facts["used_memory"]) - RECORD * ended, *(int(count) * 4096 for count in pages)]


async def orphans(server: coredis.Redis[bytes], name: str) -> set[str]:
    """Return the keys of a queue that nobody will ever delete, beside those that all jobs share."""
    keys = QueueKeys(name)
    streams = {f"{keys.engine}:queues:{level}" for level in LEVELS}
    shared = {f"{keys.prefix}{each}" for each in ("secret", "ended", "totals", "settings")}
    for stream in streams:
        assert await server.xlen(stream) == 0
    found = [key.decode() for key in await server.keys(f"*{name}*")]
    return {key for key in found if await server.ttl(key) == FOR_EVER} - streams - shared


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(160, id="sample"),
        pytest.param(100_000, id="whole", marks=[pytest.mark.stress, pytest.mark.timeout(3600)]),
    ],
)
async def test_jobs_leave_nothing_behind(url: str, count: int) -> None:
    name, early = new_name(), count * 3 // 10
    # A lease that no load of the machine outlasts: a job that is taken over has one attempt more.
    worker = WorkerProcess(url, name, workers=16, lease=60)
    async with open_client(read_url(url)) as server:
        try:
            async with open_cluster_queue(
                url, name=name, secret=SECRET, keep=Keep(100, 60)
            ) as queue:
                await have_all(queue, range(early))
                before = await memory_of(server, worker, name)
                await have_all(queue, range(early, count))
                after = await memory_of(server, worker, name)
            assert await trio.to_thread.run_sync(worker.end) == 0
        finally:
            worker.end(signal.SIGKILL)
        assert await orphans(server, name) == set()

    growth = [new - old for old, new in zip(before, after, strict=True)]
    assert max(growth) < LONGEST_GROWTH, f"server, worker and submitter grew by {growth} bytes"
