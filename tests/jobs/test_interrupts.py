"""Ctrl+C between any two lines of the queue's own code leaves the queue consistent."""

from __future__ import annotations

import contextlib
import inspect
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
import trio
from fakes.internals import core_of
from trio.testing import MockClock

import ticketr
from ticketr import (
    JobContext,
    JobError,
    JobQueue,
    JobStatus,
    OnConflict,
    QueueClosed,
    open_job_queue,
)
from ticketr.jobs._core import QueueCore
from ticketr.jobs._record import snapshot_of
from ticketr.jobs._scheduling.schedule import Schedule
from ticketr.jobs._updates import Subscriptions, Updates
from ticketr.jobs._worker import run_jobs

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
        async with open_job_queue(max_pending=2, on_job_error=lambda _: None) as queue:
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
        async with open_job_queue(workers=2, max_pending=4, on_job_error=lambda _: None) as queue:
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


def run_interrupted(
    main: Callable[[], Awaitable[object]], code: CodeType, place: str, *, strict: bool = True
) -> None:
    """Run a function with KeyboardInterrupt raised before the first line of a code with a text.

    CPython handles no signal before some lines; only a tracer can raise there.
    """
    lines, first = inspect.getsourcelines(code)
    number = first + next(n for n, line in enumerate(lines) if place in line)

    def interrupt(frame: FrameType, event: str, arg: object) -> Any:
        if frame.f_code is not code:
            return None
        if event == "line" and frame.f_lineno == number:
            sys.settrace(before)
            frame.f_trace = None
            raise KeyboardInterrupt
        return interrupt

    before: Any = sys.gettrace()
    try:
        sys.settrace(interrupt)
        clock = MockClock(autojump_threshold=0)
        trio.run(main, clock=clock, strict_exception_groups=strict)
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.filterwarnings("ignore::trio.TrioDeprecationWarning")
def test_an_interrupt_of_an_idle_worker_leaves_by_the_end_of_the_queue(strict: bool) -> None:
    scenario = Scenario()
    told: list[JobStatus] = []

    async def main() -> None:
        async with open_job_queue(on_job_error=lambda job: told.append(job.status)) as queue:
            failed = await queue.submit(scenario.fail)
            await trio.sleep(2)
            await queue.submit(scenario.work, 1)  # wakes the worker, which is interrupted
            await trio.sleep_forever()
        del failed

    with pytest.raises(KeyboardInterrupt):
        run_interrupted(
            main, run_jobs.__code__, "is_free = task.context is waiting_context", strict=strict
        )

    assert scenario.calls == ["job-1"]
    assert told == [JobStatus.FAILED]


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


@pytest.mark.unmeasured
def test_ctrl_c_is_tested_where_it_is_ignored_at_the_start() -> None:
    """As by `nohup`, and by a shell in what it runs in the background."""
    ignoring = (
        "import signal, sys, pytest;"
        "signal.signal(signal.SIGINT, signal.SIG_IGN);"
        "sys.exit(pytest.main(sys.argv[1:]))"
    )
    test = f"{__file__}::test_every_line_on_the_way_into_a_block_and_out_of_it"

    ran = subprocess.run(
        [sys.executable, "-c", ignoring, "-q", test], capture_output=True, text=True, check=False
    )

    assert ran.stdout.splitlines()[-1].startswith("1 passed"), ran.stdout


def test_every_line_on_the_way_into_a_block_and_out_of_it() -> None:
    assert sweep(Scenario, iter(range(1, 100)), is_around_a_block) > 5


def test_every_entry_point_is_protected_from_interrupts() -> None:
    """Calls that only read may be interrupted; calls that change anything may not."""
    books = {
        member.__code__: name
        for owner in (QueueCore, Subscriptions, Updates, Schedule)
        for name, member in vars(owner).items()
        if inspect.isfunction(member) and not name.startswith("__")
    }
    seen: set[str] = set()
    bare: set[str] = set()

    def look(frame: FrameType, event: str, arg: object) -> None:
        if event == "call" and (name := books.get(frame.f_code)) is not None:
            seen.add(name)
            if not trio.lowlevel.currently_ki_protected():
                bare.add(name)

    async def work(context: JobContext) -> None:
        context.report(current=1)
        await trio.sleep(1)

    async def main() -> None:
        async with open_job_queue() as queue:
            with queue.watch(), queue.progress():
                first = await queue.submit(work)
                second = queue.submit_nowait(work)
                with second.watch(), contextlib.suppress(JobError):
                    second.cancel()
                    await second.result()
                queue.cancel(first.id)
                await first.cancel_and_wait()
                await queue.run(work)
                await queue.wait_idle()
                queue.status(first.id)
                queue.snapshot(first.id)
                queue.jobs()
                queue.pause("k")
                queue.pause()
                later = queue.submit_nowait(work, key="k", delay=9, start_by=99)
                queue.run_now(later.id)
                queue.set_priority(later.id, 1)
                queue.resume("k")
                queue.resume()
                queue.cancel_all(key="k")
                await queue.history()
            await queue.shutdown(grace=1)
        with contextlib.suppress(ValueError):
            async with open_job_queue() as queue:
                queue.submit_nowait(work)
                raise ValueError
        with trio.move_on_after(0.5):
            async with open_job_queue() as queue:
                queue.submit_nowait(work)

    before: Any = sys.getprofile()
    sys.setprofile(look)
    try:
        trio.run(main, clock=MockClock(autojump_threshold=0))
    finally:
        sys.setprofile(before)

    assert bare == set()
    assert {"enter", "take", "finish", "cancel", "_notify"} <= seen
