from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from ticketr import (
    CancelCause,
    JobContext,
    JobStatus,
    Keep,
    UnknownJob,
    WouldDeadlock,
    open_job_queue,
)


async def sleep(context: JobContext, seconds: float) -> float:
    await trio.sleep(seconds)
    return seconds


async def tidy(context: JobContext) -> None:
    try:
        await trio.sleep_forever()
    finally:
        with context.cleanup(3):
            await trio.sleep(1)


async def test_a_handle_shows_itself(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        handle = await queue.submit(sleep, 1, id="mine")
        await wait_all_tasks_blocked()

        assert {handle, queue.handle("mine")} == {handle}
        assert repr(handle) == "<JobHandle of 'sleep', id='mine', running>"
        assert (handle.id, handle.name, handle.status) == ("mine", "sleep", JobStatus.RUNNING)


async def test_cancelling_a_waiter_never_touches_the_job(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        handle = await queue.submit(sleep, 5)
        for wait in (handle.wait, handle.result):
            with trio.move_on_after(1) as scope:
                await wait()
            assert scope.cancelled_caught

        assert handle.status is JobStatus.RUNNING
        assert await handle.result() == 5
        assert trio.current_time() == 5


async def test_cancel_and_wait(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        running = await queue.submit(tidy)
        pending = await queue.submit(tidy)
        await trio.sleep(1)

        assert (await pending.cancel_and_wait()).finished_at == 1
        assert (await running.cancel_and_wait(reason="enough")).finished_at == 2
        assert running.snapshot().cancel_cause is CancelCause.USER
        assert (await running.cancel_and_wait()).finished_at == 2


async def test_a_job_that_cancels_itself_and_waits_is_cancelled(autojump_clock: MockClock) -> None:
    async def cancel_myself(context: JobContext) -> None:
        await handle.cancel_and_wait()

    async def cancel_myself_in_a_shield(context: JobContext) -> None:
        with trio.CancelScope(shield=True), pytest.raises(WouldDeadlock, match="itself"):
            await shielded.cancel_and_wait()
        await trio.sleep(1)

    async with open_job_queue() as queue:
        handle = await queue.submit(cancel_myself)
        shielded = await queue.submit(cancel_myself_in_a_shield)

    for job in (handle, shielded):
        assert (job.status, job.snapshot().cancel_cause) == (JobStatus.CANCELLED, CancelCause.USER)


async def test_a_handle_answers_when_the_record_is_gone(autojump_clock: MockClock) -> None:
    async with open_job_queue(keep=Keep(jobs=0)) as queue:
        handle = await queue.submit(sleep, 1)
        await handle.wait()

        with pytest.raises(UnknownJob):
            queue.status(handle.id)
        assert queue.jobs() == []
        assert handle.status is JobStatus.COMPLETED
        assert await handle.result() == 1
        assert handle.cancel() == "already finished"
        with handle.watch() as updates:
            assert [update.result async for update in updates] == [1]
