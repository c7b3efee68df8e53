"""What one would write by hand instead of the queue: workers, a channel, a scope per job by ID.

The queue's peer in the benchmarks. It keeps none of the queue's promises, but it is no straw man:
it cancels by ID, survives a failing job, and does nothing that it need not.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable


class HandWritten:
    """Three workers' worth of queue."""

    def __init__(
        self, send: trio.MemorySendChannel[tuple[int, Callable[[], Awaitable[object]]]]
    ) -> None:
        self.scopes: dict[int, trio.CancelScope] = {}
        self.done = 0
        self.failed: list[Exception] = []
        self._send = send
        self._number = 0

    async def submit(self, work: Callable[[], Awaitable[object]]) -> int:
        self._number += 1
        await self._send.send((self._number, work))
        return self._number

    def cancel(self, number: int) -> None:
        if scope := self.scopes.get(number):
            scope.cancel()

    async def work(
        self, jobs: trio.MemoryReceiveChannel[tuple[int, Callable[[], Awaitable[object]]]]
    ) -> None:
        async for number, work in jobs:
            with trio.CancelScope() as scope:
                self.scopes[number] = scope
                try:
                    await work()
                except Exception as error:  # noqa: BLE001  (a failing job stops nobody else)
                    self.failed.append(error)
                finally:
                    del self.scopes[number]
                    self.done += 1


@asynccontextmanager
async def open_hand_written(workers: int, room: int) -> AsyncGenerator[HandWritten]:
    """Open it; leaving waits for all jobs."""
    send, receive = trio.open_memory_channel[tuple[int, "Callable[[], Awaitable[object]]"]](room)
    queue = HandWritten(send)
    async with trio.open_nursery() as nursery:
        for _ in range(workers):
            nursery.start_soon(queue.work, receive)
        with send:
            yield queue
