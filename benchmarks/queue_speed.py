"""Compare the queue's jobs per second with its peers'."""

from __future__ import annotations

import asyncio  # noqa: TID251 - the loop of two peers
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, ParamSpec

import aiometer
import trio
from asyncio_peers import by_aiojobs, by_asyncio_queue
from hand_written import open_hand_written
from interleaved import ROOM, WORKERS, nothing, ratio, seconds, ten_checkpoints
from sizes import size
from table import show

from ticketr import JobContext, JobHistory, SqliteHistory, open_job_queue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

P = ParamSpec("P")
JOBS = size(10_000, toy=100)
ITEMS = size(100_000, toy=100)  # of a map
ROUNDS = size(25, toy=1)  # with fewer, the median varies by more than the differences to be seen


def in_trio(
    main: Callable[P, Awaitable[None]], *args: P.args, **more: P.kwargs
) -> Callable[[], None]:
    """Return a function that runs an async function in Trio."""
    return partial(trio.run, partial(main, *args, **more))


async def ours(
    job: Callable[[JobContext], Awaitable[None]], count: int, history: JobHistory | None = None
) -> None:
    async with open_job_queue(workers=WORKERS, max_pending=ROOM, history=history) as queue:
        for _ in range(count):
            await queue.submit(job)
    if unrecorded := queue.statistics().unrecorded:
        sys.exit(f"the history did not keep {unrecorded} of {count} jobs")


async def by_hand(
    job: Callable[[], Awaitable[None]], count: int, *, one_scope: bool = False
) -> None:
    async with open_hand_written(WORKERS, ROOM, one_scope=one_scope) as queue:
        for _ in range(count):
            await queue.submit(job)


async def by_aiometer(job: Callable[[], Awaitable[None]], count: int) -> None:
    await aiometer.run_all([job] * count, max_at_once=WORKERS)


def with_aiojobs() -> None:
    asyncio.run(by_aiojobs(nothing, JOBS, limit=WORKERS, room=ROOM))


def with_asyncio_queue() -> None:
    asyncio.run(by_asyncio_queue(nothing, JOBS, workers=WORKERS, room=ROOM))


def jobs_a_second() -> None:
    small = in_trio(ours, nothing, JOBS)
    busy = in_trio(ours, ten_checkpoints, JOBS // 4)
    peers: list[tuple[str, Callable[[], None], Callable[[], None]]] = [
        ("no-op jobs, of a hand-written loop's", small, in_trio(by_hand, nothing, JOBS)),
        ("no-op jobs, of a hand-written loop's with one scope a worker", small,
         in_trio(by_hand, nothing, JOBS, one_scope=True)),
        ("ten checkpoints each, of a hand-written loop's", busy,
         in_trio(by_hand, ten_checkpoints, JOBS // 4)),
        ("no-op jobs, of aiometer's", small, in_trio(by_aiometer, nothing, JOBS)),
        ("no-op jobs, of aiojobs', on asyncio", small, with_aiojobs),
        ("no-op jobs, of workers' on an asyncio.Queue", small, with_asyncio_queue),
    ]  # fmt: skip
    for what, mine, peer in peers:
        part = ratio(partial(seconds, peer), partial(seconds, mine), ROUNDS)
        show(f"queue: {part:.2f} of the jobs/s, {what}")


async def take_item(_: object, __: int) -> None:
    """Do nothing with an item."""


async def submitted() -> None:
    async with open_job_queue(workers=WORKERS, max_pending=ROOM) as queue:
        for item in range(ITEMS):
            await queue.submit(take_item, item)


async def mapped() -> None:
    async with (
        open_job_queue(workers=WORKERS, max_pending=ROOM) as queue,
        queue.map(take_item, range(ITEMS)) as values,
    ):
        async for _ in values:
            pass


def fan_out() -> str:
    part = ratio(
        partial(seconds, partial(trio.run, submitted)),
        partial(seconds, partial(trio.run, mapped)),
        rounds=size(9, toy=1),
    )
    return f"queue: {part:.2f} of the jobs/s, no-op jobs by map(), of those that are submitted one by one"


def with_history() -> None:
    with TemporaryDirectory() as folder:
        trio.run(ours, nothing, JOBS, SqliteHistory(Path(folder) / "jobs.sqlite"))


def history() -> str:
    without = partial(seconds, in_trio(ours, nothing, JOBS))
    part = ratio(without, partial(seconds, with_history))
    return (
        f"queue: {part:.2f} of the jobs/s, no-op jobs, with a history in a file, of those without"
    )


def run() -> None:
    """Measure, and show the table's rows."""
    jobs_a_second()
    show(fan_out())
    show(history())
