"""The job queue against what one would write by hand, and against aiometer."""

from __future__ import annotations

import gc
import statistics
import subprocess
import sys
import time
import tracemalloc
from functools import partial
from typing import TYPE_CHECKING

import aiometer
import trio
from hand_written import open_hand_written

from ticketr import JobContext, JobQueue, Keep, open_job_queue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

WORKERS = 3
ROOM = 100
JOBS = 20_000
ROUNDS = 7


async def nothing(_: JobContext | None = None) -> None:
    """The smallest job."""


async def ten_checkpoints(_: JobContext | None = None) -> None:
    for _each in range(10):
        await trio.lowlevel.checkpoint()


async def ours(job: Callable[[JobContext], Awaitable[None]], count: int) -> None:
    async with open_job_queue(workers=WORKERS, max_pending=ROOM) as queue:
        for _ in range(count):
            await queue.submit(job)


async def by_hand(job: Callable[[], Awaitable[None]], count: int) -> None:
    async with open_hand_written(WORKERS, ROOM) as queue:
        for _ in range(count):
            await queue.submit(job)


async def by_aiometer(job: Callable[[], Awaitable[None]], count: int) -> None:
    await aiometer.run_all([job] * count, max_at_once=WORKERS)


def seconds(run: Callable[[], Awaitable[None]]) -> float:
    gc.collect()
    start = time.perf_counter()
    trio.run(run)
    return time.perf_counter() - start


def ratio(ours: Callable[[], Awaitable[None]], peer: Callable[[], Awaitable[None]]) -> float:
    """How many times as fast as the peer: the median over interleaved rounds."""
    return statistics.median(seconds(peer) / seconds(ours) for _ in range(ROUNDS))


def speeds() -> list[str]:
    small = JOBS // 4
    rows = [
        ("jobs/s, no-op jobs, of a hand-written loop's", partial(ours, nothing, JOBS),
         partial(by_hand, nothing, JOBS)),
        ("jobs/s, ten checkpoints each, of a hand-written loop's",
         partial(ours, ten_checkpoints, small), partial(by_hand, ten_checkpoints, small)),
        ("jobs/s, no-op jobs, of aiometer's", partial(ours, nothing, JOBS),
         partial(by_aiometer, nothing, JOBS)),
    ]  # fmt: skip
    return [f"queue: {ratio(mine, peer):.2f} of the {what}" for what, mine, peer in rows]


async def reporting(context: JobContext) -> None:
    for number in range(20_000):
        context.report(current=number, total=20_000, message="Going")


async def report(readers: int) -> None:
    """Report with so many readers, none of which ever reads."""
    async with open_job_queue() as queue:
        for _ in range(readers):
            queue.progress()
        await queue.run(reporting)


def stalled_reader() -> str:
    times = [(seconds(partial(report, 1)), seconds(partial(report, 0))) for _ in range(9)]
    slower = statistics.median(one / none for one, none in times)
    return f"queue: a stalled reader makes a reporting job {slower:.2f} times as slow as none"


async def fill(queue: JobQueue, count: int) -> Sequence[str]:
    blocker = queue.submit_nowait(sleep_forever)
    ids = [queue.submit_nowait(nothing).id for _ in range(count)]
    return [blocker.id, *ids]


async def sleep_forever(_: JobContext) -> None:
    await trio.sleep_forever()


async def waiting(count: int) -> tuple[float, float]:
    """Give the seconds of a submit and of a cancel while so many jobs wait."""
    async with open_job_queue(max_pending=None, keep=Keep(jobs=10)) as queue:
        ids = await fill(queue, count)
        gc.collect()
        gc.freeze()  # what waits is not to be looked at again by the garbage collector
        submitted, cancelled = [], []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            new = [queue.submit_nowait(nothing).id for _ in range(1000)]
            submitted.append(time.perf_counter() - start)
            start = time.perf_counter()
            for job in new:
                queue.cancel(job)
            cancelled.append(time.perf_counter() - start)
        for job in reversed(ids):
            queue.cancel(job)
    gc.unfreeze()
    return statistics.median(submitted), statistics.median(cancelled)


async def size(count: int) -> float:
    """Give the bytes of a waiting job."""
    async with open_job_queue(max_pending=None, keep=Keep(jobs=10)) as queue:
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        ids = await fill(queue, count)
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        for job in reversed(ids):
            queue.cancel(job)
    return (after - before) / count


def many_waiting() -> list[str]:
    few, many = trio.run(waiting, 1000), trio.run(waiting, 100_000)
    return [
        f"queue: a submit costs {many[0] / few[0]:.2f} times as much with 1e5 jobs waiting as 1e3",
        f"queue: a cancel costs {many[1] / few[1]:.2f} times as much with 1e5 jobs waiting as 1e3",
        f"queue: {trio.run(size, 10_000):.0f} bytes a waiting job",
    ]


def import_time() -> str:
    def once(module: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
        return time.perf_counter() - start

    times = [(once("ticketr"), once("trio")) for _ in range(9)]
    return f"queue: import ticketr takes {statistics.median(a / b for a, b in times):.2f} of import trio"


def rows() -> list[str]:
    """Measure, and give the table's rows."""
    return [*speeds(), stalled_reader(), *many_waiting(), import_time()]
