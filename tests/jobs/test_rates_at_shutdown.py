"""Rates in a bounded shutdown: a job that waits for a rate is cancelled, whenever that begins."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import trio

from ticketr import CancelCause, JobContext, Keep, Rate, open_job_queue
from ticketr.jobs._record import JobRecord

if TYPE_CHECKING:
    from trio.testing import MockClock

    from ticketr import JobHandle


async def sleep(context: JobContext, seconds: float = 0) -> None:
    await trio.sleep(seconds)


def started(*handles: JobHandle[object]) -> list[float | None]:
    return [handle.snapshot().started_at for handle in handles]


def cancelled_by_shutdown(*handles: JobHandle[object]) -> list[float | None]:
    """Return when jobs ended that a shutdown has cancelled."""
    snapshots = [handle.snapshot() for handle in handles]
    assert {snapshot.cancel_cause for snapshot in snapshots} == {CancelCause.SHUTDOWN}
    return [snapshot.finished_at for snapshot in snapshots]


async def test_a_job_that_waits_for_a_rate_when_its_key_is_free_and_no_worker_is(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue() as queue:
        queue.set_rate(Rate(1, per=5.0), key="a")
        holder = queue.submit_nowait(sleep, 1, key="a")
        behind_the_key = queue.submit_nowait(sleep, key="a")
        other = queue.submit_nowait(sleep, 20)
        await queue.shutdown(grace=60)

    assert started(holder, other) == [0, 1]
    assert cancelled_by_shutdown(behind_the_key) == [1]


async def test_a_job_that_waits_for_a_rate_when_another_has_taken_the_last_start(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue(workers=2, rate=Rate(1, per=10.0, burst=3)) as queue:
        jobs = [queue.submit_nowait(sleep, seconds) for seconds in (1, 30, 3, 0)]
        await trio.sleep(0.5)
        await queue.shutdown(grace=60)

    assert started(*jobs) == [0, 0, 1, None]
    assert cancelled_by_shutdown(jobs[3]) == [1]


async def test_a_job_that_waits_for_the_rate_of_the_queue_when_its_key_is_free(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue(workers=3, rate=Rate(1, per=10.0, burst=2)) as queue:
        holder = queue.submit_nowait(sleep, 1, key="a")
        other = queue.submit_nowait(sleep, 30)
        behind_the_key = [queue.submit_nowait(sleep, key="a") for _ in range(3)]
        after_that = queue.submit_nowait(sleep, after=[other])
        await queue.shutdown(grace=60)

    assert started(holder, other) == [0, 0]
    assert cancelled_by_shutdown(*behind_the_key) == [1, 1, 1]
    assert started(after_that) == [30]


async def test_a_job_that_waits_for_a_rate_when_a_pending_job_has_ended(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue(workers=9) as queue:
        queue.set_rate(Rate(1, per=50.0), key="a")
        await queue.run(sleep, key="a")
        chain = [queue.submit_nowait(sleep, key="a")]
        for _ in range(3):
            chain.append(queue.submit_nowait(sleep, key="a", after=chain[-1:], after_any_end=True))
        queue.submit_nowait(sleep, 90, key="b")
        behind_the_key = queue.submit_nowait(sleep, key="b")
        after_that = queue.submit_nowait(sleep, key="a", after=[behind_the_key], after_any_end=True)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: queue.shutdown(grace=99))
            await trio.sleep(2)
            behind_the_key.cancel()

    assert cancelled_by_shutdown(*chain, after_that) == [0, 0, 0, 0, 2]


def records() -> int:
    """Return the number of records in memory."""
    gc.collect()
    return sum(type(thing) is JobRecord for thing in gc.get_objects())


async def test_a_long_shutdown_keeps_nothing_of_jobs_that_have_ended(
    autojump_clock: MockClock,
) -> None:
    before = records()
    async with open_job_queue(keep=Keep(jobs=0), max_pending=None) as queue:
        last = queue.submit_nowait(sleep, 1).id
        for _ in range(120):
            last = queue.submit_nowait(sleep, 1, after=[last]).id
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: queue.shutdown(grace=999))
            await trio.sleep(110.5)
            assert records() - before < 50  # a priority queue may have some stale entries
