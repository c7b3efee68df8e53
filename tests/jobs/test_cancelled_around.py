"""A scope around a queue that is cancelled at any step ends the block, and nothing else comes out."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
import trio
from fakes.durable import note, open_stored, slow
from fakes.examples import IN_STRESS
from fakes.small_jobs import quiet
from fakes.steps import AtStep, at_every_step

from ticketr import (
    CancelCause,
    JobCancelled,
    JobContext,
    JobQueue,
    drain_on_signals,
    open_job_queue,
)

pytestmark = pytest.mark.laws


async def short(context: JobContext, number: int) -> int:
    await trio.sleep(number % 2)
    return number


async def numbers() -> AsyncGenerator[int]:
    for number in range(6):
        await trio.sleep(0.3)
        yield number


async def read_map(queue: JobQueue, items: Any = range(6), **options: Any) -> None:
    async with queue.map(short, items, **options) as results:
        async for _ in results:
            pass


async def read_async_items(queue: JobQueue) -> None:
    await read_map(queue, numbers())


async def read_outcomes(queue: JobQueue) -> None:
    await read_map(queue, ordered=False, outcomes=True)


async def break_off(queue: JobQueue) -> None:
    async with queue.map(short, range(6)) as results:
        async for result in results:
            if result == 2:
                break


async def leave_unread(queue: JobQueue) -> None:
    async with queue.map(short, range(6)):
        pass


async def run(queue: JobQueue) -> None:
    for number in range(4):
        await queue.run(short, number)


async def run_many(queue: JobQueue) -> None:
    async with trio.open_nursery() as nursery:
        for number in range(5):
            nursery.start_soon(queue.run, short, number)


async def submit(queue: JobQueue) -> None:
    handles = [await queue.submit(short, number) for number in range(6)]
    for handle in handles:
        await handle.result()


async def submit_many(queue: JobQueue) -> None:
    async with trio.open_nursery() as nursery:
        for number in range(6):
            nursery.start_soon(queue.submit, short, number)


async def cancel_and_wait(queue: JobQueue) -> None:
    for number in range(3):
        handle = await queue.submit(short, number)
        await handle.cancel_and_wait()
        await (await queue.submit(short, number)).wait()


async def map_in_a_job(queue: JobQueue) -> None:
    async def job(context: JobContext) -> None:
        await read_map(queue)

    await queue.run(job)


async def drain(queue: JobQueue) -> None:
    async with drain_on_signals(queue, grace=1):
        await run_many(queue)


BODIES = [
    *(
        read_map,
        read_async_items,
        read_outcomes,
        break_off,
        leave_unread,
        run,
        run_many,
        submit,
        submit_many,
    ),
    *(cancel_and_wait, map_in_a_job, drain),
]


def sweep(
    body: Callable[[JobQueue], Awaitable[None]],
    every: int = 1,
    open_queue: Callable[..., AbstractAsyncContextManager[JobQueue]] = open_job_queue,
) -> int:
    """Cancel a scope around a queue after each step; return how many steps there were."""

    async def main(at_step: AtStep) -> None:
        with trio.fail_after(1000), trio.CancelScope() as scope:
            at_step.arm(scope.cancel)
            async with open_queue(workers=2, max_pending=2, on_job_error=quiet) as queue:
                await body(queue)
        at_step.disarm()

    return every * len(at_every_step(main, every))


@pytest.mark.unmeasured
@pytest.mark.parametrize("body", BODIES)
def test_an_outer_cancellation_comes_out_alone(body: Callable[[JobQueue], Awaitable[None]]) -> None:
    for _ in range(20 if IN_STRESS else 4):  # in other orders of the tasks
        assert sweep(body) > 15


async def submit_stored(queue: JobQueue) -> None:
    handles = [await queue.submit(slow, number, number % 2) for number in range(6)]
    for handle in handles:
        await handle.wait()


async def run_stored(queue: JobQueue) -> None:
    async with trio.open_nursery() as nursery:
        for number in range(4):
            nursery.start_soon(queue.run, slow, number, number % 2)


async def map_stored(queue: JobQueue) -> None:
    async with queue.map(note, range(5)) as results:
        async for _ in results:
            pass


@pytest.mark.unmeasured
@pytest.mark.parametrize("body", [submit_stored, run_stored, map_stored])
def test_an_outer_cancellation_comes_out_alone_with_a_store(
    body: Callable[[JobQueue], Awaitable[None]], tmp_path: Path
) -> None:
    paths = (tmp_path / str(number) for number in itertools.count())

    assert sweep(body, 3, lambda **options: open_stored(next(paths), **options)) > 5


# A map that is cancelled, or loses a job, at every single step leaves nothing behind.


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
        items = numbers() if kind == "async items" else range(6)
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
    async def main(at_step: AtStep) -> list[int]:
        with trio.fail_after(1000):
            async with open_job_queue(workers=2, max_pending=2) as queue:
                return await scenario(queue, at_step, kind, ordered=ordered, outcomes=outcomes)

    ended = at_every_step(main)

    assert sorted(ended[-1]) == list(range(6))
    assert not all(sorted(read) == list(range(6)) for read in ended)
    if outcomes and kind == "job":  # which ends no other job, and is read itself
        assert {len(read) for read in ended} == {6}
        assert {-1 in read for read in ended} == {True, False}
