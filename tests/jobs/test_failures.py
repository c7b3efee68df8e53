"""When a failure is reported, and what it does to the other jobs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

import pytest
import trio
from fakes.durable import in_place
from trio.testing import MockClock

from ticketr import (
    CancelCause,
    JobContext,
    JobFailed,
    JobHandle,
    JobQueue,
    JobSnapshot,
    JobStatus,
    OnConflict,
    SqliteStore,
    Updates,
    open_job_queue,
)

T = TypeVar("T")

queue_of: Any = open_job_queue


async def fail(context: JobContext, after: float = 0.0) -> None:
    await trio.sleep(after)
    raise ValueError(context.id)


async def succeed(context: JobContext) -> None:
    """Do nothing."""


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


# Reported at its end


@pytest.mark.parametrize("holds", ["no handle", "its handle"])
async def test_a_failure_is_reported_at_its_end(
    holds: str, reports: Reports, autojump_clock: MockClock
) -> None:
    async with open_job_queue(on_job_error=reports) as queue:
        handle: JobHandle[None] | None = await queue.submit(fail, 3)
        if holds == "no handle":
            handle = None
        await trio.sleep(10)

        assert reports.times == [("job-1", 3)]
        assert holds == "no handle" or handle is not None

    assert reports.times == [("job-1", 3)]


async def test_readers_do_not_keep_a_failure_from_being_reported(
    reports: Reports, autojump_clock: MockClock
) -> None:
    async def read(updates: Updates[Any]) -> None:
        with updates:
            async for _ in updates:
                pass

    async with (
        trio.open_nursery() as nursery,
        open_job_queue(on_job_error=reports) as queue,
    ):
        handle = await queue.submit(fail, 3)
        for updates in (queue.watch(), queue.progress(), handle.watch()):
            nursery.start_soon(read, updates)
        unread = queue.watch()
        await trio.sleep(10)

        assert reports.times == [("job-1", 3)]
        assert unread.receive_nowait().status is JobStatus.FAILED


async def test_a_cancelled_wait_does_not_count(reports: Reports, autojump_clock: MockClock) -> None:
    async with open_job_queue(on_job_error=reports) as queue:
        handle = await queue.submit(fail, 3)
        with trio.move_on_after(1):
            await handle.wait()
        await trio.sleep(9)

        assert reports.times == [("job-1", 3)]


async def test_what_a_map_does_not_raise_is_reported(
    reports: Reports, autojump_clock: MockClock
) -> None:
    async def stubborn(context: JobContext, after: float) -> None:
        try:
            await trio.sleep(after)
        finally:
            raise ValueError

    async with open_job_queue(workers=2, on_job_error=reports) as queue:
        with pytest.raises(JobFailed):
            async with queue.map(stubborn, [1, 5]) as results:
                await anext(results)

        assert reports.times == [("job-2", 1)]


# Not reported, since a task waits for it


@pytest.mark.parametrize("how", ["result", "wait", "run", "cancel_and_wait", "map"])
async def test_a_task_that_waits_gets_the_failure(
    how: str, reports: Reports, autojump_clock: MockClock
) -> None:
    async def stubborn(context: JobContext, after: float) -> None:
        try:
            await trio.sleep(after)
        finally:
            raise ValueError

    async with open_job_queue(on_job_error=reports) as queue:
        with suppress(JobFailed):
            if how == "run":
                await queue.run(stubborn, 3)
            elif how == "map":
                async with queue.map(stubborn, [3]) as results:
                    await anext(results)
            else:
                handle = await queue.submit(stubborn, 3)
                await getattr(handle, how)()
        await trio.sleep(10)

    assert reports.times == []


@pytest.mark.parametrize("way", ["submit", "submit_nowait", "for room", "join", "store"])
async def test_a_wait_that_begins_before_the_next_checkpoint_is_in_time(
    way: str, reports: Reports, tmp_path: Path, autojump_clock: MockClock
) -> None:
    """Trio runs the tasks of a step in random order, so it is done many times."""
    store = SqliteStore(tmp_path / "store.sqlite", run_sync=in_place) if way == "store" else None
    async with open_job_queue(workers=2, max_pending=1, store=store, on_job_error=reports) as queue:
        for _ in range(30):
            if way == "for room":
                queue.submit_nowait(succeed)
            if way == "join":
                queue.submit_nowait(fail, id="x")
                handle = await queue.submit(fail, id="x", on_conflict=OnConflict.JOIN)
            elif way == "submit_nowait":
                handle = queue.submit_nowait(fail)
            else:
                handle = await queue.submit(fail)
            with pytest.raises(JobFailed):
                await handle.result()
            await trio.sleep(1)

    assert reports.times == []


@pytest.mark.parametrize("patience", range(1, 25, 2))
async def test_a_failure_is_raised_or_reported_wherever_a_durable_wait_ends(
    patience: int, reports: Reports, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async def slowly(function: Callable[[], T], /) -> T:
        await trio.sleep(4)
        return function()

    raised = 0
    store = SqliteStore(tmp_path / "store.sqlite", run_sync=slowly)
    async with open_job_queue(store=store, on_job_error=reports) as queue:
        handle = await queue.submit(fail, 2)
        with trio.move_on_after(patience):
            try:
                await handle.result()
            except JobFailed:
                raised = 1
        await trio.sleep(60)

    assert len(reports.times) + raised == 1


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


@pytest.mark.parametrize("value", ["stop", None, True, 5])
def test_what_is_no_policy_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="on_error must be 'report' or 'cancel'"):
        queue_of(on_error=value)


variable: ContextVar[object] = ContextVar("variable", default="the submitter's")


async def test_on_job_error_runs_in_no_job_s_context(autojump_clock: MockClock) -> None:
    told: list[object] = []

    def set_it(job: JobSnapshot) -> None:
        told.append(variable.get())
        variable.set("the callback's")

    async def fail_after_setting_it(context: JobContext) -> None:
        variable.set("the job's")
        raise ValueError

    async def see(context: JobContext) -> object:
        return variable.get()

    async with open_job_queue(on_job_error=set_it) as queue:
        queue.submit_nowait(fail_after_setting_it)
        handle = queue.submit_nowait(see)

        assert await handle.result() == "the submitter's"
    assert told == ["the submitter's"]
