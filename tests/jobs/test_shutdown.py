"""The warnings about jobs that do not stop when their queue is shut down."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress

import pytest
import trio
from trio.abc import Instrument
from trio.testing import MockClock

from ticketr import CancelCause, JobContext, JobOptions, JobQueue, JobStatus, open_job_queue


async def linger(context: JobContext, seconds: float) -> None:
    """Clean up for a long time."""
    try:
        await trio.sleep_forever()
    finally:
        with trio.CancelScope(shield=True):
            await trio.sleep(seconds)  # it stays here


async def linger_in_children(context: JobContext, children: int) -> None:
    async with trio.open_nursery() as nursery:
        for _ in range(children):
            nursery.start_soon(linger, context, 6)


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[list[tuple[float, str]]]:
    """Return what was logged, with the virtual times."""
    entries: list[tuple[float, str]] = []

    class Notes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            entries.append((trio.current_time(), record.getMessage()))

    handler = Notes()
    logging.getLogger("ticketr.jobs").addHandler(handler)
    yield entries
    logging.getLogger("ticketr.jobs").removeHandler(handler)


async def test_a_job_that_does_not_stop_is_logged_with_the_line_it_is_at(
    autojump_clock: MockClock, told: list[tuple[float, str]]
) -> None:
    async with open_job_queue() as queue:
        await queue.submit(linger, 40, id="x", name="slow one", key="acme")
        await trio.sleep(1)
        await queue.shutdown(grace=2)

    assert trio.current_time() == 43
    # 5 s after it was cancelled, then at growing intervals.
    assert [time for time, _ in told] == [8, 18, 38]
    place = f"linger ({__file__}, line {linger.__code__.co_firstlineno + 6})"
    text = f"Job 'x' (slow one, key 'acme') does not stop: it is at {place}"
    assert {text for _, text in told} == {text}


async def test_the_first_child_tasks_of_a_job_are_logged(
    autojump_clock: MockClock, told: list[tuple[float, str]]
) -> None:
    async def one_more() -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(7)

    async def various(context: JobContext) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(linger_in_children, context, 3)
            nursery.start_soon(one_more)

    async with open_job_queue() as queue:
        await queue.submit(various)
        await trio.sleep(1)
        await queue.shutdown(grace=0)

    assert [time for time, _ in told] == [6]
    text = told[0][1]
    assert text.startswith("Job 'job-1' (various) does not stop: it is at ")
    assert text.count("linger (") == 1  # three are at the same line
    assert text.count("one_more (") == 1


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


CAUSES = {
    "shutdown": CancelCause.SHUTDOWN,
    "grace": CancelCause.SHUTDOWN,
    "error": CancelCause.SHUTDOWN,
    "outside": CancelCause.SCOPE,
}
