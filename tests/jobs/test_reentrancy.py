"""User code that runs in the middle of the queue's code: handlers, finalizers, callbacks."""

from __future__ import annotations

from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING
from weakref import ref

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from ticketr import (
    JobContext,
    JobQueue,
    JobSnapshot,
    JobStatus,
    RetryLater,
    UnknownJob,
    open_job_queue,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from trio.testing import MockClock

    from ticketr import JobHandle


async def sleep(context: JobContext, *_: object) -> None:
    await trio.sleep(1)


async def fail(context: JobContext) -> None:
    raise ValueError


async def test_a_signal_handler_may_look_at_any_time(autojump_clock: MockClock) -> None:
    async def twice(context: JobContext) -> None:
        if context.attempt == 1:
            raise RetryLater(1)

    handles: list[JobHandle[None]] = []
    seen: list[JobSnapshot] = []
    async with open_job_queue() as queue:
        now = queue._core.now

        def handler() -> float:
            # A signal handler runs where Python code is called: within the queue that is the clock.
            queue._core.now = now
            for handle in handles:
                seen.append(handle.snapshot())
            with suppress(UnknownJob):
                seen.append(queue.snapshot("b"))
            queue._core.now = handler
            return now()

        queue._core.now = handler
        handles.append(queue.submit_nowait(twice))
        handles.append(queue.submit_nowait(sleep, id="b"))
        handles.append(queue.submit_nowait(fail, id="c"))
        await wait_all_tasks_blocked()
        handles[1].cancel()
        for handle in handles:
            await handle.wait()
        await queue.run(sleep)

    assert {job.status for job in seen} == set(JobStatus)
    for job in seen:
        assert (job.finished_at is not None) == job.status.is_terminal
        assert (job.started_at is not None) == (job.attempt > 0)


async def test_a_key_that_raises_as_its_job_is_taken_is_not_asked(
    autojump_clock: MockClock,
) -> None:
    class Key:
        raises = False

        def __hash__(self) -> int:
            return 1

        def __eq__(self, other: object) -> bool:
            if Key.raises:
                Key.raises = False
                raise ValueError
            return self is other

    async def hold(context: JobContext) -> None:
        await trio.sleep(9)

    async def spoil(context: JobContext) -> None:
        await trio.sleep(1)
        Key.raises = True

    async with open_job_queue(workers=2) as queue:
        held = queue.submit_nowait(hold, key=Key())
        queue.submit_nowait(spoil)
        await wait_all_tasks_blocked()
        other = queue.submit_nowait(sleep, key=Key())
        await other.wait()
        assert Key.raises

    assert other.status is JobStatus.COMPLETED
    assert held.status is JobStatus.COMPLETED
    assert queue.statistics().pending == 0


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_key_that_raises_at_any_call_leaves_no_job_without_an_end(
    workers: int, autojump_clock: MockClock
) -> None:
    class Key:
        calls = 0
        last = 0

        def tick(self) -> None:
            self.calls += 1
            if self.calls >= self.last:
                raise LookupError

        def __hash__(self) -> int:
            self.tick()
            return 5

        def __eq__(self, other: object) -> bool:
            self.tick()
            return self is other

    async def use(key: Key) -> None:
        handles: list[JobHandle[None]] = []
        async with open_job_queue(workers=workers, on_job_error=lambda job: None) as queue:
            calls: list[Callable[[], object]] = [
                *[lambda: handles.append(queue.submit_nowait(sleep, key=key))] * 3,
                lambda: handles.append(queue.submit_nowait(sleep, key=5)),
                lambda: queue.pause(key),
                lambda: queue.resume(key),
                lambda: queue.jobs(key=key),
                lambda: queue.pause(key),
                lambda: queue.cancel(handles[0]),
                lambda: queue.set_priority(handles[-1], 1),
            ]
            for call in calls:
                with suppress(LookupError):
                    call()
                await trio.sleep(0.1)
        numbers = queue.statistics()

        assert all(handle.status.is_terminal for handle in handles)
        assert numbers.completed + numbers.failed + numbers.cancelled == len(handles)
        assert (numbers.pending, numbers.running) == (0, 0)

    for last in range(1, 40):
        key = Key()
        key.last = last
        with trio.fail_after(60):
            await use(key)


class Canceller:
    """Cancels a job when it is freed."""

    def __init__(self, queue: JobQueue, job_id: str) -> None:
        self.queue = queue
        self.job_id = job_id

    def __del__(self) -> None:
        self.queue.cancel(self.job_id)


@pytest.mark.parametrize("status", [JobStatus.COMPLETED, JobStatus.CANCELLED])
async def test_a_finalizer_of_a_job_s_argument_may_cancel_the_last_job(
    status: JobStatus, autojump_clock: MockClock
) -> None:
    ends: list[tuple[str, JobStatus]] = []
    async with open_job_queue() as queue, trio.open_nursery() as nursery:
        updates = queue.watch()
        delay = 1 if status is JobStatus.CANCELLED else 0
        queue.submit_nowait(sleep, Canceller(queue, "y"), id="x", delay=delay)
        queue.submit_nowait(sleep, id="y", delay=delay)
        if status is JobStatus.CANCELLED:
            assert [(await updates.receive()).id for _ in range(2)] == ["x", "y"]
            queue.cancel("x")
        nursery.start_soon(queue.shutdown)

        async for job in updates:
            if job.status.is_terminal:
                ends.append((job.id, job.status))

    assert ends == [("x", status), ("y", JobStatus.CANCELLED)]


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


class Big:
    """An object whose end can be observed."""


async def test_the_variables_of_a_job_are_freed_before_its_waiter_runs(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue() as queue:
        for _ in range(20):
            big = Big()
            watched = ref(big)
            token = variable.set(big)
            handle = queue.submit_nowait(sleep)
            variable.reset(token)
            del big, token
            await handle.wait()

            assert watched() is None
