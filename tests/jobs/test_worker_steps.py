"""How many steps a job takes, which workers it wakes, and in which context the next one runs."""

from __future__ import annotations

import contextvars
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import partial

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from ticketr import JobContext, open_job_queue


class WorkerSteps(trio.abc.Instrument):
    steps = 0

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        self.steps += "ticketr worker" in task.name


async def count_steps() -> None:
    async def nothing(context: JobContext) -> None:
        """Do nothing."""

    counter = WorkerSteps()
    trio.lowlevel.add_instrument(counter)
    async with open_job_queue(workers=3, max_pending=5) as queue:
        for _ in range(500):
            await queue.submit(nothing)
        await queue.wait_idle()
        await wait_all_tasks_blocked()
        assert counter.steps < 520
        before = counter.steps
        for _ in range(100):
            await queue.run(nothing)
            await wait_all_tasks_blocked()
        assert counter.steps == before + 100
        before = counter.steps
        for _ in range(500):
            queue.submit_nowait(nothing)
            await trio.lowlevel.checkpoint()
        await queue.wait_idle()
        assert counter.steps - before < 520


async def test_a_job_costs_its_worker_one_step(autojump_clock: MockClock) -> None:
    """The job has context variables, those around the test."""
    assert contextvars.copy_context()
    await count_steps()


def test_a_job_without_context_variables_costs_its_worker_one_step() -> None:
    in_no_context(count_steps)


def in_no_context(main: Callable[[], Awaitable[object]]) -> None:
    """Run Trio where no context variable is set, not even those around the test."""
    contextvars.Context().run(partial(trio.run, main, clock=MockClock(autojump_threshold=0)))


def test_a_job_that_slept_leaves_its_worker_to_the_next_one_in_the_same_step() -> None:
    async def sleep(context: JobContext) -> None:
        await trio.sleep(1)

    counter = WorkerSteps()

    async def main() -> None:
        trio.lowlevel.add_instrument(counter)
        async with open_job_queue(max_pending=None) as queue:
            for _ in range(100):
                queue.submit_nowait(sleep)

    in_no_context(main)
    assert 100 <= counter.steps < 110


def test_between_two_jobs_that_do_not_sleep_others_have_a_turn() -> None:
    turns = 0

    async def nothing(context: JobContext) -> None:
        """Do nothing."""

    async def main() -> None:
        nonlocal turns
        async with open_job_queue(max_pending=None) as queue:
            for _ in range(100):
                queue.submit_nowait(nothing)
            while queue.statistics().completed != 100:
                await trio.lowlevel.checkpoint()
                turns += 1

    in_no_context(main)
    assert turns >= 99


@pytest.mark.parametrize("left", [None, "left"])
@pytest.mark.parametrize("names", [(None, "b"), ("a", None), (None, None), ("a", "b")])
def test_the_next_job_sees_its_own_context_only(
    names: tuple[str | None, str | None], left: str | None
) -> None:
    seen: list[str | None] = []

    async def look(context: JobContext) -> None:
        seen.append(word.get())
        await trio.sleep(1)
        if left is not None:
            word.set(left)

    async def main() -> None:
        async with open_job_queue() as queue:
            for name in (*names, None, None):
                submitter = contextvars.Context()
                if name is not None:
                    submitter.run(word.set, name)
                submitter.run(queue.submit_nowait, look)

    word: ContextVar[str | None] = ContextVar("word", default=None)
    in_no_context(main)
    assert seen == [*names, None, None]


def test_a_woken_worker_runs_no_job_among_what_another_may_see() -> None:
    """The worker is woken in the context of the first job, and takes the second."""
    seen: list[str | None] = []

    async def look(context: JobContext) -> None:
        seen.append(word.get())
        word.set("left")

    async def main() -> None:
        async with open_job_queue() as queue:
            for _ in range(30):  # depends on which task Trio runs first
                await wait_all_tasks_blocked()
                queue.submit_nowait(look)
                await queue.submit(look, priority=1)

    word: ContextVar[str | None] = ContextVar("word", default=None)
    in_no_context(main)
    assert seen == [None] * 60
