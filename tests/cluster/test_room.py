"""Test submits that wait for room: they are told of it, in the order of priority and arrival."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import trio
from fakes import cluster_jobs as jobs
from fakes.clusters import new_name, open_cluster

from ticketr import CancelCause, CancelOutcome, JobStatus, QueueClosed
from ticketr.cluster import _submitter

if TYPE_CHECKING:
    from ticketr.cluster import ClusterQueue


@pytest.fixture(autouse=True)
def _wait_to_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A submit that is not told of room waits for ever."""
    monkeypatch.setattr(_submitter, "ROOM_PATIENCE", math.inf)


async def count_waiting(queue: ClusterQueue) -> int:
    return await queue._store.client.zcard(f"{queue._store.keys.prefix}room")


async def start_waiting(nursery: trio.Nursery, queue: ClusterQueue, **options: Any) -> None:
    """Start a submit, and return once the server knows that it waits."""
    before = await count_waiting(queue)
    nursery.start_soon(partial(queue.submit, jobs.echo, **options))
    while await count_waiting(queue) == before:  # noqa: ASYNC110 - the server knows
        await trio.sleep(0.002)


async def leave(queue: ClusterQueue, job_id: str) -> None:
    """Make room by the end of a pending job."""
    assert await queue.request_cancel(job_id) is CancelOutcome.CANCELLED


async def test_submits_enter_by_priority_and_arrival(url: str) -> None:
    name = new_name()
    async with (
        open_cluster(url, workers=0, name=name, max_pending=1, detach=True) as queue,
        open_cluster(url, workers=0, name=name, max_pending=1, detach=True) as other,
    ):
        await queue.submit(jobs.echo, id="first")
        with queue.watch() as ours, other.watch() as theirs:
            async with trio.open_nursery() as nursery:
                await start_waiting(nursery, queue, id="a")
                await start_waiting(nursery, other, id="b")
                await start_waiting(nursery, queue, id="urgent", priority=100)
                for left, updates, entered in [
                    ("first", ours, "urgent"),
                    ("urgent", ours, "a"),
                    ("a", theirs, "b"),
                ]:
                    await leave(queue, left)
                    async for snapshot in updates:
                        if snapshot.id == entered:
                            break
                    assert (await queue.totals())[JobStatus.PENDING] == 1
        await leave(queue, "b")
        assert not await queue._store.client.keys(f"{queue._store.keys.prefix}room*")


async def test_no_later_submit_overtakes_one_that_waits(url: str) -> None:
    async with open_cluster(url, workers=0, max_pending=1, detach=True) as queue:
        await queue.submit(jobs.echo, id="first")
        await queue._store.call(
            *("enter", "dead", "n", "wait", 1, "", "", 0, 1, 0, 0, 0, "priority", 0)
        )
        await leave(queue, "first")
        async with trio.open_nursery() as nursery:
            await start_waiting(nursery, queue, id="second")
            # It is forgotten, as its process does not ask again, and the next is let in.
            seen = f"{queue._store.keys.prefix}room:seen"
            await queue._store.client.zadd(seen, {"n": 1})
            queue._events.wake_submits()  # as its patience does
        assert queue.status("second") is JobStatus.PENDING


async def test_a_submit_that_is_cancelled_leaves_no_trace(url: str) -> None:
    async with open_cluster(url, workers=0, max_pending=1, detach=True) as queue:
        await queue.submit(jobs.echo, id="first")
        async with trio.open_nursery() as outer:
            async with trio.open_nursery() as nursery:
                await start_waiting(nursery, queue, id="a")
                await start_waiting(outer, queue, id="b")
                nursery.cancel_scope.cancel()
            assert await count_waiting(queue) == 1
            await leave(queue, "first")
        assert queue.status("b") is JobStatus.PENDING


async def test_room_for_several_is_told_to_several(url: str) -> None:
    async with open_cluster(url, workers=0, max_pending=2, detach=True) as queue:
        for job_id in ("a", "b"):
            await queue.submit(jobs.echo, id=job_id)
        async with trio.open_nursery() as nursery:
            for _ in range(2):
                await start_waiting(nursery, queue)
            leaving = [queue._mirror.get(job_id) for job_id in ("a", "b")]
            await queue._submitter.cancel_many(
                leaving, CancelCause.USER
            )  # in one call of the server
        assert (await queue.totals())[JobStatus.PENDING] == 2


async def test_workers_make_room(url: str) -> None:
    async with open_cluster(url, workers=2, max_pending=1) as queue:
        async with trio.open_nursery() as nursery:
            for number in range(30):
                nursery.start_soon(queue.submit, jobs.echo, number)
        await queue.wait_idle()
        assert (await queue.totals())[JobStatus.COMPLETED] == 30


async def test_a_closed_queue_is_told_to_submits_that_wait(url: str) -> None:
    async with open_cluster(url, workers=0, max_pending=1) as queue:
        await queue.submit(jobs.echo, id="first")
        with pytest.RaisesGroup(QueueClosed):
            async with trio.open_nursery() as nursery:
                await start_waiting(nursery, queue)
                await queue.shutdown(grace=0)
        assert (await queue.totals())[JobStatus.PENDING] == 0


async def test_a_fault_in_the_events_leaves_the_block(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def raises(self: object, event: object) -> None:
        raise RuntimeError("a fault")

    async def use() -> None:
        async with open_cluster(url, workers=0, detach=True) as queue:
            monkeypatch.setattr("ticketr.cluster._events.EventReader._take", raises)
            handle = await queue.submit(jobs.echo)
            await handle.cancel_and_wait()

    with pytest.RaisesGroup(pytest.RaisesGroup(RuntimeError)):
        await use()
