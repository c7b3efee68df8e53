"""Test a server whose memory is used up: what it refuses, and that the queue gets it out of that."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import trio
from fakes import cluster_jobs as jobs
from fakes.clusters import SECRET, new_name, open_cluster, until
from fakes.valkeys import Valkey

from ticketr import JobStatus
from ticketr.cluster import ClusterUnavailable, open_cluster_queue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ticketr.cluster import ClusterHandle, ClusterQueue

DATA = b"x" * 20_000
REFUSED = "it is out of memory: its maxmemory is reached, so it takes no more jobs"


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """Return a server whose memory the test may limit."""
    server = Valkey(tmp_path_factory.mktemp("m"))
    yield server
    server.stop()


def limit(server: Valkey, memory: int) -> None:
    assert server.command("CONFIG", "SET", "maxmemory", str(memory)) == b"+OK\r\n"


def used(server: Valkey) -> int:
    found = re.search(rb"used_memory:(\d+)", server.command("INFO", "memory"))
    assert found is not None
    return int(found[1])


@contextmanager
def full(server: Valkey) -> Iterator[None]:
    """Have a server without memory during the block."""
    limit(server, 1)
    yield
    limit(server, 0)


async def fill(queue: ClusterQueue) -> list[ClusterHandle[int]]:
    """Submit jobs until the server takes no more."""
    handles: list[ClusterHandle[int]] = []
    with pytest.raises(ClusterUnavailable) as caught:
        await submit_all(queue, handles)
    assert caught.value.problem == REFUSED
    assert caught.value.server.startswith("unix:///")
    return handles


async def submit_all(queue: ClusterQueue, handles: list[ClusterHandle[int]]) -> None:
    while len(handles) < 1000:
        handles.append(await queue.submit(jobs.length, DATA))


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the worker has said of the memory."""
    texts = [record.getMessage() for record in caplog.records]
    return [text for text in texts if "memory" in text]


async def test_the_jobs_of_a_full_queue_run_and_make_room(
    server: Valkey, caplog: pytest.LogCaptureFixture, tmp_path_factory: pytest.TempPathFactory
) -> None:
    go = tmp_path_factory.mktemp("go") / "go"
    async with open_cluster(server.url, workers=1) as queue:
        gate = await queue.submit(jobs.until_file, str(go))
        await until(gate, JobStatus.RUNNING)
        limit(server, used(server) + 2**20)
        handles = await fill(queue)
        assert len(handles) > 10
        assert (await queue.totals())[JobStatus.PENDING] == len(handles)

        go.touch()
        assert [await handle.result() for handle in handles] == [len(DATA)] * len(handles)
        assert await queue.run(jobs.length, DATA) == len(DATA)
        assert {snapshot.attempt for snapshot in queue.jobs()} == {1}
        assert (await queue.totals())[JobStatus.COMPLETED] == len(handles) + 2

    [text] = said(caplog)
    assert f"{REFUSED}. Those that it has run and end" in text


async def test_a_worker_keeps_its_lease_and_stops_its_job_when_told_to(server: Valkey) -> None:
    lease = 0.6
    async with open_cluster(server.url, workers=1, lease=lease) as queue:
        handle = await queue.submit(jobs.forever)
        await until(handle, JobStatus.RUNNING)
        with full(server):
            await trio.sleep(1.5 * lease)  # without its lease, others would have the job
            assert (handle.status, handle.snapshot().attempt) == (JobStatus.RUNNING, 1)
            assert await handle.request_cancel() == "requested"
            assert (await handle.wait()).status is JobStatus.CANCELLED


async def test_a_worker_that_starts_without_memory_waits_for_it(
    server: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    name = new_name()
    async with open_cluster_queue(server.url, name=name, secret=SECRET) as queue:
        handle = await queue.submit(jobs.echo, 5)
        with full(server):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(work_until_ended, server.url, name, handle)
                while not said(caplog):  # noqa: ASYNC110 - a worker says it
                    await trio.sleep(0.01)
                await trio.sleep(0.6)  # it has tried again
                limit(server, 0)
        assert await handle.result() == 5
    assert len(said(caplog)) == 1


async def work_until_ended(url: str, name: str, handle: ClusterHandle[object]) -> None:
    async with open_cluster(url, name=name, detach=True):
        await handle.wait()


@pytest.mark.parametrize("call", ["submit", "submit_many", "run", "repeat", "map"])
async def test_each_call_that_takes_jobs_says_that_there_is_no_memory(
    server: Valkey, call: str
) -> None:
    async with open_cluster(server.url, workers=0) as queue:
        await queue.totals()  # the server knows the functions
        with full(server):
            with pytest.raises(ClusterUnavailable, match="out of memory"):
                await take_jobs(queue, call)
            assert await queue.request_cancel("none") == "unknown"
            await queue.pause()
            await queue.resume()
        assert (await queue.totals())[JobStatus.PENDING] == 0
        assert await queue.repeats() == []
        assert queue.jobs() == []


async def take_jobs(queue: ClusterQueue, call: str) -> None:
    match call:
        case "submit":
            await queue.submit(jobs.echo, 1)
        case "submit_many":
            await queue.submit_many(jobs.echo, range(3))
        case "run":
            await queue.run(jobs.echo, 1)
        case "repeat":
            await queue.repeat(jobs.echo, every=60.0, id="r")
        case _:
            async with queue.map(jobs.echo, range(3)) as values:
                assert [value async for value in values] == []


async def test_a_due_run_of_a_repeat_waits_for_memory(server: Valkey) -> None:
    async with open_cluster(server.url, workers=1) as queue:
        repeat = await queue.repeat(jobs.echo, every=0.05, id="r")
        with full(server):
            before = (await repeat.state()).runs
            await trio.sleep(0.3)
            assert (await repeat.state()).runs <= before + 1
        while (await repeat.state()).runs < before + 3:  # noqa: ASYNC110 - a worker makes it so
            await trio.sleep(0.01)
        await repeat.cancel()
        await queue.wait_idle()
