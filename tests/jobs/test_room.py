"""Which jobs take the room that ``max_pending`` limits, and which need none."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import trio
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
    open_job_queue,
)

HELD = ["delay", "back-off", "after", "paused key", "rate of a key", "key"]


async def sleep(context: JobContext, seconds: float = 1) -> None:
    await trio.sleep(seconds)


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
