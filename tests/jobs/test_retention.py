"""Which records of ended jobs are kept, and for how long."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from ticketr import JobContext, JobQueue, JobSnapshot, JobStatus, Keep, UnknownJob, open_job_queue


async def work(context: JobContext) -> None:
    """Do nothing."""


async def fail(context: JobContext) -> None:
    raise ValueError


async def forever(context: JobContext) -> None:
    await trio.sleep_forever()


def ids(queue: JobQueue) -> list[str]:
    return [job.id for job in queue.jobs()]


async def test_a_limited_number_of_ended_jobs_is_kept(autojump_clock: MockClock) -> None:
    async with open_job_queue(keep=Keep(jobs=2)) as queue:
        for _ in range(5):
            await queue.run(work)

        assert ids(queue) == ["job-4", "job-5"]
        assert queue.statistics().evicted == 3
        with pytest.raises(UnknownJob):
            queue.status("job-3")


async def test_ended_jobs_are_kept_for_a_limited_time(autojump_clock: MockClock) -> None:
    async with open_job_queue(keep=Keep(age=10)) as queue:
        await queue.run(work)
        await trio.sleep(4)
        await queue.run(work)
        await trio.sleep(6)
        assert ids(queue) == ["job-1", "job-2"]

        await trio.sleep(1)
        with pytest.raises(UnknownJob):
            queue.snapshot("job-1")
        assert ids(queue) == ["job-2"]

        await trio.sleep(4)
        assert ids(queue) == []
        assert queue.statistics().completed == 2


async def test_live_jobs_are_never_dropped(autojump_clock: MockClock) -> None:
    async with open_job_queue(keep=Keep(jobs=0, age=0)) as queue:
        running, pending = queue.submit_nowait(forever), queue.submit_nowait(work)
        await trio.sleep(80_000)

        assert ids(queue) == [running.id, pending.id]
        running.cancel()


async def test_a_job_may_have_the_id_of_one_that_has_ended(autojump_clock: MockClock) -> None:
    told: list[JobSnapshot] = []

    async with open_job_queue(keep=Keep(jobs=2), on_job_error=told.append) as queue:
        first = await queue.submit(fail, id="x")
        await queue.run(work, id="y")
        second = await queue.submit(forever, id="x")
        await trio.sleep(1)

        assert ids(queue) == ["y", "x"]  # in the order of submission
        assert queue.status("x") is JobStatus.RUNNING
        await queue.submit(work, id="z")
        second.cancel()
        await queue.wait_idle()

        # The first job is dropped by now, the later one with its ID is not.
        assert ids(queue) == ["x", "z"]
        assert told == [first.snapshot()]

    assert told == [first.snapshot()]
