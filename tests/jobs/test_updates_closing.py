"""A reader that is closed, shared by two tasks, or unreferenced."""

from __future__ import annotations

import gc
import math
import weakref
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import trio
from trio.testing import MockClock, assert_checkpoints, wait_all_tasks_blocked

from ticketr import JobContext, Keep, open_job_queue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from ticketr import JobQueue, JobSnapshot, Updates


async def nothing(context: JobContext) -> None:
    context.report(current=1)


async def forever(context: JobContext) -> None:
    await trio.sleep_forever()


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def waits(updates: Updates[JobSnapshot]) -> dict[str, Callable[[], Awaitable[object]]]:
    return {"receive": updates.receive, "rest": lambda: updates.rest(0), "anext": updates.__anext__}


@pytest.mark.parametrize("name", ["receive", "rest", "anext"])
async def test_a_wait_on_a_reader_that_is_closed_is_refused(
    name: str, autojump_clock: MockClock
) -> None:
    async with open_job_queue() as queue:
        for updates in (queue.watch(), (await queue.submit(forever)).watch()):
            updates.close()
            with trio.fail_after(60), pytest.raises(trio.ClosedResourceError):
                await waits(updates)[name]()
        queue.cancel_all()


@pytest.mark.parametrize("name", ["receive", "rest", "anext"])
async def test_a_wait_ends_when_its_reader_is_closed_meanwhile(
    name: str, autojump_clock: MockClock
) -> None:
    async with open_job_queue() as queue:
        updates = queue.watch()
        closed = []

        async def wait() -> None:
            with trio.fail_after(60), pytest.raises(trio.ClosedResourceError):
                await waits(updates)[name]()
            closed.append(trio.current_time())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await trio.sleep(1)
            updates.close()

    assert closed == [1]


async def test_a_second_task_that_rests_is_refused(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        with queue.watch() as updates:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(updates.rest, 0)
                await wait_all_tasks_blocked()
                with trio.fail_after(60), pytest.raises(trio.BusyResourceError):
                    await updates.rest(0)
                await queue.submit(nothing)  # which wakes the first
            await updates.receive()


async def test_a_cancelled_rest_does_not_block_the_next(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue() as queue:
        with queue.watch() as updates:
            with trio.move_on_after(1):
                await updates.rest(0)
            await queue.submit(nothing)
            await queue.wait_idle()
            with trio.move_on_after(1) as scope:
                await updates.rest(0)

    assert scope.cancelled_caught  # a rest waits for new changes, not for unread ones


@pytest.mark.parametrize("until", [math.nan, "5", None, Decimal(5), object()])
async def test_a_rest_until_an_invalid_time_is_refused(
    until: Any, autojump_clock: MockClock
) -> None:
    async with open_job_queue() as queue:
        with queue.watch() as updates:
            with trio.fail_after(60), pytest.raises((TypeError, ValueError), match="until"):
                await updates.rest(until)
            await queue.run(nothing)  # which an invalid time of a reader cannot break


async def test_a_closed_reader_drops_what_it_had_not_read(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        updates = queue.watch()
        await queue.run(nothing)
        assert updates.unread == 1
        updates.close()

        assert updates.unread == 0


READERS: dict[str, Callable[[JobQueue], Updates[Any]]] = {
    "watch": lambda queue: queue.watch(),
    "progress": lambda queue: queue.progress(),
    "of a job": lambda queue: queue.submit_nowait(forever).watch(),
}


@pytest.mark.parametrize("kind", READERS)
async def test_an_unreferenced_reader_is_freed_at_once(
    kind: str, autojump_clock: MockClock
) -> None:
    async with open_job_queue(max_pending=None) as queue:
        with no_garbage_collection():
            reader = READERS[kind](queue)
            await queue.submit(nothing)
            inbox = weakref.ref(reader._subscription)
            del reader
            assert inbox() is None
        queue.cancel_all()
        await queue.run(nothing)


async def test_a_reader_is_held_by_the_loop_that_reads_it(autojump_clock: MockClock) -> None:
    seen: list[str] = []

    async def read() -> None:
        seen.extend([snapshot.status async for snapshot in queue.watch()])

    async with trio.open_nursery() as nursery, open_job_queue() as queue:
        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        gc.collect()
        await queue.run(nothing)

    assert seen[-1] == "completed"


async def test_a_reader_may_be_freed_in_any_thread() -> None:
    """As at the end of a thread, or by a garbage collection in it."""
    async with open_job_queue(max_pending=None) as queue:
        others = [queue.watch(), queue.watch()]
        held = [others[0], queue.watch(), queue.progress(), others[1]]
        inboxes = [weakref.ref(reader._subscription) for reader in held[1:3]]
        await trio.to_thread.run_sync(held.clear)
        assert [inbox() for inbox in inboxes] == [None, None]

        await queue.run(nothing)

        assert [other.unread for other in others] == [1, 1]


async def test_readers_that_come_and_go_leave_nothing_behind(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        handle = await queue.submit(forever)
        kept: list[Updates[JobSnapshot]] = []
        for _ in range(100):
            queue.watch(), queue.progress(), handle.watch()
            kept.append(queue.watch())
            kept[-1].close()
        hub = queue._core.subscriptions
        left = [len(readers._by_reference) for readers in (hub.watchers, hub.progress_readers)]
        left += [len(readers._by_reference) for readers in hub.watchers_of.values()]
        handle.cancel()

    assert max(left) <= 1


async def test_a_finalizer_may_close_a_reader_during_a_notification(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last reference to a result may be in a reader that drops it unread."""
    monkeypatch.setattr("ticketr.jobs._readers.subscription.BACKLOG", 1)

    class Closing:
        def __del__(self) -> None:
            second.close()
            opened.extend([queue.watch(), queue.watch()])

    async def closing(context: JobContext) -> Closing:
        return Closing()

    opened: list[Updates[JobSnapshot]] = []
    async with open_job_queue(keep=Keep(jobs=0)) as queue:
        first, second, third = queue.watch(), queue.watch(), queue.watch()
        await (await queue.submit(closing)).wait()
        second.receive_nowait(), third.receive_nowait()
        await queue.run(nothing)

    assert (first.missed, third.unread, len(opened)) == (1, 1, 2)


async def read_all(channel: trio.abc.ReceiveChannel[JobSnapshot]) -> list[str]:
    async with channel:
        return [snapshot.status.value async for snapshot in channel]


async def test_a_reader_is_a_receive_channel_of_trio(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        handle = await queue.submit(nothing)
        updates = handle.watch()
        assert isinstance(updates, trio.abc.ReceiveChannel)
        assert (await read_all(updates))[-1] == "completed"
        with pytest.raises(trio.ClosedResourceError):
            await updates.receive()
        await updates.aclose()
        with pytest.raises(trio.ClosedResourceError):
            updates.receive_nowait()


async def test_closing_a_reader_asynchronously_is_a_checkpoint(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        updates = queue.watch()
        with assert_checkpoints():
            await updates.aclose()

        other = queue.watch()
        with trio.CancelScope() as scope:
            scope.cancel()
            await other.aclose()
        assert scope.cancelled_caught
        with pytest.raises(trio.ClosedResourceError):
            other.receive_nowait()
