"""A great many jobs of every kind go through one queue: nothing is lost, and memory stays flat.

``TICKETR_SOAK_JOBS`` is the number of jobs of the long run, a million unless it is set.
"""

from __future__ import annotations

import gc
import os
import random
from collections import Counter, deque
from pathlib import Path
from weakref import WeakSet

import pytest
import trio
from trio.testing import MockClock

from ticketr import (
    CancelOutcome,
    GiveUp,
    JobContext,
    JobHandle,
    JobOptions,
    JobProgress,
    JobQueue,
    JobSnapshot,
    JobStatus,
    Keep,
    OnConflict,
    Retry,
    RetryLater,
    open_job_queue,
)
from ticketr.jobs._updates import Updates

WORKERS = 8
MAX_PENDING = 50
KEPT = 500
WINDOW = 100
"""The number of handles that the submitter holds at a time."""
STATM = Path("/proc/self/statm")


class Argument:
    """The argument of a job; only the job may keep it."""


class Soak:
    """Submits jobs of every kind, cancels some, and counts how they end."""

    def __init__(self, seed: int, jobs: int, sample_every: int) -> None:
        self.chance = random.Random(seed)
        self.jobs = jobs
        self.sample_every = sample_every
        self.alive = WeakSet[Argument]()
        self.handles = deque[JobHandle[object]]()
        self.ends = Counter[JobStatus]()
        """What the submitter saw of its jobs."""
        self.seen = Counter[JobStatus]()
        """What a fast reader saw of the jobs."""
        self.cancelled = 0
        """Jobs that ``cancel`` ended at once."""
        self.failures_told = 0
        self.failures_asked = 0
        self.attempts = 0
        self.objects: list[int] = []
        self.megabytes: list[float] = []

    async def main(self) -> None:
        async with (
            trio.open_nursery() as nursery,
            open_job_queue(
                workers=WORKERS,
                max_pending=MAX_PENDING,
                keep=Keep(jobs=KEPT),
                on_job_error=self.note_failure,
            ) as queue,
        ):
            self.queue = queue
            with queue.watch():  # read by nobody
                self.start_readers(nursery)
                await self.submit_all(queue)
        await self.collect(0)

    def start_readers(self, nursery: trio.Nursery) -> None:
        """They go on until the queue is closed."""
        nursery.start_soon(self.count, self.queue.watch())
        nursery.start_soon(self.read_slowly, self.queue.progress())

    async def submit_all(self, queue: JobQueue) -> None:
        for number in range(1, self.jobs + 1):
            argument = Argument()
            self.alive.add(argument)
            self.handles.append(await queue.submit(self.job, argument, **self.options()))
            del argument
            if self.chance.random() < 0.2:
                handle = self.chance.choice(self.handles)
                self.cancelled += handle.cancel() is CancelOutcome.CANCELLED
            await self.collect(WINDOW)
            if number % self.sample_every == 0:
                self.sample()

    def options(self) -> JobOptions:
        chance = self.chance
        options: JobOptions = {"priority": chance.randrange(3)}
        if chance.random() < 0.5:
            options["key"] = chance.randrange(12)
        if chance.random() < 0.02:
            options["on_conflict"] = OnConflict.SUPERSEDE
        if chance.random() < 0.1:
            options["delay"] = chance.random()
        if chance.random() < 0.1:
            options["start_by"] = trio.current_time() + chance.random()
        if chance.random() < 0.1:
            options["timeout"] = chance.random()
        if chance.random() < 0.3:
            options["retry"] = Retry(3, first=0.1)
        return options

    async def job(self, context: JobContext, argument: Argument) -> object:
        self.attempts += 1
        chance = self.chance
        context.report(current=chance.randrange(10), total=10)
        if chance.random() < 0.2:
            await trio.sleep(chance.random())
        else:
            await trio.lowlevel.checkpoint()
        number = chance.random()
        if number < 0.1:
            raise ValueError
        if number < 0.15:
            raise RetryLater(chance.random())
        if number < 0.17:
            raise GiveUp
        return number

    async def collect(self, rest: int) -> None:
        """Drop handles, and count how their jobs ended."""
        while len(self.handles) > rest:
            handle = self.handles.popleft()
            asked = not handle.status.is_terminal
            if asked:
                await handle.wait()
            self.ends[handle.status] += 1
            self.failures_asked += asked and handle.status is JobStatus.FAILED

    async def count(self, updates: Updates[JobSnapshot]) -> None:
        with updates:
            async for snapshot in updates:
                if snapshot.status.is_terminal:
                    self.seen[snapshot.status] += 1

    async def read_slowly(self, updates: Updates[JobProgress]) -> None:
        with updates, trio.CancelScope() as scope:
            async for _ in updates:
                await trio.sleep(10)
                if self.queue.statistics().running == 0:
                    scope.cancel()

    def note_failure(self, snapshot: JobSnapshot) -> None:
        self.failures_told += snapshot.status is JobStatus.FAILED

    def sample(self) -> None:
        gc.collect()
        self.objects.append(len(gc.get_objects()))
        if STATM.exists():
            pages = int(STATM.read_text().split()[1])
            self.megabytes.append(pages * os.sysconf("SC_PAGE_SIZE") / 2**20)
        failed = len(self.queue.jobs(status=JobStatus.FAILED))
        # All that are not in the window have ended, and those that failed keep their arguments.
        assert len(self.alive) <= WINDOW + 1 + failed


def soak(jobs: int, sample_every: int) -> Soak:
    """Run it, and check that the counts add up."""
    run = Soak(seed=1, jobs=jobs, sample_every=sample_every)
    trio.run(run.main, clock=MockClock(autojump_threshold=0))

    counts = run.queue.statistics()
    ended = {
        JobStatus.COMPLETED: counts.completed,
        JobStatus.FAILED: counts.failed,
        JobStatus.CANCELLED: counts.cancelled,
    }
    assert sum(ended.values()) == jobs
    assert run.ends == ended
    assert run.seen == ended
    assert run.failures_asked > 0
    assert run.failures_told + run.failures_asked == counts.failed
    assert counts.evicted == jobs - KEPT
    assert (counts.pending, counts.running, counts.submitters_waiting) == (0, 0, 0)
    assert min(counts.completed, counts.failed, counts.cancelled) > jobs // 50
    assert counts.cancelled > run.cancelled > 0
    assert run.attempts > counts.completed + counts.failed
    gc.collect()
    assert len(run.alive) == len(run.queue.jobs(status=JobStatus.FAILED))
    return run


@pytest.mark.unmeasured
def test_a_sample_of_all_kinds_of_jobs_adds_up() -> None:
    soak(2000, sample_every=500)


@pytest.mark.stress
def test_memory_stays_flat_and_nothing_is_lost() -> None:
    jobs = int(os.environ.get("TICKETR_SOAK_JOBS", "1000000"))
    run = soak(jobs, sample_every=jobs // 10)

    print(f"objects: {run.objects}\nMB: {[round(size, 1) for size in run.megabytes]}")  # noqa: T201
    # The first sample has as much as is ever held: 10,000 unread jobs, 500 ended ones.
    assert max(run.objects) < run.objects[0] * 1.05 + 10_000
    if run.megabytes:
        assert max(run.megabytes) < run.megabytes[0] + 20
