"""A hand-written job queue: workers, a channel, a scope for each job by ID.

The benchmarks compare the queue with it. It cancels waiting and running jobs by ID, survives a
failing job and does no work beyond that. It keeps none of the queue's other promises.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable


class HandWritten:
    """A hand-written job queue with three workers."""

    def __init__(
        self, send: trio.MemorySendChannel[tuple[int, Callable[[], Awaitable[object]]]]
    ) -> None:
        self.scopes: dict[int, trio.CancelScope] = {}
        self.failed: list[Exception] = []
        self._send = send
        self._number = 0
        self._started = 0  # the channel is FIFO, so all jobs up to this one have started
        self._unwanted = set[int]()

    async def submit(self, work: Callable[[], Awaitable[object]]) -> int:
        self._number = number = self._number + 1
        await self._send.send((number, work))
        return number

    def cancel(self, number: int) -> None:
        if scope := self.scopes.get(number):
            scope.cancel()
        elif number > self._started:
            self._unwanted.add(number)

    async def work(
        self, jobs: trio.MemoryReceiveChannel[tuple[int, Callable[[], Awaitable[object]]]]
    ) -> None:
        scopes, unwanted = self.scopes, self._unwanted  # a local name is quickest to look up
        async for number, work in jobs:
            self._started = number
            if number in unwanted:
                unwanted.remove(number)
                continue
            scope = scopes[number] = trio.CancelScope()
            try:
                with scope:
                    await work()
            except Exception as error:  # noqa: BLE001 - a failing job stops nobody else
                self.failed.append(error)
            finally:
                del scopes[number]

    async def work_in_one_scope(
        self, jobs: trio.MemoryReceiveChannel[tuple[int, Callable[[], Awaitable[object]]]]
    ) -> None:
        """Do as `work` does, with a new scope only after one was cancelled."""
        scopes, unwanted = self.scopes, self._unwanted
        while True:
            with trio.CancelScope() as scope:
                async for number, work in jobs:
                    self._started = number
                    if number in unwanted:
                        unwanted.remove(number)
                        continue
                    scopes[number] = scope
                    try:
                        await work()
                    except Exception as error:  # noqa: BLE001 - a failing job stops nobody else
                        self.failed.append(error)
                    finally:
                        del scopes[number]
                return


@asynccontextmanager
async def open_hand_written(
    workers: int, room: float, *, one_scope: bool = False
) -> AsyncGenerator[HandWritten]:
    """Open a queue; leaving the block waits for all jobs.

    With `one_scope` a worker runs its jobs in one scope until it is cancelled.
    """
    send, receive = trio.open_memory_channel[tuple[int, "Callable[[], Awaitable[object]]"]](room)
    queue = HandWritten(send)
    async with trio.open_nursery() as nursery:
        for _ in range(workers):
            nursery.start_soon(queue.work_in_one_scope if one_scope else queue.work, receive)
        with send:
            yield queue
