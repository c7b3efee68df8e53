from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from ticketr import (
    JobContext,
    JobHandle,
    JobStatus,
    QueueFull,
    WouldDeadlock,
    open_job_queue,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from trio.testing import MockClock


async def sleep(context: JobContext, seconds: float) -> float:
    await trio.sleep(seconds)
    return seconds


async def refused(wait: Callable[[], Awaitable[object]]) -> str:
    with pytest.raises(WouldDeadlock) as caught:
        await wait()
    return f"{caught.value.job_id}: {caught.value.awaited}"


async def test_waiting_for_its_own_job(autojump_clock: MockClock) -> None:
    async def job(context: JobContext) -> list[str]:
        return [await refused(handle.wait), await refused(handle.result)]

    async with open_job_queue(workers=2) as queue:
        handle = queue.submit_nowait(job, id="a")

        assert await handle.result() == ["a: itself", "a: itself"]


async def test_waiting_for_its_own_job_from_a_child_task(autojump_clock: MockClock) -> None:
    async def job(context: JobContext) -> list[str]:
        said: list[str] = []

        async def child() -> None:
            said.append(await refused(handle.wait))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(child)
        return said

    async with open_job_queue() as queue:
        handle = queue.submit_nowait(job, id="a")

        assert await handle.result() == ["a: itself"]


async def test_a_task_that_a_job_starts_elsewhere_may_wait_for_it(
    autojump_clock: MockClock,
) -> None:
    async with trio.open_nursery() as nursery, open_job_queue() as queue:

        async def job(context: JobContext) -> None:
            nursery.start_soon(handle.wait)
            await trio.sleep(1)

        handle = queue.submit_nowait(job)

    assert handle.status is JobStatus.COMPLETED


async def test_waiting_for_a_pending_job_with_the_only_worker(autojump_clock: MockClock) -> None:
    async def job(context: JobContext) -> list[str]:
        other = queue.submit_nowait(sleep, 1, id="b")
        said = [await refused(other.wait)]
        said.append(await refused(lambda: queue.run(sleep, 1, id="c")))
        return said

    async with open_job_queue() as queue:
        said = await (await queue.submit(job, id="a")).result()

    assert said == [
        "a: job 'b', which needs the worker that this job holds",
        "a: job 'c', which needs the worker that this job holds",
    ]
    assert queue.status("b") is JobStatus.COMPLETED
    assert queue.status("c") is JobStatus.CANCELLED


async def test_waiting_for_a_pending_job_that_another_worker_will_take(
    autojump_clock: MockClock,
) -> None:
    async def job(context: JobContext) -> float:
        other = queue.submit_nowait(sleep, 2)
        return await other.result()

    async with open_job_queue(workers=2) as queue:
        await queue.submit(sleep, 1)  # busy, but not for ever
        assert await queue.run(job) == 2
        assert trio.current_time() == 3
        assert await queue.run(job) == 2  # and now there is an idle one


async def test_the_last_worker_that_would_wait_is_refused(autojump_clock: MockClock) -> None:
    async def job(context: JobContext, moment: float) -> str | float:
        await trio.sleep(moment)
        try:
            return await queue.run(sleep, 1)
        except WouldDeadlock as error:
            return error.awaited

    async with open_job_queue(workers=3, max_pending=None) as queue:
        handles = [queue.submit_nowait(job, moment) for moment in (1, 2, 3)]
        queue.submit_nowait(sleep, 0)
        await wait_all_tasks_blocked()

        results = [await handle.result() for handle in handles]

    assert results[:2] == [1, 1]
    assert str(results[2]).endswith("which needs the worker that this job holds")


async def test_two_jobs_that_wait_for_each_other(autojump_clock: MockClock) -> None:
    handles: dict[str, JobHandle[str]] = {}

    async def job(context: JobContext, moment: float, other: str) -> str:
        await trio.sleep(moment)
        try:
            return await handles[other].result()
        except WouldDeadlock as error:
            return error.awaited

    async with open_job_queue(workers=3) as queue:
        for name, moment, other in [("a", 1, "b"), ("b", 2, "c"), ("c", 3, "a")]:
            handles[name] = queue.submit_nowait(job, moment, other, id=name)

    assert {handle.snapshot().result for handle in handles.values()} == {
        "job 'a', which waits for this one"
    }


async def test_one_of_several_waits_that_can_end_is_enough(autojump_clock: MockClock) -> None:
    """A job that waits in two tasks proceeds when either wait ends; so both jobs may wait for it."""

    async def fork(context: JobContext) -> str:
        async with trio.open_nursery() as nursery:

            async def wait_for(handle: JobHandle[object]) -> None:
                await handle.wait()
                nursery.cancel_scope.cancel()

            nursery.start_soon(wait_for, waiter)
            nursery.start_soon(wait_for, quick)
        return "forked"

    async def wait_for_fork(context: JobContext) -> str:
        await trio.sleep(0.5)
        return await forked.result()

    async with open_job_queue(workers=3) as queue:
        quick = queue.submit_nowait(sleep, 1)
        forked = queue.submit_nowait(fork)
        waiter = queue.submit_nowait(wait_for_fork)

        assert await waiter.result() == "forked"
        assert trio.current_time() == 1


async def test_a_submit_that_waits_for_room_only_its_own_job_could_make_is_admitted(
    autojump_clock: MockClock,
) -> None:
    async def job(context: JobContext) -> list[int]:
        pending: list[int] = []
        for _ in range(3):
            await queue.submit(sleep, 1)
            pending.append(queue.statistics().pending)
        with pytest.raises(QueueFull):
            queue.submit_nowait(sleep, 1)
        return pending

    async with open_job_queue(max_pending=1) as queue:
        assert await queue.run(job) == [1, 2, 3]

        assert trio.current_time() == 0

    assert trio.current_time() == 3


async def test_a_submit_is_admitted_if_jobs_of_its_job_s_key_fill_the_queue(
    autojump_clock: MockClock,
) -> None:
    async def job(context: JobContext) -> float:
        await queue.submit(sleep, 1, key="k")
        await queue.submit(sleep, 2)
        return trio.current_time()

    async with open_job_queue(workers=2, max_pending=1) as queue:
        assert await (await queue.submit(job, id="a", key="k")).result() == 0


async def test_a_submit_is_admitted_above_the_limit_only_when_every_running_job_waits(
    autojump_clock: MockClock,
) -> None:
    async def job(context: JobContext) -> float:
        await queue.submit(sleep, 1, key="k")
        await queue.submit(sleep, 2)
        return trio.current_time()

    async with open_job_queue(workers=2, max_pending=2) as queue:
        busy = await queue.submit(sleep, 5)
        await wait_all_tasks_blocked()
        holder = await queue.submit(job, key="k")
        await queue.submit(sleep, 1, key="k")

        assert await holder.result() == 5  # before that another job could have made room
        assert busy.status is JobStatus.COMPLETED


async def test_a_job_of_the_queue_enters_before_those_outside(autojump_clock: MockClock) -> None:
    entered: list[str] = []

    async def job(context: JobContext) -> None:
        await trio.sleep(1)
        await queue.submit(sleep, 1, name="mine")

    async def submit(name: str) -> None:
        await queue.submit(sleep, 1, name=name, priority=9)
        entered.append(name)

    async with open_job_queue(max_pending=1) as queue, trio.open_nursery() as nursery:
        handle = await queue.submit(job)
        await wait_all_tasks_blocked()
        for name in ("first", "second"):
            nursery.start_soon(submit, name)
        assert (await handle.wait()).status is JobStatus.COMPLETED

        assert (trio.current_time(), len(entered)) == (1, 1)
        assert [job.name for job in queue.jobs(status=JobStatus.PENDING)] == ["mine"]


async def test_the_first_waiting_submitter_enters_first(autojump_clock: MockClock) -> None:
    async def job(context: JobContext, moment: float, name: str, priority: int) -> None:
        await trio.sleep(moment)
        await queue.submit(sleep, 1, name=name, priority=priority)

    async with open_job_queue(workers=4, max_pending=4) as queue:
        for args in ((1, "first", 0), (2, "second", 0), (3, "urgent", 5), (4, "last", 0)):
            await queue.submit(job, *args)
        for _ in range(4):
            await queue.submit(sleep, 1)

    entered = [job.name for job in queue.jobs()][-4:]
    assert entered == ["urgent", "first", "second", "last"]


async def test_waiting_for_room_that_an_expiring_job_will_make(autojump_clock: MockClock) -> None:
    async def job(context: JobContext) -> float:
        await queue.submit(sleep, 1, start_by=3)
        await queue.submit(sleep, 1)
        return trio.current_time()

    async with open_job_queue(max_pending=1) as queue:
        assert await queue.run(job) == 3


@pytest.mark.parametrize("key", [None, "k"])
async def test_waiting_for_room_that_the_end_of_a_pause_will_make(
    autojump_clock: MockClock, key: str | None
) -> None:
    async def job(context: JobContext) -> float:
        queue.pause(key)
        await queue.submit(sleep, 1, key="k")
        await queue.submit(sleep, 1)
        return trio.current_time()

    async with open_job_queue(workers=2, max_pending=1) as queue:
        handle = await queue.submit(job)
        await trio.sleep(4)
        queue.resume(key)

        assert await handle.result() == 4


async def test_a_crawler_loses_no_page(autojump_clock: MockClock) -> None:
    seen: set[int] = set()

    async def page(context: JobContext, number: int) -> None:
        await trio.sleep(1)
        seen.add(number)
        for link in range(5 * number + 1, 5 * number + 6):
            if link < 400:
                await queue.submit(page, link)

    async with open_job_queue(workers=4) as queue:
        await queue.submit(page, 0)

    assert len(seen) == queue.statistics().completed == 400


async def test_a_time_limit_does_not_keep_a_job_waiting_for_room(autojump_clock: MockClock) -> None:
    async def job(context: JobContext) -> float:
        for _ in range(3):
            await queue.submit(sleep, 1)
        return trio.current_time()

    async with open_job_queue(max_pending=1) as queue:
        assert await queue.run(job, timeout=60) == 0


async def test_a_job_that_must_start_by_a_time_does_not_wait_for_room_until_then(
    autojump_clock: MockClock,
) -> None:
    async def job(context: JobContext) -> JobHandle[float]:
        await queue.submit(sleep, 1)
        handle = await queue.submit(sleep, 1, start_by=3)
        assert trio.current_time() == 0
        return handle

    async with open_job_queue(max_pending=1) as queue:
        handle = await queue.run(job)

    assert handle.status is JobStatus.COMPLETED


async def test_waiting_for_room_that_a_delayed_job_will_make(autojump_clock: MockClock) -> None:
    async def job(context: JobContext) -> float:
        await queue.submit(sleep, 1, delay=5)
        await queue.submit(sleep, 1)
        return trio.current_time()

    async with open_job_queue(workers=2, max_pending=1) as queue:
        assert await queue.run(job) == 5


async def test_waiting_for_room_that_another_will_make(autojump_clock: MockClock) -> None:
    async def job(context: JobContext) -> float:
        await queue.submit(sleep, 1)
        await queue.submit(sleep, 1)
        return trio.current_time()

    async with open_job_queue(workers=2, max_pending=1) as queue:
        await queue.submit(sleep, 3)
        await wait_all_tasks_blocked()

        assert await (await queue.submit(job)).result() == 3


async def test_waiting_for_the_end_of_everything(autojump_clock: MockClock) -> None:
    async def job(context: JobContext) -> list[str]:
        return [
            await refused(queue.wait_idle),
            await refused(queue.shutdown),
            await refused(lambda: queue.shutdown(grace=math.inf)),
        ]

    async with open_job_queue() as queue:
        said = await (await queue.submit(job, id="a")).result()

        assert said == [
            "a: the queue to be idle, which includes itself",
            "a: the end of all jobs, itself included",
            "a: the end of all jobs, itself included",
        ]
        await queue.submit(sleep, 1)  # nothing was shut


async def test_a_job_of_a_queue_within_a_job_counts_as_that_job(autojump_clock: MockClock) -> None:
    async def outer(context: JobContext) -> str:
        async with open_job_queue() as inner:
            return await inner.run(inside)

    async def inside(context: JobContext) -> str:
        return await refused(handle.wait)

    async with open_job_queue() as queue:
        handle = queue.submit_nowait(outer, id="outer")

        assert await handle.result() == "outer: itself"


async def test_a_job_that_closes_a_queue_goes_on(autojump_clock: MockClock) -> None:
    """Its other task would wait for ever, but the job cancels it as soon as the queue is closed."""

    async def job(context: JobContext) -> str:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(behind.wait)
            await wait_all_tasks_blocked()
            for _ in range(100):  # whether a check falls between two of its tasks is random
                async with open_job_queue():
                    pass
            nursery.cancel_scope.cancel()
        return "went on"

    async with open_job_queue(workers=1) as queue:
        handle = queue.submit_nowait(job)
        behind = queue.submit_nowait(sleep, 1)

        assert await handle.result() == "went on"


async def test_a_queue_that_was_shut_down_in_a_job_prevents_no_deadlock(
    autojump_clock: MockClock,
) -> None:
    async def job(context: JobContext) -> str:
        async with open_job_queue() as inner:
            await inner.shutdown()
            return await refused(behind.wait)

    async with open_job_queue(workers=1) as queue:
        handle = queue.submit_nowait(job, id="a")
        behind = queue.submit_nowait(sleep, 1, id="b")

        assert await handle.result() == "a: job 'b', which needs the worker that this job holds"


async def test_a_wait_that_has_ended_no_longer_counts(autojump_clock: MockClock) -> None:
    async def waits_and_works(context: JobContext) -> None:
        await queue.run(sleep, 1)
        await trio.sleep(5)

    async def waits_for_a_worker(context: JobContext) -> float:
        await trio.sleep(3)
        return await queue.submit_nowait(sleep, 1).result()

    async with open_job_queue(workers=2) as queue:
        await queue.submit(waits_and_works)
        await trio.sleep(2)

        assert await queue.run(waits_for_a_worker) == 1
        assert trio.current_time() == 7
        assert not queue._core.waiting_jobs


async def test_a_cancelled_job_may_be_waited_for_though_it_waits_itself(
    autojump_clock: MockClock,
) -> None:
    async def job(context: JobContext) -> JobStatus:
        other = queue.submit_nowait(waits_for_job)
        await wait_all_tasks_blocked()
        return (await other.cancel_and_wait()).status

    async def waits_for_job(context: JobContext) -> None:
        await handle.wait()

    async with open_job_queue(workers=2) as queue:
        handle = queue.submit_nowait(job)

        assert await handle.result() is JobStatus.CANCELLED
