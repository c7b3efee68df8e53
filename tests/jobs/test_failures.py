"""When a failure is reported, and what it does to the other jobs."""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING, Any

import pytest
import trio
import trio.lowlevel
from trio.testing import wait_all_tasks_blocked

from ticketr import (
    CancelCause,
    JobContext,
    JobFailed,
    JobStatus,
    JobTimedOut,
    Keep,
    OnConflict,
    Retry,
    open_job_queue,
)

if TYPE_CHECKING:
    from trio.testing import MockClock

    from ticketr import JobHandle, JobQueue, JobSnapshot

queue_of: Any = open_job_queue


async def fail(context: JobContext, after: float = 0.0) -> None:
    await trio.sleep(after)
    raise ValueError(context.id)


async def forever(context: JobContext) -> None:
    await trio.sleep_forever()


class Reports:
    """The reported failures, with the time of each."""

    def __init__(self) -> None:
        self.times: list[tuple[str, float]] = []

    def __call__(self, snapshot: JobSnapshot) -> None:
        assert snapshot.status is JobStatus.FAILED
        self.times.append((snapshot.id, trio.current_time()))


@pytest.fixture
def reports() -> Reports:
    return Reports()


# Reported at once


async def test_without_a_handle_a_failure_is_reported_at_its_end(
    reports: Reports, autojump_clock: MockClock
) -> None:
    async with open_job_queue(on_job_error=reports) as queue:
        await queue.submit(fail, 3)
        await trio.sleep(10)

        assert reports.times == [("job-1", 3)]


async def test_a_failure_is_reported_when_the_last_handle_goes(
    reports: Reports, autojump_clock: MockClock
) -> None:
    async with open_job_queue(on_job_error=reports) as queue:
        handle: JobHandle[None] | None = await queue.submit(fail)
        same = await queue.submit(forever, id="other")
        await trio.sleep(5)
        assert reports.times == []
        del handle
        await wait_all_tasks_blocked()

        assert reports.times == [("job-1", 5)]
        same.cancel()


async def test_a_handle_that_was_joined_is_a_handle_of_the_same_job(
    reports: Reports, autojump_clock: MockClock
) -> None:
    async with open_job_queue(on_job_error=reports) as queue:
        first = await queue.submit(fail, 1, id="x")
        second = await queue.submit(fail, 1, id="x", on_conflict=OnConflict.JOIN)
        del first
        await trio.sleep(5)
        assert reports.times == []
        del second
        await trio.sleep(1)

        assert reports.times == [("x", 5)]


async def test_a_handle_in_a_cycle_is_reported_when_it_is_collected(
    reports: Reports, autojump_clock: MockClock
) -> None:
    async with open_job_queue(on_job_error=reports) as queue:
        cycle: list[Any] = [await queue.submit(fail)]
        cycle.append(cycle)
        await trio.sleep(1)
        del cycle
        gc.collect()
        await trio.sleep(1)

        assert reports.times == [("job-1", 1)]


async def test_a_handle_may_go_in_another_thread(reports: Reports) -> None:
    async with open_job_queue(on_job_error=reports) as queue:
        with queue.progress(), trio.fail_after(10):
            handles = [await queue.submit(fail)]
            await queue.wait_idle()
            done = trio.Event()
            token = trio.lowlevel.current_trio_token()

            def drop() -> None:
                handles.clear()
                token.run_sync_soon(done.set)

            thread = threading.Thread(target=drop)  # noqa: TID251 - one that Trio does not know
            thread.start()
            await done.wait()
            thread.join()
            await trio.lowlevel.checkpoint()

            assert [job for job, _ in reports.times] == ["job-1"]


async def test_a_submit_that_waits_for_room_counts_as_a_handle(
    reports: Reports, autojump_clock: MockClock
) -> None:
    async with open_job_queue(max_pending=1, on_job_error=reports) as queue:
        await queue.submit(fail, 1)
        await trio.sleep(0.5)
        queue.submit_nowait(fail, 1)
        handle = await queue.submit(fail)

        assert (await handle.wait()).status is JobStatus.FAILED

    assert [job for job, _ in reports.times] == ["job-1", "job-2"]


async def test_a_dropped_record_is_not_reported_while_its_handle_is_held(
    reports: Reports, autojump_clock: MockClock
) -> None:
    async with open_job_queue(keep=Keep(jobs=0), on_job_error=reports) as queue:
        handle = await queue.submit(fail)
        await trio.sleep(1)
        assert queue.jobs() == []
        assert reports.times == []
        with pytest.raises(JobFailed):
            await handle.result()

    assert reports.times == []


async def test_what_is_left_is_reported_when_the_block_is_left(
    reports: Reports, autojump_clock: MockClock
) -> None:
    async with open_job_queue(keep=Keep(jobs=0), on_job_error=reports) as queue:
        handle = await queue.submit(fail)
        await trio.sleep(7)

    assert reports.times == [("job-1", 7)]
    assert handle.status is JobStatus.FAILED


async def test_a_failure_is_reported_once(reports: Reports, autojump_clock: MockClock) -> None:
    async with open_job_queue(workers=3, on_job_error=reports) as queue:
        handles = [await queue.submit(fail, n) for n in range(3)]
        handles.pop()
        await trio.sleep(5)
        handles.clear()
        await trio.sleep(5)

    assert sorted(job for job, _ in reports.times) == ["job-1", "job-2", "job-3"]


async def test_a_closed_reader_that_is_held_has_not_asked(
    reports: Reports, autojump_clock: MockClock
) -> None:
    async with open_job_queue(on_job_error=reports) as queue:
        updates = queue.watch()
        await queue.submit(fail)
        await trio.sleep(1)
        updates.close()
        await trio.sleep(1)

        assert reports.times == [("job-1", 1)]
        assert updates.unread == 0


# Asked, and so not reported


async def test_looking_is_not_asking(reports: Reports, autojump_clock: MockClock) -> None:
    async with open_job_queue(on_job_error=reports) as queue:
        with queue.progress():
            handle = await queue.submit(fail)
            await trio.sleep(1)
            queue.jobs(), queue.snapshot(handle), queue.status(handle), handle.snapshot()
            del handle
            await trio.sleep(1)

            assert reports.times == [("job-1", 1)]


@pytest.mark.parametrize("whose", ["the queue's", "the job's"])
async def test_a_reader_that_has_read_the_end_has_asked(
    whose: str, reports: Reports, autojump_clock: MockClock
) -> None:
    async with open_job_queue(on_job_error=reports) as queue:
        handle = await queue.submit(fail, 1)
        updates = queue.watch() if whose == "the queue's" else handle.watch()
        del handle
        with updates:
            async for snapshot in updates:
                if snapshot.status.is_terminal:
                    break

    assert reports.times == []


@pytest.mark.parametrize("whose", ["the queue's", "the job's", "one of an ended job"])
@pytest.mark.parametrize("end", ["closed", "dropped"])
async def test_a_reader_that_goes_with_the_end_unread_has_not_asked(
    whose: str, end: str, reports: Reports, autojump_clock: MockClock
) -> None:
    async with open_job_queue(on_job_error=reports) as queue:
        handle = await queue.submit(fail, 1)
        if whose == "one of an ended job":
            await trio.sleep(2)
        updates = queue.watch() if whose == "the queue's" else handle.watch()
        del handle
        await trio.sleep(5)
        assert reports.times == []
        now = trio.current_time()
        if end == "closed":
            updates.close()
        del updates
        gc.collect()
        await trio.sleep(1)

        assert reports.times == [("job-1", now)]


async def test_a_cancelled_run_has_not_asked(reports: Reports, autojump_clock: MockClock) -> None:
    async def stubborn(context: JobContext) -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise ValueError

    async with open_job_queue(on_job_error=reports) as queue:
        with trio.move_on_after(2):
            await queue.run(stubborn)
        await trio.sleep(1)

        assert reports.times == [("job-1", 2)]


async def test_a_failure_that_is_retried_is_not_reported(
    reports: Reports, autojump_clock: MockClock
) -> None:
    async with open_job_queue(on_job_error=reports) as queue:
        await queue.submit(fail, retry=Retry(3, first=10, factor=1, jitter=0))

    assert reports.times == [("job-1", 20)]


async def test_on_job_error_may_submit_another_job(autojump_clock: MockClock) -> None:
    ran: list[str] = []

    async def note(context: JobContext) -> None:
        ran.append(context.id)

    async with open_job_queue(
        on_job_error=lambda snapshot: queue.submit_nowait(note, id=f"after {snapshot.id}")
    ) as queue:
        await queue.submit(fail)

    assert ran == ["after job-1"]


# The first failure cancels the rest


def leaves_of(error: BaseException | None) -> list[type]:
    assert isinstance(error, ExceptionGroup)
    return [type(each) for each in error.exceptions]


async def cancels_rest(
    error_handler: Reports, body: Any, **options: Any
) -> tuple[BaseException | None, JobQueue]:
    queue: Any = None
    try:
        async with open_job_queue(
            workers=3, on_error="cancel", on_job_error=error_handler, **options
        ) as queue:
            await body(queue)
    except ExceptionGroup as error:
        return error, queue
    return None, queue


async def test_the_first_failure_cancels_body_and_jobs(
    reports: Reports, autojump_clock: MockClock
) -> None:
    async def body(queue: JobQueue) -> None:
        await queue.submit(fail, 5)
        handles.append(await queue.submit(forever))
        handles.append(await queue.submit(forever, delay=60))
        await trio.sleep_forever()

    handles: list[JobHandle[None]] = []
    left, _ = await cancels_rest(reports, body)

    assert isinstance(left, ExceptionGroup)
    assert leaves_of(left) == [ValueError]
    assert trio.current_time() == 5
    ends = [(handle.status, handle.snapshot().cancel_cause) for handle in handles]
    assert ends == [(JobStatus.CANCELLED, CancelCause.SHUTDOWN)] * 2
    assert reports.times == []


async def test_the_error_that_leaves_has_its_traceback(
    reports: Reports, autojump_clock: MockClock
) -> None:
    async def body(queue: JobQueue) -> None:
        await queue.submit(fail)

    left, _ = await cancels_rest(reports, body)

    assert isinstance(left, ExceptionGroup)
    frames = []
    trace = left.exceptions[0].__traceback__
    while trace is not None:
        frames.append(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    assert frames[-1] == "fail"


async def test_a_failure_that_is_waited_for_cancels_the_rest_too(
    reports: Reports, autojump_clock: MockClock
) -> None:
    async def body(queue: JobQueue) -> None:
        await queue.run(fail)

    left, _ = await cancels_rest(reports, body)

    assert isinstance(left, ExceptionGroup)
    assert [type(error) for error in left.exceptions] == [ValueError]


async def test_an_error_of_the_body_is_beside_it(
    reports: Reports, autojump_clock: MockClock
) -> None:
    async def body(queue: JobQueue) -> None:
        await queue.submit(fail, 1)
        try:
            await trio.sleep_forever()
        finally:
            raise KeyError

    left, _ = await cancels_rest(reports, body)

    assert isinstance(left, ExceptionGroup)
    assert [type(error) for error in left.exceptions] == [KeyError, ValueError]


async def test_a_time_limit_is_a_failure_that_cancels(
    reports: Reports, autojump_clock: MockClock
) -> None:
    async def body(queue: JobQueue) -> None:
        await queue.submit(forever, timeout=4)
        await trio.sleep_forever()

    left, _ = await cancels_rest(reports, body)

    assert leaves_of(left) == [JobTimedOut]
    assert trio.current_time() == 4


async def test_what_fails_while_it_is_cancelled_is_reported(
    reports: Reports, autojump_clock: MockClock
) -> None:
    async def untidy(context: JobContext) -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise KeyError

    async def body(queue: JobQueue) -> None:
        await queue.submit(untidy)
        await queue.submit(fail, 1)

    left, _ = await cancels_rest(reports, body)

    assert leaves_of(left) == [ValueError]
    assert reports.times == [("job-1", 1)]


async def test_a_retried_failure_cancels_nothing_until_the_last_attempt(
    reports: Reports, autojump_clock: MockClock
) -> None:
    async def body(queue: JobQueue) -> None:
        await queue.submit(fail, 1, retry=Retry(2, first=1, jitter=0))

    left, _ = await cancels_rest(reports, body)

    assert leaves_of(left) == [ValueError]
    assert trio.current_time() == 3


async def test_a_cancelled_job_cancels_no_other(
    reports: Reports, autojump_clock: MockClock
) -> None:
    async def body(queue: JobQueue) -> None:
        handle = await queue.submit(forever)
        other = await queue.submit(trio_sleep, 2)
        await handle.cancel_and_wait()
        await other.result()

    async def trio_sleep(context: JobContext, seconds: float) -> None:
        await trio.sleep(seconds)

    left, _ = await cancels_rest(reports, body)

    assert left is None
    assert trio.current_time() == 2


async def test_an_outer_cancellation_is_not_swallowed(
    reports: Reports, autojump_clock: MockClock
) -> None:
    with trio.move_on_after(1) as scope:
        async with open_job_queue(on_error="cancel", on_job_error=reports) as queue:
            await queue.submit(forever)
            await trio.sleep_forever()

    assert scope.cancelled_caught


@pytest.mark.parametrize("value", ["stop", None, True, 5])
def test_what_is_no_policy_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="on_error must be 'report' or 'cancel'"):
        queue_of(on_error=value)
