"""Submit, query, count, shut down. How a block ends is in ``test_ending``."""

from __future__ import annotations

import functools
import math
import weakref
from contextlib import suppress

import pytest
import trio
from fakes.small_jobs import fail, forever, give, nothing, sleep, tidy
from trio.testing import (
    MockClock,
    assert_checkpoints,
    assert_no_checkpoints,
    wait_all_tasks_blocked,
)

from ticketr import (
    CancelCause,
    DuplicateJob,
    JobContext,
    JobHandle,
    JobQueue,
    JobSnapshot,
    JobStatus,
    Keep,
    QueueClosed,
    QueueFull,
    UnknownJob,
    open_job_queue,
)


async def test_a_job_goes_from_pending_to_running_to_completed(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        await trio.sleep(1)
        handle = queue.submit_nowait(sleep, 2, tags=["a", "b"])
        pending = handle.snapshot()
        await trio.sleep(1)
        running = queue.snapshot(handle.id)
        ended = await handle.wait()

    assert (pending.status, running.status, ended.status) == ("pending", "running", "completed")
    assert (pending.attempt, running.attempt, ended.attempt) == (0, 1, 1)
    assert (pending.waiting_for, running.waiting_for) == ("worker", None)
    assert (pending.submitted_at, pending.started_at, pending.finished_at) == (1, None, None)
    assert (running.submitted_at, running.started_at, running.finished_at) == (1, 1, None)
    assert (ended.submitted_at, ended.started_at, ended.finished_at) == (1, 1, 3)
    assert pending.revision < running.revision < ended.revision
    assert (running.result, ended.result, ended.error) == (None, 2, None)
    assert ended.tags == {"a", "b"}
    assert (ended.progress, ended.cancel_requested, ended.cancel_cause) == (None, False, None)


@pytest.mark.parametrize("workers", [1, 2, 5])
async def test_as_many_jobs_run_at_once_as_there_are_workers(
    workers: int, autojump_clock: MockClock
) -> None:
    now, most = 0, 0

    async def count(context: JobContext) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await trio.sleep(1)
        now -= 1

    async with open_job_queue(workers=workers) as queue:
        for _ in range(10):
            await queue.submit(count)

    assert most == workers
    assert trio.current_time() == 10 / workers


async def test_statistics_add_up(autojump_clock: MockClock) -> None:
    async with open_job_queue(workers=2, keep=Keep(jobs=1)) as queue:
        await (await queue.submit(give, 1)).wait()
        await (await queue.submit(fail)).wait()
        running = await queue.submit(forever)
        await queue.submit(sleep, 1)
        pending = await queue.submit(give, 1)
        await wait_all_tasks_blocked()

        counts = queue.statistics()
        assert repr(queue) == "<JobQueue open: 2 running, 1 pending, 2 workers>"
        queue.cancel(pending.id)
        queue.cancel(running.id)

    assert repr(counts) == (
        "QueueStatistics(workers=2, pending=1, running=2, completed=1, failed=1, cancelled=0,"
        " evicted=1, submitters_waiting=0, unrecorded=0, wait_seconds=0.0, run_seconds=0.0)"
    )
    after = queue.statistics()
    assert (after.completed, after.failed, after.cancelled, after.evicted) == (2, 1, 2, 4)
    assert repr(queue) == "<JobQueue closed: 0 running, 0 pending, 2 workers>"


async def test_jobs_are_listed_in_order_and_by_status_and_tag(autojump_clock: MockClock) -> None:
    async with open_job_queue(workers=1) as queue:
        done = await queue.submit(give, 1, tags=["red"])
        await done.wait()
        runs = await queue.submit(sleep, 1, tags=["red", "blue"])
        waits = await queue.submit(give, 1)
        await wait_all_tasks_blocked()

        def ids(status: JobStatus | None = None, tag: str | None = None) -> list[str]:
            return [job.id for job in queue.jobs(status=status, tag=tag)]

        assert ids() == [done.id, runs.id, waits.id]
        assert ids(JobStatus.RUNNING) == [runs.id]
        assert ids(tag="red") == [done.id, runs.id]
        assert ids(JobStatus.COMPLETED, "blue") == []


async def test_an_id_made_up_by_the_queue_is_never_one_in_use(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        await queue.submit(give, 1, id="job-1")
        await queue.submit(give, 1, id="job-2")

        assert (await queue.submit(give, 1)).id == "job-3"


async def test_no_submit_enters_before_one_that_waits(autojump_clock: MockClock) -> None:
    async with open_job_queue(max_pending=1) as queue, trio.open_nursery() as nursery:
        await queue.submit(sleep, 1)
        await wait_all_tasks_blocked()
        await queue.submit(give, 0)
        nursery.start_soon(queue.submit, give, 1)
        await wait_all_tasks_blocked()

        assert queue.statistics().submitters_waiting == 1
        with pytest.raises(QueueFull, match="1 job waits for a worker"):
            queue.submit_nowait(give, 9)
        await queue.wait_idle()

    assert [job.result for job in queue.jobs()] == [1, 0, 1]


async def test_a_cancelled_submitter_leaves_no_trace(autojump_clock: MockClock) -> None:
    async with open_job_queue(max_pending=1) as queue:
        await queue.submit(sleep, 5)
        await wait_all_tasks_blocked()
        await queue.submit(give, 0)
        with queue.watch() as updates:
            with trio.move_on_after(1) as scope:
                await queue.submit(give, 1)
            assert scope.cancelled_caught
            assert queue.statistics().submitters_waiting == 0
            await queue.wait_idle()
            await queue.shutdown()
            seen = {snapshot.name for snapshot in [update async for update in updates]}

    assert [job.result for job in queue.jobs()] == [5, 0]
    assert seen == {"sleep", "give"}


class CancelAsItYields(trio.abc.Instrument):
    """Cancels a scope after the next step of a task."""

    def __init__(self, task: trio.lowlevel.Task, scope: trio.CancelScope) -> None:
        self.task = task
        self.scope = scope

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        if task is self.task:
            self.scope.cancel()


async def test_a_submit_that_has_submitted_gives_its_handle_cancelled_or_not(
    autojump_clock: MockClock,
) -> None:
    handles = []
    async with open_job_queue() as queue:
        with trio.CancelScope() as scope:
            instrument = CancelAsItYields(trio.lowlevel.current_task(), scope)
            trio.lowlevel.add_instrument(instrument)
            handles.append(await queue.submit(sleep, 1))
            assert scope.cancel_called
        trio.lowlevel.remove_instrument(instrument)

    assert [handle.id for handle in handles] == [job.id for job in queue.jobs()]


async def test_a_submit_raises_if_its_id_was_taken_meanwhile(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue(max_pending=1) as queue, trio.open_nursery() as nursery:
        await queue.submit(sleep, 1)
        await wait_all_tasks_blocked()
        await queue.submit(give, 0)
        refused = []

        async def second() -> None:
            with pytest.raises(DuplicateJob) as caught:
                await queue.submit(give, 2, id="mine")
            refused.append(caught.value.job_id)

        nursery.start_soon(functools.partial(queue.submit, sleep, 1, id="mine"))
        await wait_all_tasks_blocked()
        nursery.start_soon(second)
        await wait_all_tasks_blocked()
        nursery.start_soon(queue.submit, give, 3)

    assert refused == ["mine"]
    assert [job.result for job in queue.jobs()] == [1, 0, 1, 3]


async def test_cancelling_run_cancels_the_job_and_waits_for_its_clean_up(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue() as queue:
        await queue.submit(sleep, 2)
        for job_id, end in (("pending", 1), ("running", 5)):
            with trio.move_on_after(2 if job_id == "running" else 1) as scope:
                await queue.run(tidy, id=job_id)

            assert scope.cancelled_caught
            assert trio.current_time() == end
            snapshot = queue.snapshot(job_id)
            assert (snapshot.status, snapshot.cancel_cause) == ("cancelled", CancelCause.SCOPE)
        assert queue.snapshot("pending").attempt == 0


async def test_wait_idle_is_not_fooled_by_a_job_that_came_in_the_meantime(
    autojump_clock: MockClock,
) -> None:
    completed = set()
    for _ in range(30):  # Trio's order of tasks is random
        async with open_job_queue() as queue, trio.open_nursery() as nursery:
            handle = await queue.submit(sleep, 1)
            nursery.start_soon(follow_up, queue, handle)
            await queue.wait_idle()

            assert queue.statistics().running + queue.statistics().pending == 0
            completed.add(queue.statistics().completed)

    assert completed == {1, 2}


async def follow_up(queue: JobQueue, handle: JobHandle[float]) -> None:
    await handle.wait()
    queue.submit_nowait(sleep, 1)


async def test_shutdown_turns_waiting_submitters_away(autojump_clock: MockClock) -> None:
    async with open_job_queue(max_pending=1) as queue, trio.open_nursery() as nursery:
        await queue.submit(sleep, 2)
        await wait_all_tasks_blocked()
        await queue.submit(sleep, 2)

        async def submit() -> None:
            with pytest.raises(QueueClosed):
                await queue.submit(give, 1)
            assert trio.current_time() == 0

        nursery.start_soon(submit)
        await wait_all_tasks_blocked()
        await queue.shutdown()
        assert trio.current_time() == 4


async def test_after_its_grace_a_shutdown_cancels_and_waits_for_clean_ups(
    autojump_clock: MockClock,
) -> None:
    async def tidy(context: JobContext) -> None:
        try:
            await trio.sleep_forever()
        finally:
            assert context.cancel_requested
            with context.cleanup(3):
                await trio.sleep(2)

    async with open_job_queue() as queue:
        await queue.submit(tidy, id="running")
        await queue.submit(give, 1, id="pending")

        await queue.shutdown(grace=5)

        assert trio.current_time() == 7
        for job in queue.jobs():
            assert (job.status, job.cancel_cause) == ("cancelled", CancelCause.SHUTDOWN)
        assert queue.snapshot("pending").finished_at == 5


@pytest.mark.parametrize(("first", "second", "end"), [(9, 2, 3), (2, 9, 2), (None, 3, 4)])
async def test_a_second_shutdown_can_only_shorten_the_grace(
    first: float | None, second: float, end: float, autojump_clock: MockClock
) -> None:
    async with open_job_queue() as queue, trio.open_nursery() as nursery:
        await queue.submit(forever)
        nursery.start_soon(functools.partial(queue.shutdown, grace=first))
        await trio.sleep(1)

        await queue.shutdown(grace=second)

        assert trio.current_time() == end


async def test_a_limit_of_the_queue_holds_for_jobs_without_their_own(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue(workers=3, timeout=2) as queue:
        limited = await queue.submit(forever)
        longer = await queue.submit(forever, timeout=3)
        free = await queue.submit(sleep, 9, timeout=math.inf)

        assert (await limited.wait()).finished_at == 2
        assert (await longer.wait()).finished_at == 3
        assert (await free.wait()).status is JobStatus.COMPLETED


async def test_which_methods_are_checkpoints(autojump_clock: MockClock) -> None:
    async with open_job_queue(max_pending=1) as queue:
        with assert_checkpoints():
            handle = await queue.submit(give, 1)
        with assert_checkpoints():
            await handle.wait()
        with assert_checkpoints():
            await handle.wait()
        with assert_checkpoints():
            await handle.result()
        with assert_checkpoints():
            await handle.cancel_and_wait()
        with assert_checkpoints():
            await queue.run(give, 1)
        with assert_checkpoints():
            await queue.wait_idle()
        with assert_no_checkpoints():
            nowait = queue.submit_nowait(give, 1)
            with suppress(QueueFull):
                queue.submit_nowait(give, 2)
            queue.status(handle.id), queue.snapshot(handle.id), queue.jobs(), queue.statistics()
            queue.cancel(nowait.id), queue.cancel("x"), handle.cancel()
            with queue.watch(), queue.progress(), handle.watch():
                repr(queue), repr(handle)
        with assert_checkpoints():
            await queue.shutdown()
        with assert_checkpoints():
            await queue.shutdown(grace=0)


# Which records of ended jobs are kept, and for how long.


def ids(queue: JobQueue) -> list[str]:
    return [job.id for job in queue.jobs()]


async def test_a_limited_number_of_ended_jobs_is_kept(autojump_clock: MockClock) -> None:
    async with open_job_queue(keep=Keep(jobs=2)) as queue:
        for _ in range(5):
            await queue.run(nothing)

        assert ids(queue) == ["job-4", "job-5"]
        assert queue.statistics().evicted == 3
        with pytest.raises(UnknownJob):
            queue.status("job-3")


async def test_results_are_let_go_while_nobody_asks_for_jobs() -> None:
    class Result: ...

    results = weakref.WeakSet[Result]()

    async def job(context: JobContext) -> Result:
        results.add(result := Result())
        return result

    async with open_job_queue(keep=Keep(jobs=2)) as queue:
        for _ in range(9):
            await queue.run(job)

        assert len(results) <= 3


async def test_ended_jobs_are_kept_for_a_limited_time(autojump_clock: MockClock) -> None:
    async with open_job_queue(keep=Keep(age=10)) as queue:
        await queue.run(nothing)
        await trio.sleep(4)
        await queue.run(nothing)
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
        running, pending = queue.submit_nowait(forever), queue.submit_nowait(nothing)
        await trio.sleep(80_000)

        assert ids(queue) == [running.id, pending.id]
        running.cancel()


async def test_a_job_may_have_the_id_of_one_that_has_ended(autojump_clock: MockClock) -> None:
    told: list[JobSnapshot] = []

    async with open_job_queue(keep=Keep(jobs=2), on_job_error=told.append) as queue:
        first = await queue.submit(fail, id="x")
        await queue.run(nothing, id="y")
        second = await queue.submit(forever, id="x")
        await trio.sleep(1)

        assert ids(queue) == ["y", "x"]  # in the order of submission
        assert queue.status("x") is JobStatus.RUNNING
        await queue.submit(nothing, id="z")
        second.cancel()
        await queue.wait_idle()

        # The first job is dropped by now, the later one with its ID is not.
        assert ids(queue) == ["x", "z"]
        assert told == [first.snapshot()]

    assert told == [first.snapshot()]
