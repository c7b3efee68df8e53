"""Work on threads: what is left behind when cancelled, and how work is cut."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

import trio
from trio.testing import MockClock

from ticketr.app.sync.concurrency import (
    CHUNK,
    MAX_INLINE_WORK,
    MAX_PORTION_LENGTH,
    TURNS,
    compute,
    portions,
)

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Runner:
    """Runs work here, and remembers how it was asked to."""

    def __init__(self) -> None:
        self.abandoned: list[bool] = []

    async def __call__(
        self, sync_fn: Callable[[*Ts], T], /, *args: *Ts, abandon_on_cancel: bool = False
    ) -> T:
        await trio.lowlevel.checkpoint()
        self.abandoned.append(abandon_on_cancel)
        return sync_fn(*args)


async def test_light_work_is_done_here_and_heavy_work_on_a_thread(
    autojump_clock: MockClock,
) -> None:
    runner = Runner()

    assert await compute(runner, MAX_INLINE_WORK, divmod, 7, 2) == (3, 1)
    assert runner.abandoned == []
    assert await compute(runner, MAX_INLINE_WORK + 1, divmod, 7, 2) == (3, 1)
    assert runner.abandoned == [True]


async def test_other_tasks_take_several_steps_between_light_work(
    autojump_clock: MockClock,
) -> None:
    steps = 0

    async def step() -> None:
        nonlocal steps
        while True:
            await trio.lowlevel.checkpoint()
            steps += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(step)
        for _ in range(10):
            await compute(Runner(), 1, divmod, 7, 2)
        nursery.cancel_scope.cancel()

    assert steps >= 10 * TURNS - 2


async def test_a_cancel_does_not_wait_for_heavy_work() -> None:
    begun, go_on, ended = trio.Event(), threading.Event(), threading.Event()

    def work() -> None:
        trio.from_thread.run_sync(begun.set)
        go_on.wait()
        ended.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(compute, trio.to_thread.run_sync, MAX_INLINE_WORK + 1, work)
        await begun.wait()
        nursery.cancel_scope.cancel()

    assert not ended.is_set()
    go_on.set()
    await trio.to_thread.run_sync(ended.wait)


def test_portions_are_bounded_by_number_and_by_weight() -> None:
    light = [1] * (2 * CHUNK + 1)
    assert [len(each) for each in portions(light, int)] == [CHUNK, CHUNK, 1]

    assert list(
        portions(
            [
                MAX_PORTION_LENGTH,
                MAX_PORTION_LENGTH,
                1,
                MAX_PORTION_LENGTH - 1,
                9 * MAX_PORTION_LENGTH,
                1,
            ],
            int,
        )
    ) == [
        [MAX_PORTION_LENGTH],
        [MAX_PORTION_LENGTH],
        [1, MAX_PORTION_LENGTH - 1],
        [9 * MAX_PORTION_LENGTH],
        [1],
    ]
    assert list(portions([], int)) == []
