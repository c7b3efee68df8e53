"""Test ``queue.map`` over a cluster where it differs from that of a queue in memory."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest
import trio
import trio.testing
from fakes import cluster_jobs as jobs
from fakes.clusters import open_cluster, read_all

from ticketr import CancelCause, JobFailed, JobStatus, NotSendable, OnConflict, QueueClosed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from ticketr import JobSnapshot, Updates
    from ticketr.cluster import ClusterQueue


class Drawn:
    """Items that count how many were drawn."""

    def __init__(self) -> None:
        self.count = 0

    def __iter__(self) -> Iterator[int]:
        while True:
            self.count += 1
            yield self.count


async def ended(queue: ClusterQueue) -> list[tuple[JobStatus, CancelCause | None]]:
    await queue.wait_idle()
    return [(each.status, each.cancel_cause) for each in queue.jobs()]


async def read_until(updates: Updates[JobSnapshot], status: JobStatus, count: int) -> None:
    """Read until so many jobs have had this status."""
    found: set[str] = set()
    async for snapshot in updates:
        found |= {snapshot.id} if snapshot.status is status else set()
        if len(found) == count:
            return


async def test_no_more_are_submitted_than_ahead(url: str) -> None:
    items = Drawn()
    async with open_cluster(url) as queue:
        with queue.watch() as updates:
            async with queue.map(jobs.echo, items, ahead=3) as results:
                assert [await anext(results) for _ in range(2)] == [1, 2]
                await read_until(updates, JobStatus.COMPLETED, 5)  # both made room for one more
                await queue.wait_idle()
                assert items.count == 5
        assert len(queue.jobs()) == 5


async def test_max_pending_holds_too(url: str) -> None:
    async with open_cluster(url, workers=2, max_pending=3) as queue:
        assert await read_all(queue.map(jobs.echo, range(40))) == [*range(40)]


async def test_a_map_that_waits_for_room_is_left(url: str) -> None:
    async with open_cluster(url, workers=0, max_pending=3) as queue:
        with queue.watch() as updates:
            async with queue.map(jobs.echo, range(40)):
                await read_until(updates, JobStatus.PENDING, 3)
        assert (await queue.totals())[JobStatus.PENDING] == 0
        assert queue.statistics().pending == 0


async def test_the_jobs_have_ended_when_a_cancelled_block_is_left(url: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    async with open_cluster(url, workers=2) as queue:
        with trio.CancelScope() as scope:
            async with queue.map(jobs.tracked, [str(path)] * 5):
                while not path.exists():  # noqa: ASYNC110 - a job makes it
                    await trio.sleep(0.002)
                scope.cancel()
                await trio.lowlevel.checkpoint()
        assert scope.cancelled_caught
        assert not queue.jobs(status=JobStatus.RUNNING)
        assert set(await ended(queue)) == {(JobStatus.CANCELLED, CancelCause.SCOPE)}
    starts = path.read_text().count("start")
    assert 0 < starts == path.read_text().count("stop")


async def test_an_item_that_cannot_be_sent_ends_the_map(url: str) -> None:
    items: list[Any] = [1, threading.Lock()]
    async with open_cluster(url) as queue:
        with pytest.raises(NotSendable):
            await read_all(queue.map(jobs.echo, items))


async def test_what_cannot_be_mapped_is_refused_at_the_call(url: str) -> None:
    async def inner(context: object, item: object) -> None: ...

    wrong: list[tuple[type[Exception], str, Any, Any, dict[str, Any]]] = [
        (TypeError, "iterable", jobs.echo, 3, {}),
        (TypeError, "'id'", jobs.echo, [1], {"id": "a"}),
        (ValueError, "OnConflict.WAIT", jobs.echo, [1], {"on_conflict": OnConflict.JOIN}),
        (ValueError, "ahead", jobs.echo, [1], {"ahead": 0}),
        (TypeError, "no option", jobs.echo, [1], {"order": True}),
        (NotSendable, "defined inside a function", inner, [1], {}),
    ]
    async with open_cluster(url, workers=0) as queue:
        for kind, words, function, items, options in wrong:
            with pytest.raises(kind, match=words):
                queue.map(function, items, **options)
        assert queue.jobs() == []
    with pytest.raises(QueueClosed):
        queue.map(jobs.echo, [1])


async def test_a_map_is_read_in_its_block_by_one_task(url: str) -> None:
    async with open_cluster(url, workers=0) as queue:
        async with queue.map(jobs.echo, [1]) as results:
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(anext, results)
                    await trio.testing.wait_all_tasks_blocked()
                    with pytest.raises(trio.BusyResourceError):
                        await anext(results)
                    scope.cancel()
        with pytest.raises(trio.ClosedResourceError, match="read inside it"):
            await anext(results)


async def test_a_reader_in_a_shield_is_told_that_the_map_was_cancelled(url: str) -> None:
    async with open_cluster(url, workers=0) as queue:
        with trio.CancelScope() as outer:
            async with queue.map(jobs.echo, [1]) as results:
                outer.cancel()
                told = pytest.raises(trio.ClosedResourceError, match="scope around the map")
                with trio.CancelScope(shield=True), told:
                    await anext(results)


async def test_an_error_of_the_items_beside_that_of_the_body_is_logged(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    raised = trio.Event()

    async def items() -> AsyncIterator[int]:
        yield 1
        raised.set()
        raise KeyError("of the items")

    async def use(queue: ClusterQueue) -> None:
        async with queue.map(jobs.echo, items()):
            await raised.wait()
            await trio.testing.wait_all_tasks_blocked()
            raise ValueError("of the body")

    async with open_cluster(url) as queue:
        with caplog.at_level(logging.ERROR), pytest.raises(ValueError, match="of the body"):
            await use(queue)
    assert "KeyError: 'of the items'" in caplog.text


async def test_a_failure_that_was_not_read_leaves_nothing(url: str) -> None:
    async with open_cluster(url, workers=1) as queue:
        async with queue.map(jobs.fail, ["a", "b"], ordered=False) as results:
            with pytest.raises(JobFailed, match="ValueError: a"):
                await anext(results)
            assert [value async for value in results] == []
        assert (JobStatus.CANCELLED, CancelCause.SCOPE) in await ended(queue)
