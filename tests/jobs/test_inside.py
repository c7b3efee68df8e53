"""A job submits to its own queue without waiting for room."""

from __future__ import annotations

from contextvars import ContextVar

import pytest
import trio
from trio.testing import MockClock

from ticketr import JobContext, JobQueue, QueueFull, in_thread, open_job_queue

word: ContextVar[str] = ContextVar("word", default="")


async def sleep(context: JobContext, seconds: float) -> float:
    await trio.sleep(seconds)
    return seconds


async def submit_four(queue: JobQueue) -> int:
    """Submit in both ways, above the bound; return how many jobs are pending."""
    for _ in range(2):
        await queue.submit(sleep, 1)
        queue.submit_nowait(sleep, 1)
    assert trio.current_time() == 0
    return queue.statistics().pending


@pytest.mark.parametrize("value", ["", "of the submitter"])
async def test_submits_of_a_job_s_own_task(autojump_clock: MockClock, value: str) -> None:
    word.set(value)

    async def job(context: JobContext) -> int:
        assert word.get() == value
        return await submit_four(queue)

    async with open_job_queue(max_pending=1) as queue:
        assert await queue.run(job) == 4


async def test_submits_of_a_thread_of_a_job() -> None:
    async def pend(context: JobContext) -> None:
        """Do nothing."""

    def job() -> int:
        trio.from_thread.run_sync(queue.submit_nowait, pend)
        trio.from_thread.run(queue.submit, pend)
        trio.from_thread.run(queue.submit, pend)
        return queue.statistics().pending

    async with open_job_queue(max_pending=1) as queue:
        assert await queue.run(in_thread(job)) == 3


async def test_submits_of_a_job_that_a_job_has_submitted(autojump_clock: MockClock) -> None:
    async def job(context: JobContext, depth: int) -> int:
        if depth:
            await queue.submit(job, depth - 1)
            return depth
        return await submit_four(queue)

    async with open_job_queue(max_pending=1) as queue:
        await queue.run(job, 5)
        await queue.wait_idle()

    assert queue.statistics().completed == 10


async def test_a_job_of_another_queue_waits_for_room(autojump_clock: MockClock) -> None:
    async def job(context: JobContext) -> float:
        await queue.submit(sleep, 1)
        with pytest.raises(QueueFull):
            queue.submit_nowait(sleep, 1)
        await queue.submit(sleep, 1)
        return trio.current_time()

    async with open_job_queue(max_pending=1) as queue, open_job_queue() as other:
        await queue.submit(sleep, 2)
        await trio.sleep(1)

        assert await other.run(job) == 2


async def test_the_body_waits_for_room_that_jobs_have_taken(autojump_clock: MockClock) -> None:
    async def job(context: JobContext) -> None:
        for _ in range(3):
            await queue.submit(sleep, 1)
            await trio.lowlevel.checkpoint()

    async with open_job_queue(max_pending=2) as queue:
        await queue.run(job)
        with pytest.raises(QueueFull):
            queue.submit_nowait(sleep, 1)
        await queue.submit(sleep, 1)

        assert trio.current_time() == 1
