"""Random programs of jobs that wait for jobs, keys, room, readers and other queues.

Each program runs until it has ended, or until a time that no program needs: then it hangs. Each
deadlock that the queue finds must be one: a second run of the program resolves none from a certain
deadlock on, and then none of the waits of that deadlock may end within that time. Trio runs tasks in
random order, so two runs of a program differ, but each is checked by itself. A cancel may end any
wait, for instance when a time limit cancels the job of a run: the waits are looked at just before it.
"""

from __future__ import annotations

import math
import random
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pytest
import trio
from trio.testing import MockClock

from ticketr import (
    CancelCause,
    JobContext,
    JobError,
    JobHandle,
    JobQueue,
    QueueClosed,
    Retry,
    WouldDeadlock,
    open_job_queue,
)
from ticketr.jobs import _wait_graph
from ticketr.jobs._record import JobRecord
from ticketr.jobs._wait import choose_wait_to_end
from ticketr.jobs._wait_graph import wait_graph_of_run
from ticketr.jobs._wait_targets import JobEnd, NextChange, QueueIdle, QueueRoom

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ticketr.jobs._updates import Updates
    from ticketr.jobs._wait import Wait
    from ticketr.jobs._wait_targets import WaitTarget

LONG: Final = 10_000.0
"""Seconds; no program needs more than a few hundred."""
PROGRAMS: Final = 400
STRESS_SECONDS: Final = 20 * 60.0


@dataclass
class Step:
    """Something that a job or the body of a block does."""

    do: str
    queue: int = 0
    number: int = 0
    seconds: float = 0.0
    options: dict[str, object] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)


@dataclass
class Program:
    """Nested queues, each in the block or in a job of the one before, and the steps in them."""

    workers: list[int]
    room: list[int | None]
    body: list[Step]


def program(seed: int) -> Program:
    """Return a random program."""
    chance = random.Random(seed)
    queues = chance.choice((1, 1, 2, 3))
    return Program(
        workers=[chance.choice((1, 1, 2, 3)) for _ in range(queues)],
        room=[chance.choice((1, 1, 2, 3, None)) for _ in range(queues)],
        body=[body_step(chance, queues) for _ in range(chance.randint(1, 6))],
    )


def body_step(chance: random.Random, queues: int) -> Step:
    if chance.random() < 0.8:
        return submit(chance, queues, 0)
    do = chance.choice(("sleep", "pause", "resume"))
    # Of the queue whose block is left first, so that no job waits for the end of its pause.
    return Step(do, queues - 1, chance.randrange(3), chance.choice((0.5, 2.0)))


def submit(chance: random.Random, queues: int, depth: int) -> Step:
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
        "submit" if depth == 0 else chance.choice(("submit", "submit", "submit", "run")),
        chance.randrange(queues),
        seconds=chance.choice((0.0, 0.0, 1.0)),
        options=options,
        steps=[job_step(chance, queues, depth + 1) for _ in range(chance.randint(0, 3))],
    )


def job_step(chance: random.Random, queues: int, depth: int) -> Step:
    kinds = ["sleep", "checkpoint", "wait", "wait", "wait", "read", "read all", "rest", "idle"]
    if depth < 4:
        kinds += ["submit"] * 6 + ["both", "both", "limited", "inside", "fail"]
    do = chance.choice(kinds)
    if do == "submit":
        return submit(chance, queues, depth)
    inner = {"both": 2, "limited": 1, "inside": 1}.get(do, 0)
    return Step(
        do,
        # A reader may wait for its queue's end, which must be the first of all.
        queues - 1 if do in ("read all", "rest") else chance.randrange(queues),
        number=chance.randrange(12),
        seconds=chance.choice((0.0, 0.5, 1.0, 2.0)),
        steps=[job_step(chance, queues, depth + 1) for _ in range(inner)],
    )


class Runner:
    """Runs a program once."""

    def __init__(self, plan: Program) -> None:
        self.plan = plan
        self.queues: list[JobQueue] = []
        self.handles: list[JobHandle[object]] = []

    async def open(self, number: int) -> None:
        if number == len(self.plan.workers):
            for step in self.plan.body:
                with trio.move_on_after(5):
                    await self.do(step)
            return
        async with open_job_queue(
            workers=self.plan.workers[number],
            max_pending=self.plan.room[number],
            on_job_error=lambda _: None,
        ) as queue:
            self.queues.append(queue)
            await self.open(number + 1)

    async def job(self, context: JobContext, step: Step) -> None:
        if step.seconds:
            await trio.sleep(step.seconds)
        for inner in step.steps:
            await self.do(inner)

    async def do(self, step: Step) -> None:
        queue = self.queues[step.queue]
        handle = self.handles[step.number % len(self.handles)] if self.handles else None
        try:
            match step.do:
                case "sleep":
                    await trio.sleep(step.seconds)
                case "checkpoint":
                    await trio.lowlevel.checkpoint()
                case "fail":
                    raise OSError("as planned")
                case "submit" | "run":
                    await self.do_submit(queue, step)
                case "wait" if handle is not None:
                    await handle.wait()
                case "read" if handle is not None:
                    with handle.watch() as updates:
                        await read_on(updates)
                case "read all":
                    with queue.progress() if step.number % 2 else queue.watch() as updates:
                        await read_on(updates)
                case "rest":
                    with queue.watch() as updates:
                        await updates.rest(trio.current_time() + step.seconds)
                case "idle":
                    await queue.wait_idle()
                case "pause":
                    queue.pause([None, "k", "l"][step.number])
                case "resume":
                    queue.resume([None, "k", "l"][step.number])
                case "both":
                    async with trio.open_nursery() as nursery:
                        for inner in step.steps:
                            nursery.start_soon(self.do, inner)
                case "limited":
                    with trio.move_on_after(step.seconds):
                        await self.do(step.steps[0])
                case "inside":
                    await self.do_inside(step)
        except (WouldDeadlock, JobError, QueueClosed):
            pass

    async def do_submit(self, queue: JobQueue, step: Step) -> None:
        options: Any = dict(step.options)
        if within := options.pop("within", None):
            options["start_by"] = trio.current_time() + within
        if step.do == "run":
            await queue.run(self.job, step, **options)
        else:
            self.handles.append(await queue.submit(self.job, step, **options))

    async def do_inside(self, step: Step) -> None:
        """Run the steps in a queue opened for them."""
        async with open_job_queue(on_job_error=lambda _: None) as queue:
            handle = queue.submit_nowait(self.job, Step("", steps=step.steps))
            self.handles.append(handle)
            if step.number % 2:
                await handle.wait()


async def read_on(updates: Updates[Any]) -> None:
    async for _ in updates:
        pass


@dataclass
class Result:
    """The result of a run.

    Attributes:
        has_ended: Whether the program ended.
        deadlocks: The number of deadlocks that the queues found.
        proved: Whether the waits of the last deadlock were still there in the end, or just before the
            first cancel of a job that may end one of them.
    """

    has_ended: bool = False
    deadlocks: int = 0
    proved: bool = True


def run(plan: Program, give_up_at: int | None = None) -> Result:
    """Run a program; from this deadlock on, resolve none."""
    result = Result()
    left: list[Wait] = []
    is_over = False
    request_cancel = JobRecord.request_cancel

    def choose(deadlock: Sequence[Wait]) -> Wait | None:
        if not left:
            result.deadlocks += 1
            if result.deadlocks != give_up_at:
                return choose_wait_to_end(deadlock)
            # A submit with a deadline is admitted too, though it does not wait for ever.
            if all(wait.deadline == math.inf for wait in deadlock):
                left.extend(deadlock)
                let_wait(wait.target for wait in deadlock)
        return None

    def end_proof() -> None:
        nonlocal is_over
        if not is_over:
            is_over, result.proved = True, all(is_there(wait) for wait in left)

    def cancel(record: JobRecord, cause: CancelCause) -> None:
        if any(may_end(wait, record) for wait in left):
            end_proof()
        request_cancel(record, cause)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch, nursery.cancel_scope)
            await Runner(plan).open(0)
            result.has_ended = True
            end_proof()
            nursery.cancel_scope.cancel()

    async def watch(scope: trio.CancelScope) -> None:
        await trio.sleep(LONG)
        end_proof()
        scope.cancel()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_wait_graph, "choose_wait_to_end", choose)
        patch.setattr(JobRecord, "request_cancel", cancel)
        trio.run(main, clock=MockClock(autojump_threshold=0))
    return result


def let_wait(targets: Iterable[WaitTarget]) -> None:
    """Let no submit end because its job must start by a time: the job would be lost then."""
    for target in targets:
        if isinstance(target, QueueRoom):
            by_deadline = target.queue.schedule.submissions.by_deadline
            if target.submission in by_deadline:
                by_deadline.discard(target.submission)


def may_end(wait: Wait, record: JobRecord) -> bool:
    """Return whether the cancel of a job may end a wait."""
    goal = wait.target
    assert isinstance(goal, JobEnd | NextChange | QueueIdle | QueueRoom)
    queue: object = goal.queue
    return record in wait.jobs or record.queue is queue


def is_there(wait: Wait) -> bool:
    """Return whether a wait has not ended."""
    goal = wait.target
    if isinstance(goal, NextChange) and goal.record is not None:
        return not goal.record.status.is_terminal  # a pause is a change as well
    return any(wait in waiter.waits for waiter in wait_graph_of_run().waiting_jobs.values())


def check(seed: int) -> int:
    """Check a program; return how many deadlocks there were in it."""
    plan = program(seed)
    result = run(plan)
    assert result.has_ended, f"program {seed} hangs"
    found = result.deadlocks
    for number in {1, random.Random(seed).randint(1, found)} if found else ():
        result = run(plan, give_up_at=number)
        assert result.proved, f"program {seed}: deadlock {number} was none"
    return found


def test_a_submit_of_a_job_that_must_start_by_a_time_is_part_of_a_deadlock() -> None:
    """When that submit ends, so does the wait of the job whose block it is in."""
    late = Step("submit", options={"within": 0.5})
    opens = Step("submit", steps=[Step("inside", steps=[late])])
    plan = Program(workers=[1], room=[1], body=[opens, Step("submit")])

    assert run(plan) == Result(has_ended=True, deadlocks=1)
    assert run(plan, give_up_at=1) == Result(deadlocks=1, proved=True)


def test_the_time_limit_of_a_run_cancels_a_job_of_a_deadlock() -> None:
    """The job waits for one that waits for it; the other wait ends as well."""
    waits = Step("run", queue=1, steps=[Step("wait", number=0)])
    plan = Program(
        workers=[2, 1],
        room=[None, None],
        body=[
            Step("submit", options={"delay": 2.0}, steps=[Step("idle", queue=1)]),
            Step("submit", options={"timeout": 3.0}, steps=[waits]),
            Step("sleep", seconds=1.0),  # the run begins before the block of its queue is left
        ],
    )

    assert run(plan) == Result(has_ended=True, deadlocks=1)
    assert run(plan, give_up_at=1) == Result(has_ended=True, deadlocks=1, proved=True)


def test_no_random_program_hangs_or_is_refused_a_wait_that_would_end() -> None:
    found = sum(check(seed) for seed in range(PROGRAMS))

    assert found > PROGRAMS // 2  # otherwise the programs prove nothing


@pytest.mark.stress
def test_random_programs_for_a_while(capsys: pytest.CaptureFixture[str]) -> None:
    seed = random.SystemRandom().randrange(10**9)
    with capsys.disabled():
        sys.stdout.write(f"\nthe first random program of jobs that wait: {seed}\n")
    end = time.monotonic() + STRESS_SECONDS
    while time.monotonic() < end:
        check(seed)
        seed += 1
