from __future__ import annotations

import trio
from trio.testing import MockClock, assert_no_checkpoints, wait_all_tasks_blocked

from ticketr import JobContext, JobProgress, JobStatus, open_job_queue


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
