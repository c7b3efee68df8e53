"""Run the queue's peers on asyncio, each as its own documentation shows."""

from __future__ import annotations

import asyncio  # noqa: TID251 - the peers' own loop
from typing import TYPE_CHECKING

import aiojobs

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    Work = Callable[[], Coroutine[object, object, None]]


async def by_aiojobs(work: Work, count: int, *, limit: int, room: int) -> None:
    async with aiojobs.Scheduler(limit=limit, pending_limit=room) as scheduler:
        for _ in range(count):
            await scheduler.spawn(work())


async def worker(queue: asyncio.Queue[Work], failed: list[Exception]) -> None:
    while True:
        work = await queue.get()
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - a failing job stops nobody else
            failed.append(error)
        finally:
            queue.task_done()


async def by_asyncio_queue(work: Work, count: int, *, workers: int, room: int) -> None:
    queue: asyncio.Queue[Work] = asyncio.Queue(maxsize=room)
    failed: list[Exception] = []
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(worker(queue, failed)) for _ in range(workers)]
        for _ in range(count):
            await queue.put(work)
        await queue.join()
        for task in tasks:
            task.cancel()
