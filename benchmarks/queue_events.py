"""Measure progress reports and cancels while other jobs run."""

from __future__ import annotations

import statistics
import time
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import trio
from hand_written import open_hand_written
from interleaved import ROUNDS, WORKERS, ratio, seconds, ten_checkpoints
from sizes import size
from table import show

from ticketr import JobContext, JobProgress, Updates, open_job_queue

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

REPORTS = size(20_000, toy=100)
CANCELS = size(100, toy=3)
#: Few jobs wait, so that the job to be cancelled starts soon.
SHORT = 4


async def flood(context: JobContext) -> None:
    for number in range(REPORTS):
        context.report(current=number, total=REPORTS, message="Going")


async def ten_and_a_checkpoint(context: JobContext) -> None:
    for number in range(REPORTS):
        context.report(current=number, total=REPORTS, message="Going")
        if not number % 10:
            await trio.lowlevel.checkpoint()


async def read(updates: Updates[JobProgress]) -> None:
    async for _ in updates:
        pass


async def report(job: Callable[[JobContext], Awaitable[None]], reader: str) -> None:
    async with trio.open_nursery() as nursery, open_job_queue() as queue:
        if reader != "none":
            updates = queue.progress()
            if reader == "fast":
                nursery.start_soon(read, updates)
        await queue.run(job)


def reports() -> None:
    def slower(job: Callable[[JobContext], Awaitable[None]], reader: str) -> float:
        """Return the reports per second with that reader, relative to none."""
        none = partial(seconds, partial(trio.run, report, job, "none"))
        return ratio(none, partial(seconds, partial(trio.run, report, job, reader)))

    pause = "ten between two checkpoints"
    for job, reader, when in (
        (flood, "stalled", "no checkpoint between them"),
        (ten_and_a_checkpoint, "stalled", pause),
        (ten_and_a_checkpoint, "fast", pause),
    ):
        part = slower(job, reader)
        show(
            f"queue: {part:.2f} of the reports/s with a {reader} reader, of those with none; {when}"
        )


@asynccontextmanager
async def kept_busy(submit: Callable[[], Awaitable[object]]) -> AsyncGenerator[None]:
    """Submit one job after another in the meantime."""

    async def feed() -> None:
        while True:
            await submit()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(feed)
        yield
        nursery.cancel_scope.cancel()


async def cancel_ours() -> list[float]:
    """Return the seconds from each cancel of a running job until its waiter goes on."""
    running = trio.Event()

    async def victim(_: JobContext) -> None:
        running.set()
        await trio.sleep_forever()

    took = []
    async with (
        open_job_queue(workers=WORKERS, max_pending=SHORT) as queue,
        kept_busy(partial(queue.submit, ten_checkpoints)),
    ):
        for _ in range(CANCELS):
            running = trio.Event()
            handle = await queue.submit(victim)
            await running.wait()
            start = time.perf_counter()
            handle.cancel()
            await handle.wait()
            took.append(time.perf_counter() - start)
    return took


async def cancel_by_hand() -> list[float]:
    running, ended = trio.Event(), trio.Event()

    async def victim() -> None:
        running.set()
        try:
            await trio.sleep_forever()
        finally:
            ended.set()

    took = []
    async with (
        open_hand_written(WORKERS, SHORT) as queue,
        kept_busy(partial(queue.submit, ten_checkpoints)),
    ):
        for _ in range(CANCELS):
            running, ended = trio.Event(), trio.Event()
            number = await queue.submit(victim)
            await running.wait()
            start = time.perf_counter()
            queue.cancel(number)
            await ended.wait()
            took.append(time.perf_counter() - start)
    return took


def cancel_latency() -> str:
    mine, theirs = [], []
    for _ in range(ROUNDS):
        mine.append(statistics.median(trio.run(cancel_ours)))
        theirs.append(statistics.median(trio.run(cancel_by_hand)))
    part = statistics.median(a / b for a, b in zip(mine, theirs, strict=True))
    return (
        f"queue: cancelling a running job while the other workers are busy takes {part:.2f} times"
        f" as long as in a hand-written loop ({statistics.median(mine) * 1e6:.0f} µs)"
    )


def run() -> None:
    """Measure, and show the table's rows."""
    reports()
    show(cancel_latency())
