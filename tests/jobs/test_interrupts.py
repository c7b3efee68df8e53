"""Ctrl+C between any two lines of the queue's own code leaves the queue consistent."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
import trio
from fakes.internals import core_of
from fakes.small_jobs import quiet
from trio.testing import MockClock

import ticketr
from ticketr import (
    CancelCause,
    JobContext,
    JobQueue,
    JobStatus,
    OnConflict,
    QueueClosed,
    open_job_queue,
)
from ticketr.jobs._record import snapshot_of

LIBRARY = str(Path(ticketr.__file__).parent / "jobs")


def is_of_the_library(code: CodeType) -> bool:
    return code.co_filename.startswith(LIBRARY)


def is_around_a_block(code: CodeType) -> bool:
    """Return whether the code enters or leaves the block of a queue, or its nursery."""
    return code.co_name in {"__aenter__", "__aexit__"}


class AtLine:
    """Raises SIGINT before the n-th line that Python runs in some functions."""

    def __init__(self, line: int, counts: Callable[[CodeType], bool]) -> None:
        self.left = line
        self.counts = counts

    def __call__(self, frame: FrameType, event: str, arg: object) -> AtLine | None:
        if not self.counts(frame.f_code):
            return None
        if event == "line":
            self.left -= 1
            if self.left == 0:
                signal.raise_signal(signal.SIGINT)
        return self


class Scenario:
    """A short life of a queue with a job of every kind."""

    queue: JobQueue | None = None

    def __init__(self) -> None:
        self.calls: list[str] = []

    async def work(self, context: JobContext, seconds: float) -> float:
        self.calls.append(context.id)
        context.report(current=1, total=2)
        await trio.sleep(seconds)
        return seconds

    async def fail(self, context: JobContext) -> None:
        self.calls.append(context.id)
        await trio.sleep(1)
        raise ValueError

    async def main(self) -> None:
        async with open_job_queue(max_pending=2, on_job_error=quiet) as queue:
            self.queue = queue
            with queue.watch() as updates:
                first = await queue.submit(self.work, 1)
                second = await queue.submit(self.work, 1)
                await queue.submit(self.fail)
                await queue.submit(self.work, 9)
                second.cancel()
                await anext(updates)
                await first.result()
            with trio.move_on_after(3):
                await queue.run(self.work, 1)
            await queue.shutdown(grace=1)


class Steered(Scenario):
    """A queue with keys, delays and pauses, and all calls that change them."""

    async def main(self) -> None:
        async with open_job_queue(workers=2, max_pending=4, on_job_error=quiet) as queue:
            self.queue = queue
            queue.pause("k")
            later = queue.submit_nowait(self.work, 1, key="k", delay=50)
            queue.submit_nowait(self.work, 1, key="k", priority=1)
            queue.submit_nowait(self.work, 1, start_by=1, delay=2)
            await trio.sleep(1)
            queue.run_now(later.id)
            queue.set_priority(later.id, 2)
            queue.pause()
            queue.resume("k")
            queue.resume()
            await trio.sleep(0.5)
            queue.submit_nowait(self.fail, key="k", on_conflict=OnConflict.SUPERSEDE)
            await trio.sleep(2)
            queue.submit_nowait(self.work, 1, key="k", tags=["t"])
            queue.submit_nowait(self.work, 1, key="k", tags=["t"])
            queue.cancel_all(tag="t")
            await queue.wait_idle()
            await queue.history()


def interrupted(
    kind: type[Scenario], line: int, counts: Callable[[CodeType], bool]
) -> tuple[Scenario, bool]:
    """Run a scenario; return its remains, and whether the line was reached."""
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    scenario, tracer = kind(), AtLine(line, counts)
    before: Any = sys.gettrace()
    try:
        sys.settrace(tracer)
        trio.run(scenario.main, clock=MockClock(autojump_threshold=0))
    except KeyboardInterrupt:
        pass
    except BaseExceptionGroup as group:
        # The body was interrupted too, or it met the job that was.
        assert group.subgroup(KeyboardInterrupt) is not None  # noqa: PT017
    finally:
        sys.settrace(before)
    return scenario, tracer.left <= 0


def check(scenario: Scenario) -> None:
    queue = scenario.queue
    if queue is None:
        return  # before there was one
    counts = queue.statistics()
    jobs = queue.jobs()
    assert repr(queue).startswith("<JobQueue closed: 0 running, 0 pending")
    assert counts.submitters_waiting == 0
    assert counts.completed + counts.failed + counts.cancelled == len(jobs)
    for job in jobs:
        assert job.status.is_terminal
        assert scenario.calls.count(job.id) <= job.attempt <= 1
        if job.status is JobStatus.COMPLETED:
            assert scenario.calls.count(job.id) == 1
    with pytest.raises(QueueClosed):
        queue.submit_nowait(scenario.work, 1)


def sweep(
    kind: type[Scenario],
    lines: Iterator[int],
    counts: Callable[[CodeType], bool] = is_of_the_library,
) -> int:
    hit = 0
    for line in lines:
        scenario, reached = interrupted(kind, line, counts)
        check(scenario)
        if not reached:
            break
        hit += 1
    return hit


@pytest.mark.unmeasured
@pytest.mark.parametrize(("kind", "every"), [(Scenario, 13), (Steered, 29)])
def test_a_sample_of_all_lines(kind: type[Scenario], every: int) -> None:
    assert sweep(kind, iter(range(1, 100_000, every))) > 50


@pytest.mark.stress
@pytest.mark.parametrize("kind", [Scenario, Steered])
def test_every_line(kind: type[Scenario]) -> None:
    assert sweep(kind, iter(range(1, 100_000))) > 800


def test_ctrl_c_in_a_worker_ends_the_queue_as_ctrl_c_in_its_body_does() -> None:
    def is_between_jobs(code: CodeType) -> bool:
        return is_of_the_library(code) and code.co_name == "run_jobs_in_one_scope"

    causes = set[CancelCause | None]()
    for line in range(1, 100):
        scenario, _ = interrupted(Steered, line, is_between_jobs)
        check(scenario)
        assert scenario.queue is not None
        causes |= {job.cancel_cause for job in scenario.queue.jobs()}

    assert CancelCause.SHUTDOWN in causes
    assert CancelCause.SCOPE not in causes


def test_a_job_can_be_looked_at_between_any_two_lines() -> None:
    """As a signal handler does, or another thread."""
    looks = 0

    def look(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal looks
        if not is_of_the_library(frame.f_code):
            return None
        if event == "line" and scenario.queue is not None:
            for record in list(core_of(scenario.queue).registry.by_id.values()):
                snapshot_of(record)
                looks += 1
        return look

    scenario = Scenario()
    before: Any = sys.gettrace()
    try:
        sys.settrace(look)
        trio.run(scenario.main, clock=MockClock(autojump_threshold=0))
    finally:
        sys.settrace(before)

    assert looks > 1000


def test_every_line_on_the_way_into_a_block_and_out_of_it() -> None:
    assert sweep(Scenario, iter(range(1, 100)), is_around_a_block) > 5
