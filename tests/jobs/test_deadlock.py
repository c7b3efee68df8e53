"""Which waits of a job are refused at once, and which are not."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import pytest
import trio
from fakes.small_jobs import sleep
from trio.testing import MockClock

from ticketr import JobContext, JobHandle, JobQueue, JobStatus, WouldDeadlock, open_job_queue


async def refused(wait: Callable[[], Awaitable[object]]) -> str:
    with pytest.raises(WouldDeadlock) as caught:
        await wait()
    return f"{caught.value.job_id}: {caught.value.awaited}"


async def read(handle: JobHandle[Any]) -> None:
    with handle.watch() as updates:
        async for _ in updates:
            pass


async def read_map(queue: JobQueue) -> list[float]:
    async with queue.map(sleep, [1] * 3) as results:
        return [result async for result in results]


async def read_until_idle(queue: JobQueue, kind: str) -> None:
    with getattr(queue, kind)(until_idle=True) as updates:
        async for _ in updates:
            pass


WAITS: list[Callable[[JobHandle[Any]], Awaitable[object]]] = [
    JobHandle.wait,
    JobHandle.result,
    read,
]


# Itself, and circles


@pytest.mark.parametrize("wait", WAITS)
async def test_a_job_that_waits_for_itself(
    autojump_clock: MockClock, wait: Callable[[JobHandle[Any]], Awaitable[object]]
) -> None:
    async def job(context: JobContext) -> str:
        return await refused(lambda: wait(handle))

    async with open_job_queue(workers=2) as queue:
        handle = queue.submit_nowait(job, id="a")

        assert await handle.result() == "a: itself"


@pytest.mark.parametrize("wait", WAITS)
async def test_the_last_of_a_circle_of_waiting_jobs(
    autojump_clock: MockClock, wait: Callable[[JobHandle[Any]], Awaitable[object]]
) -> None:
    handles: dict[str, JobHandle[str]] = {}

    async def job(context: JobContext, moment: float, other: str) -> str:
        await trio.sleep(moment)
        if context.id == "c":
            return await refused(lambda: wait(handles[other]))
        await handles[other].wait()
        return "waited"

    async with open_job_queue(workers=5) as queue:
        for name, moment, other in [("a", 1, "b"), ("b", 2, "c"), ("c", 3, "a")]:
            handles[name] = queue.submit_nowait(job, moment, other, id=name)
        results = [await handle.result() for handle in handles.values()]

    assert results == ["waited", "waited", "c: job 'a', which waits for this one"]


async def test_a_circle_through_a_job_that_starts_after_the_waiter(
    autojump_clock: MockClock,
) -> None:
    async def job(context: JobContext) -> str:
        other = queue.submit_nowait(sleep, 1, id="b", after=[context.id])
        return await refused(other.wait)

    async with open_job_queue(workers=2) as queue:
        said = await queue.run(job, id="a")

    assert said == "a: job 'b', which starts after one that waits for this job"


@pytest.mark.parametrize("workers", [2, 3])
async def test_a_pending_job_of_its_own_key(autojump_clock: MockClock, workers: int) -> None:
    async def job(context: JobContext) -> str:
        other = queue.submit_nowait(sleep, 1, id="b", key="k")
        return await refused(other.wait)

    async with open_job_queue(workers=workers) as queue:
        said = await queue.run(job, id="a", key="k")

        assert said == "a: job 'b', which needs the key that this job holds"


async def test_a_circle_through_the_key_of_another_job(autojump_clock: MockClock) -> None:
    async def holder(context: JobContext) -> None:
        await queue.handle("waiter").wait()

    async def waiter(context: JobContext) -> str:
        await trio.sleep(1)
        other = queue.submit_nowait(sleep, 1, id="b", key="k")
        return await refused(other.wait)

    async with open_job_queue(workers=3) as queue:
        queue.submit_nowait(holder, key="k")
        said = await queue.submit_nowait(waiter, id="waiter").result()

    assert said == "waiter: job 'b', which needs the key of a job that waits for this one"


# The end of all jobs


async def test_waiting_for_the_end_of_the_queue_that_runs_the_job(
    autojump_clock: MockClock,
) -> None:
    async def job(context: JobContext) -> list[str]:
        return [
            await refused(queue.wait_idle),
            await refused(queue.shutdown),
            await refused(lambda: queue.shutdown(grace=math.inf)),
            await refused(lambda: read_until_idle(queue, "watch")),
            await refused(lambda: read_until_idle(queue, "progress")),
        ]

    async with open_job_queue(workers=2) as queue:
        said = await queue.run(job, id="a")

        assert said == [
            "a: the queue to be idle, which includes itself",
            "a: the end of all jobs, itself included",
            "a: the end of all jobs, itself included",
            "a: the queue to be idle, which includes itself",
            "a: the queue to be idle, which includes itself",
        ]
        await queue.submit(sleep, 1)  # nothing was shut


# No free worker


async def test_a_pending_job_that_needs_the_only_worker(autojump_clock: MockClock) -> None:
    async def job(context: JobContext) -> list[str]:
        other = queue.submit_nowait(sleep, 1, id="b")
        said = [await refused(other.wait), await refused(lambda: read(other))]
        return [*said, await refused(lambda: queue.run(sleep, 1, id="c"))]

    async with open_job_queue() as queue:
        said = await queue.run(job, id="a")

    assert said == [
        "a: job 'b', which needs the worker that this job holds",
        "a: job 'b', which needs the worker that this job holds",
        "a: job 'c', which needs the worker that this job holds",
    ]
    assert queue.status("b") is JobStatus.COMPLETED
    assert queue.status("c") is JobStatus.CANCELLED


async def test_the_wait_that_would_leave_no_worker(autojump_clock: MockClock) -> None:
    async def job(context: JobContext, moment: float) -> float:
        await trio.sleep(moment)
        return await queue.run(sleep, 1, id=f"child of {context.id}")

    async def last(context: JobContext) -> str:
        await trio.sleep(3)
        return await refused(lambda: queue.run(sleep, 1, id="b"))

    async with open_job_queue(workers=3) as queue:
        handles = [queue.submit_nowait(job, moment) for moment in (1, 2)]
        said = await queue.submit_nowait(last, id="a").result()
        assert trio.current_time() == 3
        assert [await handle.result() for handle in handles] == [1, 1]

    assert said == "a: job 'b', which needs a worker, and these are held by jobs that wait"


async def test_a_job_that_is_cancelled_waits_no_longer(autojump_clock: MockClock) -> None:
    async def wait(context: JobContext) -> None:
        await pending.wait()

    async def cancel_and_wait(context: JobContext) -> JobStatus:
        await trio.sleep(1)
        waiting.cancel()  # its worker will run the pending job
        return (await pending.wait()).status

    async with open_job_queue(workers=2) as queue:
        waiting = queue.submit_nowait(wait)
        handle = queue.submit_nowait(cancel_and_wait)
        pending = queue.submit_nowait(sleep, 1)

        assert await handle.result() is JobStatus.COMPLETED
        assert (await waiting.wait()).status is JobStatus.CANCELLED


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("options", [{}, {"ordered": False}, {"outcomes": True}])
async def test_a_map_in_a_job_that_holds_the_only_worker(
    autojump_clock: MockClock, options: dict[str, bool], is_async: bool
) -> None:
    async def later() -> AsyncGenerator[float]:
        await trio.sleep(5)
        yield 1

    async def read_all() -> None:
        async with queue.map(sleep, later() if is_async else [1], **options) as results:  # type: ignore[call-overload]
            async for _ in results:
                pass

    async def job(context: JobContext) -> str:
        return await refused(read_all)

    async with open_job_queue() as queue:
        said = await queue.run(job, id="a")

        assert said == "a: job 'job-1', which needs the worker that this job holds"
        assert trio.current_time() == (5 if is_async else 0)


@pytest.mark.parametrize("ordered", [True, False])
async def test_a_map_of_a_map_in_the_jobs_that_hold_all_workers(
    autojump_clock: MockClock, *, ordered: bool
) -> None:
    async def pipeline(context: JobContext, seconds: float) -> float | str:
        await trio.sleep(seconds)
        async with (
            queue.map(sleep, [1, 1], ordered=ordered) as first,
            queue.map(sleep, first) as second,
            queue.map(sleep, second, ordered=ordered) as third,
        ):
            try:
                return sum([result async for result in third])
            except WouldDeadlock as error:
                return f"{error.job_id}: {error.awaited}"

    async with open_job_queue(workers=1) as queue:
        said = await queue.run(pipeline, 0, id="a")
        assert said == "a: job 'job-1', which needs the worker that this job holds"
        assert await queue.run(sleep, 1) == 1

    async with open_job_queue(workers=2) as queue:
        first = queue.submit_nowait(pipeline, 0)
        assert await queue.run(pipeline, 0.5) == (
            "job-2: job 'job-5', which needs a worker, and these are held by jobs that wait"
        )
        assert await first.result() == 2


async def test_a_job_of_a_map_that_waits_for_its_reader(autojump_clock: MockClock) -> None:
    async def wait(context: JobContext, number: int) -> str:
        await trio.sleep(number)
        return await refused(handle.wait) if number == 2 else ""

    async def job(context: JobContext) -> list[str]:
        async with queue.map(wait, range(4)) as results:
            return [result async for result in results]

    async with open_job_queue(workers=5) as queue:
        handle = queue.submit_nowait(job, id="a")

        assert await handle.result() == ["", "", "job-3: job 'a', which waits for this one", ""]


# What is not refused


async def test_a_deadline_in_the_job_ends_any_wait(autojump_clock: MockClock) -> None:
    async def limited(wait: Callable[[], Awaitable[object]]) -> None:
        with trio.move_on_after(1) as scope:
            await wait()
        assert scope.cancelled_caught

    async def job(context: JobContext) -> str:
        other = queue.submit_nowait(sleep, 1)
        for wait in (handle.wait, other.wait, queue.wait_idle, lambda: read(handle)):
            await limited(wait)
        await limited(lambda: read_until_idle(queue, "watch"))
        await limited(lambda: read_map(queue))
        return "went on"

    async with open_job_queue() as queue:
        handle = queue.submit_nowait(job)

        assert await handle.result() == "went on"
        assert trio.current_time() == 6


async def test_a_deadline_around_the_queue_ends_no_wait(autojump_clock: MockClock) -> None:
    async def job(context: JobContext) -> str:
        with trio.move_on_after(1), trio.CancelScope(shield=True):  # ends no wait either
            assert await refused(handle.wait) == "a: itself"
        return await refused(handle.wait)

    with trio.fail_after(60):
        async with open_job_queue() as queue:
            handle = queue.submit_nowait(job, id="a")

            assert await handle.result() == "a: itself"


async def test_other_tasks_of_a_job_wait_for_anything(autojump_clock: MockClock) -> None:
    """The job may end them; nothing is proved."""

    async def job(context: JobContext) -> str:
        pending = queue.submit_nowait(sleep, 1)
        async with trio.open_nursery() as nursery:
            for wait in (handle.wait, pending.wait, queue.wait_idle):
                nursery.start_soon(wait)
            await trio.sleep(1)
            nursery.cancel_scope.cancel()
        return "went on"

    async with open_job_queue() as queue:
        handle = queue.submit_nowait(job)

        assert await handle.result() == "went on"
