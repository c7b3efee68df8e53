"""Ctrl+C between any two lines of the queue's own code leaves the queue consistent."""

from __future__ import annotations

import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
import trio
from fakes.internals import core_of
from fakes.small_jobs import nothing, quiet
from trio.testing import MockClock

import ticketr
from ticketr import (
    CancelCause,
    JobContext,
    JobQueue,
    JobStatus,
    OnConflict,
    QueueClosed,
    SqliteHistory,
    SqliteStore,
    open_job_queue,
)
from ticketr.jobs._record import snapshot_of
from ticketr.testing import Injection, cancel_at_every_step

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


async def hold(context: JobContext) -> None:
    with trio.CancelScope(shield=True):
        await trio.sleep(0.5)


class AtStep(trio.abc.Instrument):
    """Raises SIGINT after the n-th step of a run."""

    def __init__(self, step: int) -> None:
        self.left = step

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        self.left -= 1
        if self.left == 0:
            signal.raise_signal(signal.SIGINT)


async def read_all(history: SqliteHistory) -> int:
    return len(await history.read(limit=100))


def test_a_history_has_all_jobs_after_ctrl_c_at_every_step(tmp_path: Path) -> None:
    queues: list[JobQueue] = []

    async def work(history: SqliteHistory) -> None:
        async with open_job_queue(workers=2, history=history) as queue:
            queues.append(queue)
            for _ in range(3):
                await queue.submit(nothing)

    for step in range(1, 1000):
        queues.clear()
        history, at_step = SqliteHistory(tmp_path / f"{step}.db"), AtStep(step)
        try:
            trio.run(work, history, instruments=[at_step])
        except* KeyboardInterrupt:
            pass
        if at_step.left > 0:
            break
        assert trio.run(read_all, history) == sum(len(queue.jobs()) for queue in queues), step


def test_run_is_left_by_ctrl_c_only_when_its_job_has_ended() -> None:
    async def clean_up(context: JobContext) -> None:
        try:
            await trio.sleep_forever()
        finally:
            with context.cleanup(5):
                await trio.sleep(1)

    async def run_for_a_second() -> None:
        async with open_job_queue() as queue:
            with trio.move_on_after(1):
                try:
                    await queue.run(clean_up)
                finally:
                    assert not queue.statistics().running

    assert cancel_at_every_step(run_for_a_second, inject=[Injection.KEYBOARD_INTERRUPT]).cancelled


def test_a_store_can_be_opened_again_after_ctrl_c_as_it_was_opened(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"

    async def open_and_close() -> None:
        async with open_job_queue(store=SqliteStore(path)):
            pass

    trio.run(open_and_close)
    with closing(sqlite3.connect(path, check_same_thread=False)) as other:
        other.execute("BEGIN EXCLUSIVE")
        interrupt = threading.Timer(0.2, signal.raise_signal, [signal.SIGINT])
        release = threading.Timer(0.6, other.rollback)
        interrupt.start()
        release.start()
        with pytest.raises(KeyboardInterrupt):
            trio.run(open_and_close)
        release.join()
    trio.run(open_and_close)


def test_two_ctrl_c_leave_a_queue_as_one(tmp_path: Path) -> None:
    async def interrupt_twice() -> None:
        async with open_job_queue(store=SqliteStore(tmp_path / "jobs.db")) as queue:
            await queue.submit(hold)
            for seconds in (0.1, 0.3):
                trio.lowlevel.spawn_system_task(interrupt_later, seconds)
            await trio.sleep_forever()

    async def interrupt_later(seconds: float) -> None:
        await trio.sleep(seconds)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        trio.run(interrupt_twice)
