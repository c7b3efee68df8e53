"""Which jobs take the room that ``max_pending`` limits, and which need none."""

from __future__ import annotations

from contextvars import ContextVar
from functools import partial
from typing import Any

import pytest
import trio
from fakes.small_jobs import nothing, sleep
from trio.testing import MockClock, wait_all_tasks_blocked

from ticketr import (
    JobContext,
    JobHandle,
    JobQueue,
    JobStatus,
    OnConflict,
    QueueFull,
    Rate,
    Retry,
    in_thread,
    open_job_queue,
)

HELD = ["delay", "back-off", "after", "paused key", "rate of a key", "key"]


async def flaky(context: JobContext) -> None:
    if context.attempt == 1:
        raise ValueError


async def hold_ten_jobs(queue: JobQueue, how: str) -> list[JobHandle[Any]]:
    """Submit ten jobs that something holds for an hour."""
    options: dict[str, Any] = {}
    job: Any = sleep
    if how == "delay":
        options = {"delay": 3600}
    elif how == "back-off":
        job, options = flaky, {"retry": Retry(2, first=3600, cap=3600, jitter=0)}
    elif how == "after":
        options = {"after": [await queue.submit(sleep, 3600)]}
    else:
        options = {"key": "k"}
        if how == "paused key":
            queue.pause("k")
        elif how == "rate of a key":
            queue.set_rate(Rate(1, per=3600, burst=1), key="k")
            await queue.run(sleep, 0, key="k")
        else:
            await queue.submit(sleep, 3600, key="k")
            await wait_all_tasks_blocked()
    return [await queue.submit(job, **options) for _ in range(10)]


@pytest.mark.parametrize("how", HELD)
async def test_held_jobs_hold_up_no_other(how: str, autojump_clock: MockClock) -> None:
    async with open_job_queue(workers=4, max_pending=3) as queue:
        held = await hold_ten_jobs(queue, how)
        assert trio.current_time() == 0
        await wait_all_tasks_blocked()

        urgent = await queue.submit(sleep, priority=100)
        await urgent.wait()
        assert trio.current_time() == 1
        assert {job.status for job in held} == {JobStatus.PENDING}
        queue.cancel_all()


async def test_a_held_job_enters_a_full_queue(autojump_clock: MockClock) -> None:
    async with open_job_queue(workers=1, max_pending=1) as queue:
        ended = await queue.submit(nothing)
        await ended.wait()
        running = queue.submit_nowait(sleep, 3600)
        await wait_all_tasks_blocked()
        queue.submit_nowait(nothing)

        queue.submit_nowait(nothing, delay=1)
        queue.submit_nowait(nothing, after=[ended, running])
        with pytest.raises(QueueFull):
            queue.submit_nowait(nothing, after=[ended])
        queue.cancel_all()


async def test_jobs_that_become_ready_enter_above_the_bound_and_keep_others_out(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue(max_pending=2) as queue:
        jobs = [queue.submit_nowait(sleep, delay=1) for _ in range(5)]
        await trio.sleep(1)
        await wait_all_tasks_blocked()
        assert queue.statistics().pending == 4
        with pytest.raises(QueueFull):
            queue.submit_nowait(sleep)
        await queue.submit(sleep)
        assert trio.current_time() == 4

    assert {job.status for job in jobs} == {JobStatus.COMPLETED}


async def test_only_the_best_job_of_a_free_key_takes_room(autojump_clock: MockClock) -> None:
    started: list[int] = []

    async def note(context: JobContext, number: int) -> None:
        started.append(number)
        await trio.sleep(1)

    async with open_job_queue(max_pending=2) as queue:
        for number in range(9):
            queue.submit_nowait(note, number, key="k", priority=number % 3)
        queue.submit_nowait(note, 9, priority=-1)
        with pytest.raises(QueueFull):
            queue.submit_nowait(sleep)
        assert [job.waiting_for for job in queue.jobs()].count("worker") == 2

    assert started == [2, 5, 8, 1, 4, 7, 0, 3, 6, 9]


@pytest.mark.parametrize("how", ["worker", "pause", "rate"])
async def test_what_holds_the_whole_queue_makes_no_room(
    how: str, autojump_clock: MockClock
) -> None:
    async with open_job_queue(max_pending=2) as queue:
        if how == "pause":
            queue.pause()
        elif how == "rate":
            queue.set_rate(Rate(1, per=3600, burst=1))
            await queue.run(sleep, 0)
        else:
            queue.submit_nowait(sleep, 9)
            await wait_all_tasks_blocked()
        queue.submit_nowait(sleep)
        queue.submit_nowait(sleep, key="k")
        queue.submit_nowait(sleep, key="k")
        with pytest.raises(QueueFull):
            queue.submit_nowait(sleep)
        queue.cancel_all()


async def test_a_pause_of_a_key_makes_room(autojump_clock: MockClock) -> None:
    async with open_job_queue(max_pending=1) as queue, trio.open_nursery() as nursery:
        queue.submit_nowait(sleep)
        await wait_all_tasks_blocked()
        queue.submit_nowait(sleep, key="k")
        nursery.start_soon(partial(queue.submit, sleep))
        await wait_all_tasks_blocked()
        assert queue.statistics().submitters_waiting == 1

        queue.pause("k")

        assert queue.statistics().submitters_waiting == 0
        waiting_for = [job.waiting_for for job in queue.jobs(status=JobStatus.PENDING)]
        assert waiting_for == ["paused", "worker"]


@pytest.mark.parametrize("by", ["id", "key"])
async def test_superseding_takes_the_place_of_a_ready_job_alone(
    by: str, autojump_clock: MockClock
) -> None:
    options: dict[str, Any] = {by: "x"}
    async with open_job_queue(max_pending=1) as queue:
        queue.submit_nowait(sleep, 9)
        await wait_all_tasks_blocked()
        queue.submit_nowait(sleep, delay=1, **options)
        other = queue.submit_nowait(sleep)
        with pytest.raises(QueueFull):  # the delayed one has no room to give
            queue.submit_nowait(sleep, on_conflict=OnConflict.SUPERSEDE, **options)
        assert queue.statistics().pending == 2
        other.cancel()
        for _ in range(3):
            queue.submit_nowait(sleep, on_conflict=OnConflict.SUPERSEDE, **options)
        assert queue.statistics().pending == 1


# A job submits to its own queue without waiting for room.


word: ContextVar[str] = ContextVar("word", default="")


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
    def job() -> int:
        trio.from_thread.run_sync(queue.submit_nowait, nothing)
        trio.from_thread.run(queue.submit, nothing)
        trio.from_thread.run(queue.submit, nothing)
        return queue.statistics().pending

    async with open_job_queue(max_pending=1) as queue:
        assert await queue.run(in_thread(job)) == 3


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


async def test_the_job_that_has_opened_a_queue_waits_for_its_room(
    autojump_clock: MockClock,
) -> None:
    async def job(context: JobContext) -> float:
        async with open_job_queue(workers=1, max_pending=1) as queue:
            for _ in range(3):
                await queue.submit(sleep, 1)
            return trio.current_time()

    async with open_job_queue() as other:
        assert await other.run(job) == 1


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
