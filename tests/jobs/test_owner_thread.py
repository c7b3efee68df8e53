"""A queue used directly from another thread, or from another Trio run."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import trio
import trio.testing
from fakes.small_jobs import forever, give, nothing

from ticketr import (
    CancelOutcome,
    JobContext,
    JobHandle,
    JobQueue,
    JobSnapshot,
    JobStatus,
    QueueClosed,
    Rate,
    RepeatHandle,
    SqliteHistory,
    Updates,
    open_job_queue,
)

ANSWERS_ANYWHERE = {
    "JobQueue.statistics",
    "JobHandle.id",
    "JobHandle.name",
    "JobHandle.status",
    "JobHandle.snapshot",
    "JobHandle.record_if_of_queue",
    "JobContext.id",
    "JobContext.name",
    "JobContext.key",
    "JobContext.scheduled_at",
    "JobContext.tags",
    "JobContext.attempt",
    "JobContext.cancel_requested",
    "JobContext.cleanup",
    "RepeatHandle.id",
    "RepeatHandle.missed",
    "RepeatHandle.next_at",
    "RepeatHandle.runs",
    "RepeatHandle.snapshot",
}
"""Calls that only read one job or number, and so may be used anywhere."""


def in_foreign_thread(function: Callable[[], object]) -> object:
    """Return what a function returns, or raises, in a thread that Trio did not make."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(function)
        return future.exception() or future.result()


def in_run_of_its_own(function: Callable[[], Awaitable[object]]) -> object:
    """Call an async function in a second Trio run, with a short time limit."""

    async def main() -> object:
        with trio.fail_after(60):
            return await function()

    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


async def enter(manager: AbstractAsyncContextManager[object]) -> None:
    async with manager:
        raise AssertionError("the block was entered")


def sync_calls(stage: Stage) -> dict[str, Callable[[], object]]:
    queue, handle, repeat, updates = stage.queue, stage.handle, stage.repeat, stage.updates
    return {
        "JobQueue.submit_nowait": partial(queue.submit_nowait, nothing, id="new", key="new"),
        "JobQueue.cancel": partial(queue.cancel, "a"),
        "JobQueue.cancel_all": queue.cancel_all,
        "JobQueue.run_now": partial(queue.run_now, "a"),
        "JobQueue.pause": queue.pause,
        "JobQueue.resume": queue.resume,
        "JobQueue.set_priority": partial(queue.set_priority, "a", 3),
        "JobQueue.status": partial(queue.status, "a"),
        "JobQueue.snapshot": partial(queue.snapshot, "a"),
        "JobQueue.handle": partial(queue.handle, "a"),
        "JobQueue.jobs": queue.jobs,
        "JobQueue.repeat": partial(queue.repeat, nothing, every=60.0),
        "JobQueue.repeats": queue.repeats,
        "JobQueue.cancel_repeat": partial(queue.cancel_repeat, "r"),
        "JobQueue.unloaded": queue.unloaded,
        "JobQueue.set_concurrency": partial(queue.set_concurrency, 1),
        "JobQueue.set_rate": partial(queue.set_rate, Rate(1)),
        "JobQueue.watch": queue.watch,
        "JobQueue.progress": queue.progress,
        "JobHandle.cancel": handle.cancel,
        "JobHandle.watch": handle.watch,
        "JobContext.report": partial(stage.context.report, current=1),
        "RepeatHandle.cancel": repeat.cancel,
        "RepeatHandle.pause": repeat.pause,
        "RepeatHandle.resume": repeat.resume,
        "RepeatHandle.run_now": repeat.run_now,
        "Updates.receive_nowait": updates.receive_nowait,
        "Updates.close": updates.close,
    }


def async_calls(stage: Stage) -> dict[str, Callable[[], Awaitable[object]]]:
    queue, handle, updates = stage.queue, stage.handle, stage.updates
    return {
        "JobQueue.submit": partial(queue.submit, nothing, id="new", key="new"),
        "JobQueue.run": partial(queue.run, nothing, id="new", key="new"),
        "JobQueue.wait_idle": queue.wait_idle,
        "JobQueue.shutdown": queue.shutdown,
        "JobQueue.history": queue.history,
        "JobQueue.request_cancel": partial(queue.request_cancel, "a"),
        "JobQueue.discard": partial(queue.discard, "no job"),
        "JobQueue.retry": partial(queue.retry, "a"),
        "JobHandle.wait": handle.wait,
        "JobHandle.result": handle.result,
        "JobHandle.cancel_and_wait": handle.cancel_and_wait,
        "JobQueue.map": partial(enter, queue.map(give, [1])),
        "Updates.receive": updates.receive,
        "Updates.aclose": updates.aclose,
    }


class Stage:
    """A queue with a job that runs, a repeat, and two readers."""

    context: JobContext
    handle: JobHandle[None]
    repeat: RepeatHandle
    updates: Updates[JobSnapshot]
    idle_reader: Updates[JobSnapshot]

    def __init__(self, queue: JobQueue) -> None:
        self.queue = queue

    async def job(self, context: JobContext) -> None:
        self.context = context
        await trio.sleep_forever()

    async def set_up(self) -> None:
        self.handle = await self.queue.submit(self.job, id="a")
        self.repeat = self.queue.repeat(nothing, every=1e6, first=1e6, id="r")
        await trio.testing.wait_all_tasks_blocked()
        self.updates = self.queue.watch()
        self.idle_reader = self.queue.watch()

    def calls(self) -> dict[str, Callable[[], object]]:
        """Return every public call; the async ones in a Trio run of their own."""
        awaited = async_calls(self)
        return sync_calls(self) | {
            name: partial(in_run_of_its_own, call) for name, call in awaited.items()
        }

    def state(self) -> object:
        readers = (len(self.updates._unread), len(self.idle_reader._unread))
        known = (self.handle.snapshot(), self.queue.jobs(), repr(self.queue), repr(self.repeat))
        return known, self.repeat.next_at is None, readers


def test_every_public_call_is_looked_at_here() -> None:
    owners = (JobQueue, JobHandle, JobContext, RepeatHandle, Updates)
    public = {
        f"{owner.__name__}.{name}"
        for owner in owners
        for name, member in inspect.getmembers_static(owner)
        if not name.startswith("_") and not inspect.ismemberdescriptor(member)
    }

    anything: Any = Mock()
    looked_at = sync_calls(anything) | async_calls(anything)

    assert set(looked_at) | ANSWERS_ANYWHERE == public


async def test_a_call_from_another_thread_or_run_is_refused_and_changes_nothing(
    path: Path,
) -> None:
    seen: list[tuple[str, str]] = []

    async def follow(updates: Updates[JobSnapshot]) -> None:
        async for snapshot in updates:
            seen.append((snapshot.id, snapshot.status))

    async with open_job_queue(workers=2, history=SqliteHistory(path)) as queue:
        stage = Stage(queue)
        await stage.set_up()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(follow, stage.updates)
            await trio.testing.wait_all_tasks_blocked()
            before = stage.state()
            for name, call in stage.calls().items():
                error = await trio.to_thread.run_sync(in_foreign_thread, call)
                assert isinstance(error, RuntimeError), (name, error)
                assert "trio.from_thread" in str(error), name
                assert stage.state() == before, name
            await queue.run(nothing, id="new", key="new")
            await stage.handle.cancel_and_wait()
            await queue.shutdown()  # which ends the readers, too

    assert seen[0][0] == "new"
    assert dict(seen) == {"new": JobStatus.COMPLETED, "a": JobStatus.CANCELLED}


def test_a_queue_that_is_closed_answers_in_another_run_and_without_one() -> None:
    async def main() -> Stage:
        async with open_job_queue() as queue:
            stage = Stage(queue)
            await stage.set_up()
            queue.cancel_all()
        return stage

    async def ask(stage: Stage) -> None:
        queue, handle = stage.queue, stage.handle
        assert (await handle.wait()).status is JobStatus.CANCELLED
        assert (await handle.cancel_and_wait()).status is JobStatus.CANCELLED
        assert [job.id for job in await queue.history()] == ["a"]
        await queue.wait_idle()
        await queue.shutdown(grace=1)
        for submit in (queue.submit, queue.run):
            with pytest.raises(QueueClosed):
                await submit(nothing)
        assert [update.status async for update in stage.updates] == [JobStatus.CANCELLED]

    stage = trio.run(main)

    for where in (in_foreign_thread, lambda call: call()):
        assert where(partial(stage.queue.status, "a")) is JobStatus.CANCELLED
        assert where(partial(stage.queue.cancel, "a")) is CancelOutcome.ALREADY_FINISHED
        assert where(stage.handle.cancel) is CancelOutcome.ALREADY_FINISHED
        assert where(stage.queue.cancel_all) == {}
        assert not where(stage.repeat.run_now)
        assert where(partial(stage.context.report, current=1)) is None
        assert where(lambda: len(stage.queue.jobs())) == 1
        with stage.handle.watch() as updates:
            assert where(updates.receive_nowait) == stage.handle.snapshot()
        with pytest.raises(QueueClosed):
            stage.queue.submit_nowait(nothing)
    trio.run(ask, stage)


# The queue used from real threads, by way of `trio.from_thread`.


async def test_a_foreign_thread_submits_and_cancels_with_a_token() -> None:
    token = trio.lowlevel.current_trio_token()

    def use(queue: JobQueue) -> tuple[object, CancelOutcome]:
        result = trio.from_thread.run(queue.run, give, 8, trio_token=token)
        handle = trio.from_thread.run(queue.submit, forever, trio_token=token)
        outcome = trio.from_thread.run_sync(queue.cancel, handle.id, trio_token=token)
        trio.from_thread.run(handle.wait, trio_token=token)
        return result, outcome

    async with open_job_queue() as queue:
        got = await trio.to_thread.run_sync(in_foreign_thread, partial(use, queue))

    assert got == (8, CancelOutcome.REQUESTED)
