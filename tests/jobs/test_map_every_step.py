"""A map that is cancelled, or loses a job, at every single step leaves nothing behind."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest
import trio
from fakes.steps import AtStep
from trio.testing import MockClock

from ticketr import CancelCause, JobCancelled, JobContext, JobQueue, open_job_queue


async def short(context: JobContext, number: int) -> int:
    await trio.sleep(number % 2)
    return number


async def numbers() -> AsyncGenerator[int]:
    for number in range(8):
        await trio.sleep(0.3)
        yield number


async def read_all(
    queue: JobQueue, items: Any, read: list[int], *, ordered: bool, outcomes: bool
) -> None:
    """Read a map; of a cancelled job keep -1."""
    if outcomes:
        async with queue.map(short, items, ordered=ordered, outcomes=True) as jobs:
            async for job in jobs:
                assert job.status.is_terminal
                read.append(-1 if job.result is None else job.result)
        return
    try:
        async with queue.map(short, items, ordered=ordered) as values:
            async for value in values:
                read.append(value)
    except JobCancelled:
        read.append(-1)


async def scenario(
    queue: JobQueue, at_step: AtStep, kind: str, *, ordered: bool, outcomes: bool
) -> list[int]:
    """Read a map while something happens at a step; return what was read."""
    read: list[int] = []
    with trio.CancelScope() as scope:
        if kind == "job":
            at_step.arm(lambda: queue.cancel("job-3"))
        else:
            at_step.arm(scope.cancel)
        items = numbers() if kind == "async items" else range(8)
        await read_all(queue, items, read, ordered=ordered, outcomes=outcomes)
    at_step.disarm()
    await trio.lowlevel.checkpoint()
    known = queue.statistics()
    assert known.pending == known.running == known.submitters_waiting == 0
    causes = {job.cancel_cause for job in queue.jobs()} - {None}
    assert causes <= {CancelCause.SCOPE, CancelCause.USER}
    assert len(set(read)) == len(read)
    values = [number for number in read if number != -1]
    assert not ordered or values == sorted(values)
    return read


@pytest.mark.unmeasured
@pytest.mark.parametrize("outcomes", [False, True])
@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("kind", ["scope", "job", "async items"])
def test_a_map_leaves_nothing_behind(kind: str, *, ordered: bool, outcomes: bool) -> None:
    async def run(at_step: AtStep) -> list[int]:
        with trio.fail_after(1000):
            async with open_job_queue(workers=2, max_pending=2) as queue:
                return await scenario(queue, at_step, kind, ordered=ordered, outcomes=outcomes)

    ended: list[list[int]] = []
    at_step = AtStep(0)
    for step in range(1, 1000):
        at_step = AtStep(step)
        clock = MockClock(autojump_threshold=0)
        ended.append(trio.run(run, at_step, clock=clock, instruments=[at_step]))
        if not at_step.fired:
            break

    assert not at_step.fired
    assert sorted(ended[-1]) == list(range(8))
    assert not all(sorted(read) == list(range(8)) for read in ended)
    if outcomes and kind == "job":  # which ends no other job, and is read itself
        assert {len(read) for read in ended} == {8}
        assert {-1 in read for read in ended} == {True, False}
