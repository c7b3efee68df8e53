"""What handles and contexts give, and how a job reports and cleans up."""

from __future__ import annotations

import pytest
import trio
from fakes.small_jobs import sleep, tidy
from trio.testing import MockClock, assert_no_checkpoints, wait_all_tasks_blocked

from ticketr import (
    CancelCause,
    JobContext,
    JobProgress,
    JobStatus,
    Keep,
    UnknownJob,
    WouldDeadlock,
    open_job_queue,
)


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
        running = await queue.submit(tidy, 1)
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


async def test_a_context_knows_its_job(autojump_clock: MockClock) -> None:
    seen: list[object] = []

    async def look(context: JobContext) -> None:
        seen.extend([repr(context), context.id, context.attempt, context.cancel_requested])
        seen.extend([context.name, context.key, context.tags])
        queue.cancel(context.id)
        seen.append(context.cancel_requested)

    async with open_job_queue() as queue:
        await queue.submit(look, id="mine", key=("k", 1), tags=["a", "b"])

    about = ["look", ("k", 1), frozenset({"a", "b"})]
    assert seen == ["<JobContext of 'look', id='mine'>", "mine", 1, False, *about, True]


async def test_a_report_is_there_at_once(autojump_clock: MockClock) -> None:
    seen: list[JobProgress | None] = []

    async def work(context: JobContext) -> None:
        with assert_no_checkpoints():
            context.report(current=1, total=4, message="begin")
            seen.append(queue.snapshot(context.id).progress)
            context.report(current=2)
            seen.append(queue.snapshot(context.id).progress)
            context.report(current=0, total=0, message="")
            seen.append(queue.snapshot(context.id).progress)

    async with open_job_queue() as queue:
        await queue.submit(work, id="x")

    assert seen == [
        JobProgress("x", 1, 4, "begin", 3),
        JobProgress("x", 2, 4, "begin", 4),
        JobProgress("x", 0, 0, "", 5),
    ]
    assert queue.snapshot("x").progress == seen[-1]


async def test_a_report_after_the_end_is_ignored(autojump_clock: MockClock) -> None:
    contexts = []

    async def work(context: JobContext) -> None:
        context.report(current=3, total=3)
        contexts.append(context)

    async with open_job_queue() as queue:
        handle = await queue.submit(work)
        ended = await handle.wait()
        with queue.watch() as updates, queue.progress() as reports:
            contexts[0].report(current=9, total=9)
            await queue.shutdown()

            assert [update async for update in updates] == []
            assert [report async for report in reports] == []

    assert handle.snapshot() == ended


async def test_clean_up_is_shielded_but_not_for_ever(autojump_clock: MockClock) -> None:
    async def tidy(context: JobContext, seconds: float) -> str:
        try:
            await trio.sleep_forever()
        finally:
            with context.cleanup(3) as scope:
                await trio.sleep(seconds)
            cut.append(scope.cancelled_caught)

    cut: list[bool] = []
    async with open_job_queue() as queue:
        for seconds, end in [(2, 2), (9, 5)]:
            handle = await queue.submit(tidy, seconds)
            await wait_all_tasks_blocked()
            ended = await handle.cancel_and_wait()

            assert (ended.status, ended.finished_at) == (JobStatus.CANCELLED, end)
    assert cut == [False, True]


async def test_a_handle_by_id(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        first = queue.submit_nowait(sleep, 3, id="a")
        assert await queue.handle("a").result() == 3
        queue.submit_nowait(sleep, 4, id="a")
        assert await queue.handle(first).result() == 3
        assert await queue.handle("a").result() == 4
        for unknown in ("b", "", first.snapshot()):
            with pytest.raises(UnknownJob):
                queue.handle(unknown)  # type: ignore[arg-type]

    assert queue.handle("a").snapshot().result == 4
