"""How a queue's block ends, and which errors leave it."""

from __future__ import annotations

import asyncio  # noqa: TID251 - the test is about it
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest
import trio
from fakes.small_jobs import forever, nothing, tidy
from trio.abc import Instrument
from trio.testing import MockClock

from ticketr import (
    CancelCause,
    JobContext,
    JobHandle,
    JobOptions,
    JobQueue,
    JobStatus,
    QueueClosed,
    open_job_queue,
)


async def interrupt(context: JobContext) -> None:
    await trio.sleep(1)
    raise KeyboardInterrupt


def ends(queue: JobQueue) -> list[tuple[str, str | None]]:
    return [(job.status.value, job.cancel_cause) for job in queue.jobs()]


async def test_jobs_may_submit_more_while_the_block_ends(autojump_clock: MockClock) -> None:
    async def again(context: JobContext, times: int) -> None:
        await trio.sleep(1)
        if times > 1:
            queue.submit_nowait(again, times - 1)

    async with open_job_queue() as queue:
        await queue.submit(again, 4)

    assert trio.current_time() == 4
    assert queue.statistics().completed == 4


async def test_an_exception_in_the_body_cancels_everything_and_leaves_unchanged(
    autojump_clock: MockClock,
) -> None:
    error = ValueError("in the body")

    with pytest.raises(ValueError, match="in the body") as caught:  # noqa: PT012
        async with open_job_queue() as queue:
            await queue.submit(tidy, 2)
            await queue.submit(forever)
            await trio.sleep(1)
            raise error

    assert caught.value is error
    assert trio.current_time() == 3
    assert ends(queue) == [("cancelled", "shutdown")] * 2
    assert queue.snapshot("job-2").finished_at == 1
    assert repr(queue).startswith("<JobQueue closed")


async def fail_as_it_is_cancelled(context: JobContext) -> None:
    try:
        await trio.sleep_forever()
    except trio.Cancelled as cancelled:
        raise BaseExceptionGroup("both", [cancelled, ValueError()]) from None


@pytest.mark.parametrize("body", [forever, fail_as_it_is_cancelled])
async def test_an_outer_cancel_lets_no_pending_job_start(
    body: Callable[[JobContext], Awaitable[None]], autojump_clock: MockClock
) -> None:
    for _ in range(30):  # Trio's order of tasks is random
        with trio.move_on_after(1):
            async with open_job_queue() as queue:
                await queue.submit(body)
                pending = await queue.submit(forever)

        assert pending.snapshot().cancel_cause == "scope"
        assert pending.snapshot().started_at is None


async def test_a_body_error_beside_an_outer_cancel_comes_out_alone(
    autojump_clock: MockClock,
) -> None:
    error = ValueError("while being cancelled")

    with trio.move_on_after(1) as scope:
        with pytest.raises(ValueError, match="while being cancelled") as caught:  # noqa: PT012
            async with open_job_queue(workers=2) as queue:
                await queue.submit(tidy, 1)
                await queue.submit(forever)
                try:
                    await trio.sleep_forever()
                finally:
                    raise error
        assert caught.value is error

    assert not scope.cancelled_caught
    assert [status for status, _ in ends(queue)] == ["cancelled"] * 2


async def test_a_shielded_body_does_not_keep_a_cancelled_queue_open(
    autojump_clock: MockClock,
) -> None:
    async def never(context: JobContext) -> None:
        pytest.fail("it was called")

    with trio.move_on_after(1):
        async with open_job_queue() as queue:
            await queue.submit(tidy, 5)
            pending = await queue.submit(never)
            with trio.CancelScope(shield=True):
                await trio.sleep(2)
                assert pending.snapshot().finished_at == 1
                assert pending.snapshot().cancel_cause == "scope"
                with pytest.raises(QueueClosed):
                    queue.submit_nowait(never)

    assert trio.current_time() == 6


async def test_an_interrupt_in_a_job_while_the_block_waits(autojump_clock: MockClock) -> None:
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012
        async with open_job_queue(workers=2) as queue:
            await queue.submit(interrupt)
            await queue.submit(tidy, 2)
            await queue.submit(forever)

    assert trio.current_time() == 3
    assert ends(queue) == [("failed", None), ("cancelled", "shutdown"), ("cancelled", "shutdown")]


async def test_an_interrupt_among_errors_of_a_job_leaves_with_them(
    autojump_clock: MockClock,
) -> None:
    async def fail_and_interrupt(context: JobContext) -> None:
        raise BaseExceptionGroup("of the job", [ValueError(), KeyboardInterrupt()])

    with pytest.RaisesGroup(ValueError, KeyboardInterrupt, match="of the job"):
        async with open_job_queue() as queue:
            await queue.submit(fail_and_interrupt)
            await queue.submit(forever)

    assert ends(queue) == [("failed", None), ("cancelled", "shutdown")]


async def test_an_interrupt_and_an_error_of_the_body_leave_together(
    autojump_clock: MockClock,
) -> None:
    error = ValueError("of the body")

    with pytest.RaisesGroup(ValueError, KeyboardInterrupt) as caught:
        async with open_job_queue() as queue:
            await queue.submit(interrupt)
            try:
                await trio.sleep_forever()
            finally:
                raise error

    assert caught.value.exceptions[0] is error


async def test_a_fault_of_ours_does_not_hang(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    def broken(*_: object) -> None:
        raise AssertionError("a fault")

    monkeypatch.setattr("ticketr.jobs._core.QueueCore.start_next", broken)

    with pytest.RaisesGroup(AssertionError, match="Please report it"):
        async with open_job_queue() as queue:
            await queue.submit(forever)
            await trio.sleep_forever()


# How many jobs end at a time.


class EndsPerStep(Instrument):
    """Notes how many jobs of a queue end in one step of a task, at most."""

    def __init__(self, queue: JobQueue) -> None:
        self.most = 0
        self._queue = queue
        self._before = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self._before = self._queue.statistics().cancelled

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        self.most = max(self.most, self._queue.statistics().cancelled - self._before)


class ChangesPerStep(Instrument):
    """Notes how many changes some jobs have in one step of a task, at most."""

    def __init__(self, handles: Sequence[JobHandle[object]]) -> None:
        self.most = 0
        self._handles = handles
        self._before = self.count()

    def count(self) -> int:
        return sum(handle.snapshot().revision for handle in self._handles)

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        self._before, before = self.count(), self._before
        self.most = max(self.most, self._before - before)


@pytest.mark.parametrize("end", ["resume", "shutdown"])
async def test_the_end_of_a_pause_changes_many_jobs_in_many_steps(
    autojump_clock: MockClock, end: str
) -> None:
    async with open_job_queue(max_pending=None) as queue:
        queue.pause()
        handles = [queue.submit_nowait(forever) for _ in range(1000)]
        await trio.testing.wait_all_tasks_blocked()
        revision = handles[-1].snapshot().revision
        trio.lowlevel.add_instrument(changes := ChangesPerStep(handles))
        if end == "resume":
            queue.resume()
        else:
            with trio.move_on_after(1):
                await queue.shutdown(grace=5)
        await trio.testing.wait_all_tasks_blocked()

        trio.lowlevel.remove_instrument(changes)
        snapshot = handles[-1].snapshot()
        assert (snapshot.waiting_for, snapshot.revision) == ("worker", revision + 1)
        assert changes.most <= 201
        queue.cancel_all()


@pytest.mark.parametrize("end", ["shutdown", "grace", "error", "outside"])
@pytest.mark.parametrize("options", [{}, {"delay": 60.0}, {"key": "acme"}])
async def test_the_end_of_a_queue_cancels_many_jobs_in_many_steps(
    autojump_clock: MockClock, end: str, options: JobOptions
) -> None:
    called: list[int] = []

    async def job(context: JobContext, number: int) -> None:
        called.append(number)
        await trio.sleep_forever()

    with trio.CancelScope() as scope, suppress(ZeroDivisionError):
        async with open_job_queue(max_pending=None) as queue:
            handles = [queue.submit_nowait(job, number, **options) for number in range(1000)]
            await trio.testing.wait_all_tasks_blocked()
            started = [*called]
            trio.lowlevel.add_instrument(ends := EndsPerStep(queue))
            if end == "error":
                raise ZeroDivisionError
            if end == "outside":
                scope.cancel()
                await trio.lowlevel.checkpoint()
            await queue.shutdown(grace=0 if end == "shutdown" else 5)

    trio.lowlevel.remove_instrument(ends)
    assert {handle.status for handle in handles} == {JobStatus.CANCELLED}
    assert {handle.snapshot().cancel_cause for handle in handles} == {CAUSES[end]}
    assert called == started
    assert ends.most <= 201


@pytest.mark.parametrize("end", ["shutdown", "error"])
async def test_a_paused_job_that_is_cut_off_changes_once(
    autojump_clock: MockClock, end: str
) -> None:
    with suppress(ZeroDivisionError):
        async with open_job_queue(max_pending=None) as queue:
            handles = [queue.submit_nowait(forever) for _ in range(1000)]
            queue.pause()
            revisions = [handle.snapshot().revision for handle in handles]
            if end == "error":
                raise ZeroDivisionError
            await queue.shutdown(grace=0)

    ended = [handle.snapshot() for handle in handles]
    assert {snapshot.status for snapshot in ended} == {JobStatus.CANCELLED}
    assert [snapshot.revision - 1 for snapshot in ended] == revisions


async def test_a_resume_starts_no_job_that_is_being_cut_off(autojump_clock: MockClock) -> None:
    async with open_job_queue(max_pending=None) as queue:
        handles = [queue.submit_nowait(nothing) for _ in range(1000)]
        queue.pause()
        with trio.move_on_after(0):
            await queue.shutdown(grace=0)
        queue.resume()

    assert {handle.status for handle in handles} == {JobStatus.CANCELLED}


CAUSES = {
    "shutdown": CancelCause.SHUTDOWN,
    "grace": CancelCause.SHUTDOWN,
    "error": CancelCause.SHUTDOWN,
    "outside": CancelCause.SCOPE,
}


# What ``open_job_queue`` says where it cannot be entered.


NEEDS_TRIO = r"open_job_queue\(\) needs Trio: .* trio\.run\(\)"


async def enter() -> None:
    async with open_job_queue():
        pytest.fail("the block was entered")


@pytest.mark.parametrize("run", [asyncio.run, lambda coroutine: coroutine.send(None)])
def test_a_queue_outside_trio_needs_it(run: Callable[[object], object]) -> None:
    with pytest.raises(RuntimeError, match=NEEDS_TRIO):
        run(enter())


def test_a_task_of_asyncio_beside_a_guest_run_needs_trio() -> None:
    """In guest mode both libraries run in one thread."""
    seen: list[object] = []

    async def in_trio() -> None:
        async def work(context: JobContext) -> str:
            return "worked"

        async with open_job_queue() as queue:
            seen.append(await queue.run(work))

    async def host() -> None:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        trio.lowlevel.start_guest_run(
            in_trio,
            run_sync_soon_threadsafe=loop.call_soon_threadsafe,
            done_callback=lambda outcome: done.set_result(outcome.unwrap()),
        )
        with pytest.raises(RuntimeError, match=NEEDS_TRIO):
            await enter()
        await done
        assert seen == ["worked"]

    asyncio.run(host())


def test_a_forgotten_async_with_is_named() -> None:
    queue: Any = open_job_queue()

    with pytest.raises(AttributeError, match=r"use `async with open_job_queue\(\.\.\.\) as queue`"):
        queue.submit(None)
    with pytest.raises(TypeError, match="use `async with"), queue:
        pass
