"""A reader that is closed, shared by two tasks, or unreferenced."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import trio
from trio.testing import MockClock, assert_checkpoints

from ticketr import JobContext, JobQueue, JobSnapshot, Updates, open_job_queue


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


async def test_a_wait_on_a_reader_that_is_closed_is_refused(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        for updates in (queue.watch(), (await queue.submit(forever)).watch()):
            updates.close()
            with trio.fail_after(60), pytest.raises(trio.ClosedResourceError):
                await updates.receive()
        queue.cancel_all()


async def test_a_wait_ends_when_its_reader_is_closed_meanwhile(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        updates = queue.watch()
        closed = []

        async def wait() -> None:
            with trio.fail_after(60), pytest.raises(trio.ClosedResourceError):
                await updates.receive()
            closed.append(trio.current_time())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await trio.sleep(1)
            updates.close()

    assert closed == [1]


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
            reference = weakref.ref(reader)
            del reader
            assert reference() is None
        queue.cancel_all()
        await queue.run(nothing)


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
