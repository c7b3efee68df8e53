from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from ticketr import (
    JobContext,
    JobHandle,
    JobQueue,
    JobStatus,
    RetryLater,
    WouldDeadlock,
    open_job_queue,
)
from ticketr.jobs._deadlock import sink_component

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from trio.testing import MockClock

    from ticketr import FinishedJob


async def nothing(context: JobContext) -> None:
    """Do nothing."""


async def sleep(context: JobContext, seconds: float) -> float:
    await trio.sleep(seconds)
    return seconds


async def outcome(wait: Callable[[], Awaitable[object]]) -> str:
    """Wait; return whether that was refused, and when."""
    try:
        await wait()
    except WouldDeadlock:
        return f"refused at {trio.current_time():g}"
    return f"ended at {trio.current_time():g}"


def test_the_component_that_no_edge_leaves() -> None:
    cycle = {"c": "de", "d": "e", "e": "c"}

    assert sink_component({"a": "b", "b": "ac", **cycle}) == set("cde")
    assert sink_component({"a": "bx"} | {"b": "b"}) == {"b"}
    assert sink_component({"a": ""}) == {"a"}


def test_a_component_at_the_end_of_a_long_chain() -> None:
    chain = {number: [number + 1] for number in range(100_000)}

    assert sink_component({**chain, 100_000: [99_999]}) == {99_999, 100_000}


# No deadlocks


def test_a_task_whose_wait_has_been_answered_does_not_wait() -> None:
    async def main() -> JobStatus:
        async def parent(context: JobContext) -> None:
            await child.wait()

        async def other(context: JobContext) -> None:
            await queue.run(nothing)

        async with open_job_queue(workers=2) as queue:
            child = queue.submit_nowait(nothing)
            queue.submit_nowait(parent)
            handle = queue.submit_nowait(other)
        return handle.status

    # Trio runs tasks in random order: half of these runs failed once.
    assert {trio.run(main) for _ in range(50)} == {JobStatus.COMPLETED}


def test_an_admitted_submitter_does_not_wait() -> None:
    async def main() -> JobStatus:
        async def fill(context: JobContext) -> None:
            await queue.submit(nothing)

        async def other(context: JobContext) -> None:
            await queue.run(nothing)

        async with open_job_queue(workers=2, max_pending=1) as queue:
            await queue.submit(fill)
            handle = await queue.submit(other)
        return handle.status

    assert {trio.run(main) for _ in range(50)} == {JobStatus.COMPLETED}


class Steps(trio.abc.Instrument):
    """Counts the steps of the tasks with a name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.count += task.name == self.name


async def test_a_submitter_that_is_admitted_wakes_no_other_wait(autojump_clock: MockClock) -> None:
    async def wait(handle: JobHandle[None]) -> None:
        with pytest.raises(WouldDeadlock):
            await handle.wait()

    async def job(context: JobContext) -> None:
        handle = await queue.submit(nothing)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait, handle, name="the wait")
            await queue.submit(nothing)

    steps = Steps("the wait")
    trio.lowlevel.add_instrument(steps)
    async with open_job_queue(max_pending=1) as queue:
        assert (await (await queue.submit(job)).wait()).status is JobStatus.COMPLETED

    assert steps.count == 4


async def test_a_cancelled_task_does_not_wait(autojump_clock: MockClock) -> None:
    async def first(context: JobContext) -> str:
        with scope:
            await handles[1].wait()
        return "went on"

    async def second(context: JobContext) -> str:
        await trio.sleep(1)
        scope.cancel()
        return await outcome(handles[0].wait)

    scope = trio.CancelScope()
    handles: list[JobHandle[str]] = []
    async with open_job_queue(workers=2) as queue:
        handles += [queue.submit_nowait(first), queue.submit_nowait(second)]

    assert [handle.snapshot().result for handle in handles] == ["went on", "ended at 1"]


async def test_a_wait_that_a_scope_cuts_short(autojump_clock: MockClock) -> None:
    async def job(context: JobContext) -> float:
        pending = queue.submit_nowait(nothing)
        with trio.move_on_after(3):
            await pending.wait()
        return trio.current_time()

    async with open_job_queue() as queue:
        assert await queue.run(job) == 3


async def test_a_job_with_a_time_limit_is_waited_for(autojump_clock: MockClock) -> None:
    async def wait_for(context: JobContext, other: int) -> str:
        await trio.sleep(1 - other)
        return await outcome(handles[other].wait)

    handles: list[JobHandle[str]] = []
    async with open_job_queue(workers=2) as queue:
        handles.append(queue.submit_nowait(wait_for, 1, timeout=3))
        handles.append(queue.submit_nowait(wait_for, 0))

    assert handles[0].snapshot().cancel_cause == "timeout"
    assert handles[1].snapshot().result == "ended at 3"


async def test_a_deadline_around_the_queue_ends_no_wait_of_its_jobs(
    autojump_clock: MockClock,
) -> None:
    async def job(context: JobContext) -> str:
        return await outcome(queue.submit_nowait(nothing).wait)

    with trio.fail_after(60):
        async with open_job_queue() as queue:
            assert await queue.run(job) == "refused at 0"


async def test_a_deadline_that_is_set_while_a_job_waits(autojump_clock: MockClock) -> None:
    async def first(context: JobContext) -> float:
        with scope:
            await handles[1].wait()
        return trio.current_time()

    async def second(context: JobContext) -> str:
        await trio.sleep(1)
        return await outcome(handles[0].wait)

    scope = trio.CancelScope()
    handles: list[JobHandle[Any]] = []
    async with open_job_queue(workers=2) as queue:
        handles += [queue.submit_nowait(first), queue.submit_nowait(second)]
        await wait_all_tasks_blocked()
        scope.deadline = 5

    assert [handle.snapshot().result for handle in handles] == [5, "ended at 5"]


async def test_a_deadline_that_is_taken_away_while_a_job_waits(autojump_clock: MockClock) -> None:
    async def job(context: JobContext) -> str:
        pending = queue.submit_nowait(nothing)
        with scope:
            return await outcome(pending.wait)
        return "cancelled"

    scope = trio.CancelScope(deadline=trio.current_time() + 5)
    async with open_job_queue() as queue:
        handle = queue.submit_nowait(job)
        await trio.sleep(1)
        scope.deadline = 8
        await trio.sleep(5)
        scope.deadline = float("inf")

        assert await handle.result() == "refused at 8"  # when it should have ended


async def test_a_sleeping_task_of_the_job_prevents_a_deadlock(autojump_clock: MockClock) -> None:
    async def job(context: JobContext) -> float:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(queue.submit_nowait(nothing).wait)
            await trio.sleep(3)
            nursery.cancel_scope.cancel()
        return trio.current_time()

    async with open_job_queue() as queue:
        assert await queue.run(job) == 3


async def test_a_free_worker_of_a_queue_in_the_job_prevents_a_deadlock(
    autojump_clock: MockClock,
) -> None:
    async def job(context: JobContext) -> float:
        async with open_job_queue() as inner, trio.open_nursery() as nursery:

            async def end(context: JobContext) -> None:
                nursery.cancel_scope.cancel()

            inner.submit_nowait(end, delay=2)
            nursery.start_soon(queue.submit_nowait(nothing).wait)
        return trio.current_time()

    async with open_job_queue() as queue:
        assert await queue.run(job) == 2


async def test_a_pause_prevents_a_deadlock_until_it_is_over(autojump_clock: MockClock) -> None:
    async def job(context: JobContext) -> str:
        await trio.sleep(1)
        return await outcome(queue.submit_nowait(nothing).wait)

    async with open_job_queue(workers=2) as queue:
        handle = await queue.submit(job)
        await wait_all_tasks_blocked()
        queue.pause()
        await trio.sleep(3)
        queue.resume()

        assert await handle.result() == "ended at 3"


async def test_a_pause_without_a_free_worker_prevents_no_deadlock(
    autojump_clock: MockClock,
) -> None:
    async def job(context: JobContext) -> str:
        queue.pause()
        said = await outcome(queue.submit_nowait(nothing).wait)
        queue.resume()
        return said

    async with open_job_queue() as queue:
        assert await queue.run(job) == "refused at 0"


async def test_a_job_that_expires_is_waited_for(autojump_clock: MockClock) -> None:
    async def job(context: JobContext) -> str:
        return await outcome(queue.submit_nowait(nothing, start_by=3).wait)

    async with open_job_queue() as queue:
        assert await queue.run(job) == "ended at 3"


async def test_a_delayed_job_is_read_until_it_is_due(autojump_clock: MockClock) -> None:
    async def job(context: JobContext) -> list[str]:
        with queue.submit_nowait(nothing, delay=2).watch() as updates:
            return [await outcome(updates.receive), await outcome(updates.receive)]

    async with open_job_queue() as queue:
        assert await queue.run(job) == ["ended at 2", "refused at 2"]


async def test_a_queue_in_a_job_can_be_left_even_if_its_jobs_are_stuck(
    autojump_clock: MockClock,
) -> None:
    async def outer(context: JobContext) -> str:
        async with open_job_queue() as inner:
            handle = await inner.submit(inside)
            await trio.sleep(1)
        return str(await handle.result())

    async def inside(context: JobContext) -> str:
        said = await outcome(queue.submit_nowait(nothing).wait)  # before the block is being left
        await trio.sleep(1)
        return said

    async with open_job_queue() as queue:
        assert await queue.run(outer) == "refused at 1"


@pytest.mark.parametrize("shielded", [1, 2])
async def test_the_end_of_the_grace_prevents_a_deadlock(
    autojump_clock: MockClock, shielded: int
) -> None:
    async def job(context: JobContext, number: int, other: int) -> None:
        with trio.CancelScope(shield=number < shielded):
            said.append(await outcome(handles[other].wait))

    said: list[str] = []
    handles: list[JobHandle[None]] = []
    async with open_job_queue(workers=2) as queue:
        handles += [queue.submit_nowait(job, 0, 1), queue.submit_nowait(job, 1, 0)]
        with trio.CancelScope() as scope:
            scope.cancel()
            await queue.shutdown(grace=3)

    assert said == (["ended at 3"] if shielded == 1 else ["refused at 3", "ended at 3"])


# Deadlocks


async def test_two_waits_of_one_job(autojump_clock: MockClock) -> None:
    async def job(context: JobContext) -> list[str]:
        said: list[str] = []

        async def wait(seconds: float) -> None:
            await trio.sleep(seconds)
            said.append(await outcome(queue.submit_nowait(nothing).wait))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait, 1)
            nursery.start_soon(wait, 2)
        return said

    async with open_job_queue() as queue:
        # Not before the other task had ended.
        assert await queue.run(job) == ["refused at 2", "refused at 2"]


async def test_the_last_active_task_ends_without_acting(autojump_clock: MockClock) -> None:
    async def job(context: JobContext) -> list[str]:
        said: list[str] = []

        async def wait() -> None:
            said.append(await outcome(queue.submit_nowait(nothing).wait))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            nursery.start_soon(trio.sleep, 3)
        return said

    async with open_job_queue() as queue:
        assert await queue.run(job) == ["refused at 3"]


async def test_one_of_two_waits_ends_and_the_other_is_stuck(
    autojump_clock: MockClock,
) -> None:
    async def work(context: JobContext) -> None:
        await trio.sleep(3)
        context.report(current=1)
        await trio.sleep(3)

    async def job(context: JobContext) -> list[str]:
        said: list[str] = []

        async def wait(park: Callable[[], Awaitable[object]]) -> None:
            said.append(await outcome(park))

        with working.watch() as updates:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(wait, updates.receive)
                nursery.start_soon(wait, queue.submit_nowait(nothing).wait)
        return said

    async with open_job_queue() as other, open_job_queue() as queue:
        working = await other.submit(work)
        await wait_all_tasks_blocked()

        assert await queue.run(job) == ["ended at 3", "refused at 3"]


async def test_a_queue_is_not_idle_while_one_job_is_stuck(autojump_clock: MockClock) -> None:
    async def wait_idle(context: JobContext) -> str:
        return await outcome(inner.wait_idle)

    async def wait(context: JobContext) -> str:
        await trio.sleep(1)
        return await outcome(handle.wait)

    async with open_job_queue() as queue, open_job_queue(workers=2) as inner:
        handle = queue.submit_nowait(wait_idle)
        inner.submit_nowait(sleep, 3)
        last = inner.submit_nowait(wait)

        assert [await handle.result(), await last.result()] == ["ended at 3", "refused at 1"]


async def test_reading_all_jobs_of_a_queue_in_a_job_is_a_deadlock(
    autojump_clock: MockClock,
) -> None:
    async def outer(context: JobContext) -> str:
        async with open_job_queue() as inner:
            handle = await inner.submit(read, inner)
            return await handle.result()  # the block of the inner one is not being left

    async def read(context: JobContext, inner: JobQueue) -> str:
        with inner.watch() as updates:
            return await outcome(updates.receive)

    async with open_job_queue() as queue:
        handle = queue.submit_nowait(outer)
        await trio.sleep(2)

    assert handle.snapshot().result == "refused at 2"


async def test_reading_all_jobs_beside_an_idle_queue_is_a_deadlock(
    autojump_clock: MockClock,
) -> None:
    async def read(context: JobContext) -> str:
        with queue.watch() as updates:
            return await outcome(updates.receive)

    async with open_job_queue(), open_job_queue() as queue:
        handle = queue.submit_nowait(read)
        await trio.sleep(1)

    assert handle.snapshot().result == "refused at 1"


async def test_reading_a_job_is_waiting_for_it(autojump_clock: MockClock) -> None:
    async def job(context: JobContext) -> str:
        with queue.submit_nowait(nothing).watch() as updates:
            return await outcome(updates.receive)

    async with open_job_queue() as queue:
        assert await queue.run(job) == "refused at 0"


@pytest.mark.parametrize("reader", ["watch", "progress"])
async def test_reading_all_jobs_is_no_deadlock_until_the_block_is_left(
    autojump_clock: MockClock, reader: str
) -> None:
    async def read(context: JobContext) -> str:
        with getattr(queue, reader)() as updates:
            return await outcome(updates.receive)

    async with open_job_queue(workers=2) as queue:
        handles = [queue.submit_nowait(read), queue.submit_nowait(read)]
        await trio.sleep(3)

    said = sorted(str(handle.snapshot().result) for handle in handles)
    assert said[1] == "refused at 3"
    assert said[0] == ("ended at 3" if reader == "watch" else "refused at 3")


async def test_resting_on_all_jobs_as_the_block_is_left(autojump_clock: MockClock) -> None:
    async def rest(context: JobContext) -> str:
        with queue.watch() as updates:
            return await outcome(lambda: updates.rest(trio.current_time() + 1))

    async with open_job_queue() as queue:
        handle = queue.submit_nowait(rest)
        await trio.sleep(3)

    assert handle.snapshot().result == "refused at 3"


async def test_a_job_of_another_queue_may_still_change_something(
    autojump_clock: MockClock,
) -> None:
    async def read(context: JobContext) -> str:
        with queue.watch() as updates:
            return await outcome(updates.receive)

    async def submit(context: JobContext) -> None:
        await trio.sleep(4)
        queue.submit_nowait(nothing)

    async with open_job_queue() as other, open_job_queue() as queue:
        handle = queue.submit_nowait(read)
        await other.submit(submit)

    assert handle.snapshot().result == "ended at 4"


async def test_jobs_of_two_queues_that_wait_for_each_other(autojump_clock: MockClock) -> None:
    async def wait(context: JobContext, other: int) -> str:
        await trio.sleep(1 + other)
        return await outcome(handles[other].wait)

    handles: list[JobHandle[str]] = []
    async with open_job_queue() as first, open_job_queue() as second:
        handles += [first.submit_nowait(wait, 1), second.submit_nowait(wait, 0)]

    assert [handle.snapshot().result for handle in handles] == ["refused at 2", "ended at 2"]


async def test_a_queue_in_a_job_cannot_end_because_it_needs_that_job_s_worker(
    autojump_clock: MockClock,
) -> None:
    async def outer(context: JobContext) -> str:
        async with open_job_queue() as inner:
            handle = await inner.submit(inside)
        return await handle.result()

    async def inside(context: JobContext) -> str:
        return await outcome(queue.submit_nowait(nothing).wait)

    async with open_job_queue() as queue:
        assert await queue.run(outer) == "refused at 0"


async def test_a_cancelled_run_waits_for_its_job_even_if_that_waits(
    autojump_clock: MockClock,
) -> None:
    async def parent(context: JobContext) -> str:
        with trio.move_on_after(1):
            await queue.run(stubborn)
        return "went on"

    async def stubborn(context: JobContext) -> None:
        with trio.CancelScope(shield=True):
            said.append(await outcome(handle.wait))

    said: list[str] = []
    async with open_job_queue(workers=2) as queue:
        handle = queue.submit_nowait(parent)

        assert await handle.result() == "went on"

    assert said == ["refused at 1"]


async def test_a_waiting_submitter_of_the_same_key_takes_the_only_room(
    autojump_clock: MockClock,
) -> None:
    async def holder(context: JobContext) -> float:
        await trio.sleep(1)
        await queue.submit(nothing)
        return trio.current_time()

    async with open_job_queue(workers=2, max_pending=1) as queue:
        handle = await queue.submit(holder, key="k")
        await queue.submit(sleep, 3)
        await queue.submit(nothing, key="k")
        await queue.submit(nothing, key="k")

        assert await handle.result() == 3  # before that the other job might have made room


async def test_the_last_job_that_could_make_room_was_waited_for_elsewhere(
    autojump_clock: MockClock,
) -> None:
    async def holder(context: JobContext) -> float:
        await queue.submit(nothing, key="k")
        await queue.submit(nothing)
        return trio.current_time()

    async def wait_and_work(context: JobContext) -> None:
        await working.wait()
        await trio.sleep(5)

    async with open_job_queue() as other, open_job_queue(workers=2, max_pending=1) as queue:
        working = await queue.submit(sleep, 3)
        await other.submit(wait_and_work)
        await wait_all_tasks_blocked()

        assert await (await queue.submit(holder, key="k")).result() == 3


async def test_a_job_of_the_deadlock_is_refused_not_one_that_waits_for_it(
    autojump_clock: MockClock,
) -> None:
    async def wait(context: JobContext, moment: float, other: int) -> str:
        await trio.sleep(moment)
        return await outcome(handles[other].wait)

    handles: list[JobHandle[str]] = []
    async with open_job_queue(workers=3) as queue:
        handles += [queue.submit_nowait(wait, *args) for args in ((1, 1), (2.0, 0), (2.0, 0))]

    assert [handle.snapshot().result for handle in handles] == [
        "ended at 2",
        "refused at 2",
        "ended at 2",
    ]


def test_a_long_chain_of_waiting_jobs() -> None:
    length = 3_000

    async def first(context: JobContext) -> int:
        await released.wait()
        return 0

    async def link(context: JobContext, number: int) -> int:
        return await handles[number - 1].result() + 1

    async def main() -> None:
        async with open_job_queue(workers=length + 1, max_pending=None) as queue:
            handles.append(queue.submit_nowait(first))
            handles.extend(queue.submit_nowait(link, number + 1) for number in range(length))
            await wait_all_tasks_blocked()
            released.set()

    handles: list[JobHandle[int]] = []
    released = trio.Event()
    trio.run(main)

    assert handles[-1].snapshot().result == length


@pytest.mark.parametrize("way", ["shutdown", "error", "scope"])
async def test_jobs_that_clean_up_in_a_shield_wait_for_each_other(
    autojump_clock: MockClock, way: str
) -> None:
    async def job(context: JobContext, other: int) -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                said.append(await outcome(handles[other].wait))

    said: list[str] = []
    handles: list[JobHandle[None]] = []
    with suppress(OSError), trio.CancelScope() as scope:
        async with open_job_queue(workers=2) as queue:
            handles += [queue.submit_nowait(job, 1), queue.submit_nowait(job, 0)]
            await trio.sleep(1)
            match way:
                case "shutdown":
                    await queue.shutdown(grace=0)
                case "error":
                    raise OSError
                case "scope":
                    scope.cancel()

    assert said == ["refused at 1", "ended at 1"]


async def test_a_queue_with_a_history_in_a_job_prevents_no_deadlock(
    autojump_clock: MockClock,
) -> None:
    class Nowhere:
        def summary(self, result: object) -> str:
            return ""

        async def write(self, jobs: Sequence[FinishedJob]) -> None:
            await trio.lowlevel.checkpoint()

        async def read(self, *, limit: int, status: JobStatus | None) -> list[FinishedJob]:
            return []

    async def outer(context: JobContext) -> str:
        async with open_job_queue(history=Nowhere()) as inner:
            return await inner.run(inside)

    async def inside(context: JobContext) -> str:
        return await outcome(queue.submit_nowait(nothing).wait)

    async with open_job_queue() as queue:
        with trio.move_on_after(9):
            assert await queue.run(outer) == "refused at 0"
        queue.cancel_all()

    assert trio.current_time() == 0


async def test_the_last_job_that_did_not_wait_is_to_be_tried_again(
    autojump_clock: MockClock,
) -> None:
    async def outer(context: JobContext) -> str:
        async with open_job_queue(workers=2) as inner:

            async def pauses(context: JobContext) -> None:
                if context.attempt == 1:
                    await trio.sleep(2)
                    inner.pause()
                    await trio.sleep(1)
                    raise RetryLater(0)

            awaited = inner.submit_nowait(pauses)

            async def wait(context: JobContext) -> None:
                await awaited.wait()

            return await outcome(inner.submit_nowait(wait).wait)

    with trio.move_on_after(9):
        async with open_job_queue() as queue:
            handle = queue.submit_nowait(outer)

    assert handle.snapshot().result == "ended at 3"
