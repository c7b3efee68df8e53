"""Measure a submit, a cancel and a start while few or very many jobs wait.

The queues are open at the same time and are measured by turns. The garbage collector skips the
waiting jobs, so that its passes over a million jobs do not count.
"""

from __future__ import annotations

import gc
import math
import os
import random
import statistics
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import queue_repeats
import trio
from sizes import size
from table import show

from ticketr import JobQueue, Keep, Rate, open_job_queue

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticketr import JobOptions

FEW, MANY, VERY_MANY = size((1_000, 100_000, 1_000_000), toy=(20, 40, 80))
#: How many submits, cancels and starts are timed together, to make the clock's cost negligible.
BATCH = size(100, toy=5)
ROUNDS = size(30, toy=2)
#: The most bytes that a waiting job needs, and the bytes to leave free for other programs.
BYTES_PER_JOB, BYTES_LEFT = 1_000, 1_000_000_000
KINDS = {
    "submit": "a submit",
    "cancel": "a cancel, of any of them,",
    "start": "the start and end of a no-op job",
    "all": "a cancel, until none is left,",
}


class Loaded:
    """A queue in which many jobs wait for its only worker, which stops after each batch."""

    def __init__(self, queue: JobQueue, count: int) -> None:
        self.times: dict[str, list[float]] = {kind: [] for kind in KINDS}
        self._queue = queue
        self._count = count
        self._done = -1
        self._stopped, self._gate = trio.Event(), trio.Event()
        self._ids: list[str] = []  # in the order in which they start
        self._random = random.Random(1)

    async def _step(self, _: object) -> None:
        self._done += 1
        if self._done % BATCH == 0:
            self._stopped.set()
            await self._gate.wait()

    async def fill(self) -> None:
        self._submit(1)
        await self._stopped.wait()
        self._ids = []
        self._submit(self._count)

    def _submit(self, count: int) -> None:
        submit, step = self._queue.submit_nowait, self._step
        self._ids += [submit(step).id for _ in range(count)]

    def _cancel(self, ids: list[str]) -> None:
        for job in ids:
            self._queue.cancel(job)

    def _timed(self, kind: str, count: int, do: Callable[[], None]) -> None:
        start = time.perf_counter()
        do()
        self.times[kind].append((time.perf_counter() - start) / count)

    async def measure(self) -> None:
        """Start a batch, cancel a batch of random jobs, and fill up again."""
        self._stopped, gate, self._gate = trio.Event(), self._gate, trio.Event()
        start = time.perf_counter()
        gate.set()
        await self._stopped.wait()
        self.times["start"].append((time.perf_counter() - start) / BATCH)
        del self._ids[:BATCH]
        places = sorted(self._random.sample(range(len(self._ids)), BATCH), reverse=True)
        chosen = [self._ids.pop(place) for place in places]
        self._timed("cancel", BATCH, lambda: self._cancel(chosen))
        self._submit(BATCH)
        self._timed("submit", BATCH, lambda: self._submit(BATCH))

    def empty(self) -> None:
        """Cancel all waiting jobs in random order, and let the worker end."""
        ids, self._ids = self._ids, []
        self._random.shuffle(ids)
        self._timed("all", len(ids), lambda: self._cancel(ids))

    async def fill_and_empty(self) -> None:
        """Fill and empty a queue once more, since few jobs take little time."""
        self._submit(self._count)
        self.empty()

    def open_gate(self) -> None:
        self._gate.set()


async def costs(counts: list[int]) -> dict[int, dict[str, float]]:
    """Return the median seconds of each operation, by the number of waiting jobs."""
    loads = {}
    async with AsyncExitStack() as stack:
        for count in counts:
            opened = open_job_queue(max_pending=None, keep=Keep(jobs=10))
            loads[count] = Loaded(await stack.enter_async_context(opened), count)
            await loads[count].fill()
        gc.collect()
        gc.freeze()
        for _ in range(ROUNDS):
            for load in loads.values():
                await load.measure()
        for count, load in loads.items():
            load.empty()
            for _ in range(ROUNDS if count == FEW else 0):
                await load.fill_and_empty()
            load.open_gate()
    gc.unfreeze()
    return {
        count: {kind: statistics.median(times) for kind, times in load.times.items()}
        for count, load in loads.items()
    }


async def waiting_costs(counts: list[int], options: JobOptions) -> list[float]:
    """Return the median seconds of a submit and a cancel of a job that waits with many others.

    They wait for a rate of one start in a long time or, by the options, for the end of a job.
    """
    medians = []
    for count in counts:
        rate = None if options else Rate(1, per=1e6)
        opened = open_job_queue(max_pending=None, keep=Keep(jobs=10), rate=rate)
        async with opened as queue:
            first = queue.submit_nowait(sleep, 0.0 if rate else math.inf, id="first")
            if rate is not None:
                await first.wait()
            for _ in range(count):
                queue.submit_nowait(sleep, 0.0, **options)
            gc.collect()
            gc.freeze()
            times = []
            for _ in range(ROUNDS):
                start = time.perf_counter()
                for _ in range(BATCH):
                    queue.submit_nowait(sleep, 0.0, **options).cancel()
                times.append((time.perf_counter() - start) / BATCH)
            gc.unfreeze()
            medians.append(statistics.median(times))
            await queue.shutdown(grace=0)
    return medians


async def sleep(_: object, seconds: float) -> None:
    """Sleep for this long."""
    await trio.sleep(seconds)


def waiting_row(words: str, options: JobOptions) -> str:
    """Return the row of jobs that wait for a rate or for other jobs."""
    few, many = trio.run(waiting_costs, [FEW, MANY], options)
    return (
        f"queue: a submit and a cancel of a job that waits for {words} cost {many / few:.2f} times"
        " as much with 1e5 such jobs waiting as with 1e3"
    )


def bytes_free() -> float:
    """Return the bytes of free memory, or a guess if the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2
    free = next(1024.0 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    try:  # the limit of a container
        most = float(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
    except (OSError, ValueError):  # no limit; "max" means none
        return free
    return min(free, most)


def run() -> None:
    """Measure, and show the table's rows."""
    has_room = bytes_free() > VERY_MANY * BYTES_PER_JOB + BYTES_LEFT
    counts = [FEW, MANY, VERY_MANY] if has_room else [FEW, MANY]
    found = trio.run(costs, counts)
    gc.collect()

    def row(kind: str) -> str:
        parts = [
            f"{found[count][kind] / found[FEW][kind]:.2f} times as much with 1e{round(math.log10(count))}"
            for count in counts[1:]
        ]
        return f"queue: {KINDS[kind]} costs {', '.join(parts)} jobs waiting as with 1e3"

    show(*map(row, KINDS))
    show(waiting_row("a rate", {}))
    show(waiting_row("another job", {"after": ["first"]}))
    logs = ", ".join(
        f"{math.log(count, FEW):.2f} with 1e{round(math.log10(count))}" for count in counts[1:]
    )
    show(f"queue: beside these, log n is so many times as much: {logs}")
    if not has_room:
        show("queue: 1e6 jobs waiting: left out, too little memory is free")
    queue_repeats.run()
