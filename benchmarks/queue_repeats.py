"""Measure a run of a repeat, its submit and its cancel, while few or very many repeats wait."""

from __future__ import annotations

import gc
import random
import statistics
import time
from contextlib import AsyncExitStack

import trio
from sizes import size
from table import show

from ticketr import JobQueue, Keep, RepeatHandle, open_job_queue

FEW, MANY = size((1_000, 100_000), toy=(20, 40))
BATCH = size(100, toy=5)
ROUNDS = size(30, toy=2)
KINDS = {
    "start": "a repeat, begun,",
    "run": "a run of a repeat, and the wait for the next,",
    "cancel": "a repeat, cancelled,",
}


async def no_op(_: object) -> None:
    """Do nothing."""


class Loaded:
    """A queue in which many repeats wait for their due times."""

    def __init__(self, queue: JobQueue, count: int) -> None:
        self.times: dict[str, list[float]] = {kind: [] for kind in KINDS}
        self._queue = queue
        self._random = random.Random(1)
        self._handles = [self._repeat() for _ in range(count)]

    def _repeat(self) -> RepeatHandle:
        seconds = self._random.uniform(1e5, 2e5)
        return self._queue.repeat(no_op, every=seconds, first=seconds)

    async def measure(self) -> None:
        """Run a batch, cancel a batch of random repeats, and begin as many."""
        self._random.shuffle(self._handles)
        batch = self._handles[-BATCH:]

        begun = time.perf_counter()
        for handle in batch:
            handle.run_now()
        await self._queue.wait_idle()
        self._note("run", begun)

        begun = time.perf_counter()
        for handle in batch:
            handle.cancel()
        self._note("cancel", begun)

        begun = time.perf_counter()
        self._handles[-BATCH:] = [self._repeat() for _ in batch]
        self._note("start", begun)

    def _note(self, kind: str, begun: float) -> None:
        self.times[kind].append((time.perf_counter() - begun) / BATCH)


async def costs() -> dict[int, dict[str, float]]:
    """Return the median seconds of each operation, by the number of waiting repeats."""
    loads = {}
    async with AsyncExitStack() as stack:
        for count in (FEW, MANY):
            queue = await stack.enter_async_context(open_job_queue(keep=Keep(jobs=10)))
            loads[count] = Loaded(queue, count)
        gc.collect()
        gc.freeze()
        for _ in range(ROUNDS):
            for load in loads.values():
                await load.measure()
    gc.unfreeze()
    return {
        count: {kind: statistics.median(times) for kind, times in load.times.items()}
        for count, load in loads.items()
    }


def run() -> None:
    """Measure, and show the table's rows."""
    found = trio.run(costs)
    gc.collect()
    show(
        *(
            f"queue: {words} costs {found[MANY][kind] / found[FEW][kind]:.2f} times as much"
            " with 1e5 repeats waiting as with 1e3"
            for kind, words in KINDS.items()
        )
    )
