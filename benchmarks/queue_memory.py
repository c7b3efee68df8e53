"""Measure the bytes of a waiting, a running, a finished and a stored job.

The figures are the bytes that Python has allocated and not freed between two moments, by
``tracemalloc``, divided by the number of jobs. All jobs run one function without arguments.
"""

from __future__ import annotations

import gc
import tempfile
import tracemalloc
from functools import partial

import trio
import trio.testing
from hand_written import open_hand_written
from interleaved import nothing, sleep_forever
from sizes import size
from table import show

from ticketr import JobSnapshot, Keep, SqliteStore, open_job_queue

COUNT = size(10_000, toy=100)
RUNNING = size(1_000, toy=10)


def allocated() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


async def waiting() -> float:
    async with open_job_queue(max_pending=None) as queue:
        queue.submit_nowait(sleep_forever)
        await trio.testing.wait_all_tasks_blocked()
        before = allocated()
        for _ in range(COUNT):
            queue.submit_nowait(nothing)
        after = allocated()
        queue.cancel_all()
    return (after - before) / COUNT


async def waiting_by_hand() -> float:
    async with open_hand_written(1, COUNT) as queue:
        job = await queue.submit(sleep_forever)
        await trio.testing.wait_all_tasks_blocked()
        before = allocated()
        for _ in range(COUNT):
            await queue.submit(nothing)
        after = allocated()
        queue.cancel(job)
    return (after - before) / COUNT


async def running() -> tuple[float, float]:
    """Return the bytes of a running job, and those of its worker, which exists before it."""
    at_first = allocated()
    async with open_job_queue(workers=RUNNING, max_pending=None) as queue:
        await trio.testing.wait_all_tasks_blocked()
        before = allocated()
        for _ in range(RUNNING):
            queue.submit_nowait(sleep_forever)
        await trio.testing.wait_all_tasks_blocked()
        after = allocated()
        queue.cancel_all()
    return (after - before) / RUNNING, (before - at_first) / RUNNING


async def running_by_hand() -> tuple[float, float]:
    at_first = allocated()
    async with open_hand_written(RUNNING, RUNNING) as queue:
        await trio.testing.wait_all_tasks_blocked()
        before = allocated()
        for _ in range(RUNNING):
            await queue.submit(sleep_forever)
        await trio.testing.wait_all_tasks_blocked()
        after = allocated()
        for job in list(queue.scopes):
            queue.cancel(job)
    return (after - before) / RUNNING, (before - at_first) / RUNNING


async def finished() -> tuple[float, float]:
    """Return the bytes of a finished job, without and with its snapshot."""
    snapshots: list[JobSnapshot] = []
    async with open_job_queue(max_pending=None, keep=Keep(jobs=COUNT)) as queue:
        before = allocated()
        for _ in range(COUNT):
            await queue.submit(nothing)
        await queue.wait_idle()
        alone = allocated()
        snapshots = queue.jobs()
        after = allocated()
    assert len(snapshots) == COUNT
    return (alone - before) / COUNT, (after - before) / COUNT


async def leave_in(store: SqliteStore) -> None:
    async with open_job_queue(max_pending=None, store=store) as queue:
        async with trio.open_nursery() as nursery:
            for _ in range(COUNT):
                nursery.start_soon(partial(queue.submit, nothing, delay=3600))
        await queue.shutdown(grace=0)


async def stored() -> float:
    """Return the bytes of a pending job that the opening of a store has loaded."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(f"{folder}/jobs.sqlite")
        await leave_in(store)
        before = allocated()
        async with open_job_queue(max_pending=None, store=store) as queue:
            after = allocated()
            await queue.shutdown(grace=0)
    return (after - before) / COUNT


def run() -> None:
    """Measure, and show the table's rows."""
    tracemalloc.start()
    try:
        rests, rests_by_hand = trio.run(waiting), trio.run(waiting_by_hand)
        runs, worker = trio.run(running)
        runs_by_hand, worker_by_hand = trio.run(running_by_hand)
        ended, shown = trio.run(finished)
        loaded = trio.run(stored)
    finally:
        tracemalloc.stop()
    whole, by_hand = runs + worker, runs_by_hand + worker_by_hand
    running_row = (
        f"queue: {whole:.0f} bytes a running job and its worker, {whole / by_hand:.2f} times as many"
        f" as in a hand-written loop; the job alone {runs:.0f}, there {runs_by_hand:.0f}"
    )
    show(
        f"queue: {rests:.0f} bytes a waiting job; {rests_by_hand:.0f} in a hand-written loop",
        running_row,
        f"queue: {ended:.0f} bytes a finished job, {shown:.0f} with a snapshot of it",
        f"queue: {loaded:.0f} bytes a pending job of a store",
    )
