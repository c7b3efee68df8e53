"""Random programs of jobs that wait for jobs, keys, readers and the end of their queue.

A program whose jobs wait in their own tasks alone, for jobs of one queue, never hangs: the wait that
would complete a deadlock is refused. And each wait that is refused is one of those that the contract
lists, by the waits that the program itself has noted.
"""

from __future__ import annotations

import itertools
import random
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
import trio
from fakes.small_jobs import quiet
from trio.testing import MockClock

from ticketr import (
    DuplicateJob,
    JobContext,
    JobError,
    JobHandle,
    JobQueue,
    JobSnapshot,
    JobStatus,
    QueueClosed,
    Retry,
    WouldDeadlock,
    open_job_queue,
)

LONG: Final = 10_000.0
"""Seconds; no program needs more than a few hundred."""
PROGRAMS: Final = 400
ALL: Final = "all jobs"
MOST_RETRIES: Final = 20
"""Retries by hand in a program; jobs may retry each other."""
STRESS_SECONDS: Final = 20 * 60.0


@dataclass
class Step:
    """Something that a job or the body of the block does."""

    do: str
    number: int = 0
    seconds: float = 0.0
    options: dict[str, Any] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)


@dataclass
class Program:
    """A queue, and the steps in its block."""

    workers: int
    room: int | None
    body: list[Step]


def program(seed: int) -> Program:
    """Return a random program."""
    chance = random.Random(seed)
    return Program(
        workers=chance.choice((1, 1, 2, 3)),
        room=chance.choice((1, 1, 2, 3, None)),
        body=[submit(chance, 0) for _ in range(chance.randint(1, 6))],
    )


def submit(chance: random.Random, depth: int) -> Step:
    options: dict[str, object] = {}
    if chance.random() < 0.5:
        options["key"] = chance.choice("kl")
    if chance.random() < 0.1:
        options["delay"] = chance.choice((0.5, 2.0))
    if chance.random() < 0.1:
        options["priority"] = chance.randint(-1, 1)
    if chance.random() < 0.05:
        options["timeout"] = chance.choice((0.5, 3.0))
    if chance.random() < 0.05:
        options["within"] = chance.choice((0.5, 3.0))
    if chance.random() < 0.05:
        options["retry"] = Retry(attempts=2, first=0.5)
    return Step(
        "submit" if depth == 0 else chance.choice(("submit", "submit", "submit", "run", "map")),
        chance.randrange(1, 5),
        seconds=chance.choice((0.0, 0.0, 1.0)),
        options=options,
        steps=[job_step(chance, depth + 1) for _ in range(chance.randint(0, 3))],
    )


def job_step(chance: random.Random, depth: int) -> Step:
    kinds = ["sleep", "checkpoint", "wait", "wait", "wait", "read", "until idle", "idle", "cancel"]
    kinds += ["retry"] * 3
    if depth < 4:
        kinds += ["submit"] * 6 + ["limited", "fail"]
    do = chance.choice(kinds)
    if do == "submit":
        return submit(chance, depth)
    return Step(
        do,
        number=chance.randrange(12),
        seconds=chance.choice((0.0, 0.5, 1.0, 2.0)),
        steps=[job_step(chance, depth + 1)] if do == "limited" else [],
    )


class Runner:
    """Runs a program once."""

    def __init__(self, plan: Program) -> None:
        self.plan = plan
        self.queue: JobQueue
        self.handles: list[JobHandle[object]] = []
        self.waits: dict[str, str] = {}  # by the ID of the job that waits without a limit
        self.refused = self.retries = 0
        self.wrong: list[str] = []  # the jobs that were refused a wait without a reason
        self.numbers = itertools.count()

    async def run(self) -> None:
        async with open_job_queue(
            workers=self.plan.workers, max_pending=self.plan.room, on_job_error=quiet
        ) as self.queue:
            for step in self.plan.body:
                await self.do_submit(step, None)

    async def job(self, context: JobContext, step: Step) -> None:
        if step.seconds:
            await trio.sleep(step.seconds)
        # Its own time limit ends all its waits.
        is_limited = "timeout" in step.options
        for inner in step.steps:
            await self.do(inner, None if is_limited else context)

    async def do(self, step: Step, waiter: JobContext | None) -> None:
        """Do a step; without a waiter no wait is noted."""
        handle = self.handles[step.number % len(self.handles)]
        try:
            match step.do:
                case "sleep":
                    await trio.sleep(step.seconds)
                case "checkpoint":
                    await trio.lowlevel.checkpoint()
                case "fail":
                    raise OSError("as planned")
                case "submit" | "run" | "map":
                    await self.do_submit(step, waiter)
                case "cancel":
                    handle.cancel()
                case "retry" if self.retries < MOST_RETRIES:
                    failed = [job for job in self.handles if job.status is JobStatus.FAILED]
                    handle = failed[step.number % len(failed)] if failed else handle
                    self.handles.append(await self.queue.retry(handle))
                    self.retries += 1
                case "wait":
                    with self.noted(waiter, handle.id):
                        await handle.wait()
                case "read":
                    with self.noted(waiter, handle.id), handle.watch() as updates:
                        async for _ in updates:
                            pass
                case "idle":
                    with self.noted(waiter, ALL):
                        await self.queue.wait_idle()
                case "until idle":
                    with self.noted(waiter, ALL), self.queue.watch(until_idle=True) as updates:
                        async for _ in updates:
                            pass
                case "limited":
                    with trio.move_on_after(step.seconds):
                        await self.do(step.steps[0], None)
        except (WouldDeadlock, JobError, QueueClosed, DuplicateJob, ValueError):
            pass  # two of them for a retry of what lives, or did not fail

    async def do_submit(self, step: Step, waiter: JobContext | None) -> None:
        if step.do == "submit":
            self.handles.append(await self.queue.submit(self.job, step, **step.options))
            return
        tag = f"of call {next(self.numbers)}"
        if step.do == "run":
            with self.noted(waiter, tag):
                await self.queue.run(self.job, step, tags=[tag], **step.options)
            return
        key, items = step.options.get("key"), range(step.number)
        async with self.queue.map(self.one_of_map, items, key=key, tags=[tag]) as results:
            with self.noted(waiter, tag):
                async for _ in results:
                    pass

    async def one_of_map(self, context: JobContext, number: int) -> None:
        await trio.sleep(number / 2)

    @contextmanager
    def noted(self, waiter: JobContext | None, awaited: str) -> Generator[None]:
        """Note what a job waits for; when that is refused, check that it had to be.

        Args:
            waiter: The job that waits.
            awaited: The ID of the job, or the tag of the jobs, that it waits for, or ``ALL``.
        """
        if waiter is None:
            yield
            return
        self.waits[waiter.id] = awaited
        try:
            yield
        except WouldDeadlock:
            self.refused += 1
            if not self.is_refusable(waiter.id, awaited):
                self.wrong.append(waiter.id)
            raise
        finally:
            del self.waits[waiter.id]

    def is_refusable(self, waiter: str, awaited: str) -> bool:
        """Tell whether the contract refuses a wait."""
        known = self.queue.jobs()
        running = [job for job in known if job.status is JobStatus.RUNNING]
        no_worker = len(running) == self.plan.workers
        return (
            awaited == ALL
            or (no_worker and all(job.id in self.waits for job in running))
            or any(self.reaches(job, waiter) for job in self.awaited(awaited))
        )

    def awaited(self, awaited: str) -> list[JobSnapshot]:
        return [job for job in self.queue.jobs() if job.id == awaited or awaited in job.tags]

    def reaches(self, start: JobSnapshot, waiter: str) -> bool:
        """Tell whether a job waits, over others, for the waiter."""
        todo, seen = [start], set[str]()
        while todo:
            job = todo.pop()
            if job.id == waiter:
                return True
            if job.id in seen:
                continue
            seen.add(job.id)
            if job.status is JobStatus.RUNNING:
                todo += self.awaited(self.waits.get(job.id, ""))
            elif job.key is not None:  # a job that run() has submitted is cancelled by now
                running = self.queue.jobs(status=JobStatus.RUNNING, key=job.key)
                todo += running
        return False


def check(seed: int) -> Runner:
    """Check a program; return how it was run."""
    runner = Runner(program(seed))

    async def main() -> bool:
        with trio.move_on_after(LONG) as scope:
            await runner.run()
        return not scope.cancelled_caught

    has_ended = trio.run(main, clock=MockClock(autojump_threshold=0))
    assert has_ended, f"program {seed} hangs"
    assert not runner.wrong, f"program {seed}: {runner.wrong} should not have been refused a wait"
    errors = {job.error.type for job in runner.queue.jobs() if job.error is not None}
    assert errors <= {"OSError", "JobTimedOut"}, f"program {seed}: {errors}"
    return runner


def test_no_random_program_hangs_or_is_refused_a_wait_that_may_end() -> None:
    runners = [check(seed) for seed in range(PROGRAMS)]

    # Otherwise the programs prove nothing.
    assert sum(runner.refused for runner in runners) > PROGRAMS // 2
    assert sum(runner.retries for runner in runners) > PROGRAMS // 20


@pytest.mark.stress
def test_random_programs_for_a_while(capsys: pytest.CaptureFixture[str]) -> None:
    seed = random.SystemRandom().randrange(10**9)
    with capsys.disabled():
        sys.stdout.write(f"\nthe first random program of jobs that wait: {seed}\n")
    end = time.monotonic() + STRESS_SECONDS
    while time.monotonic() < end:
        check(seed)
        seed += 1
