"""What ticketr uses of Trio beyond its documentation still works in the installed version."""

from __future__ import annotations

from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING

import trio
import trio.testing

from ticketr import JobContext, RetryLater, open_job_queue, plain
from ticketr.jobs import _worker
from ticketr.jobs._trio_internals import (
    NOT_RESCHEDULED,
    is_innermost,
    switch_context,
)

if TYPE_CHECKING:
    from contextvars import Context

    import pytest
    from trio.testing import MockClock

BREAKS = f"Trio {trio.__version__} breaks what _trio_internals does in"
name: ContextVar[str] = ContextVar("name", default="")


async def test_a_task_runs_in_a_context_that_was_written() -> None:
    task = trio.lowlevel.current_task()
    own, other = task.context, copy_context()
    other.run(name.set, "other")

    switch_context(task, other)
    await trio.lowlevel.checkpoint()
    seen = name.get()
    switch_context(task, own)
    await trio.lowlevel.checkpoint()

    assert (seen, name.get()) == ("other", ""), f"{BREAKS} switch_context"


async def test_a_task_that_is_woken_loses_its_mark(autojump_clock: MockClock) -> None:
    task = trio.lowlevel.current_task()

    task.custom_sleep_data = NOT_RESCHEDULED
    await trio.lowlevel.checkpoint()
    after_checkpoint = task.custom_sleep_data
    task.custom_sleep_data = NOT_RESCHEDULED
    await trio.sleep(0.1)
    after_sleep = task.custom_sleep_data

    assert (after_checkpoint, after_sleep) == (None, None), f"{BREAKS} NOT_RESCHEDULED"


async def test_a_scope_or_nursery_that_is_open_inside_a_scope_is_found() -> None:
    task = trio.lowlevel.current_task()

    with trio.CancelScope() as outer:
        found = [is_innermost(outer, task)]
        with trio.CancelScope():
            await trio.lowlevel.checkpoint()
            found.append(is_innermost(outer, task))
        found.append(is_innermost(outer, task))
        async with trio.open_nursery():
            found.append(is_innermost(outer, task))
        found.append(is_innermost(outer, task))

    assert found == [True, False, True, False, True], f"{BREAKS} is_innermost"


class NothingIsCleared(trio.abc.Instrument):
    """Trio as if it did not clear the mark of a worker that it reschedules."""

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if task.name.startswith("ticketr worker") and task.custom_sleep_data is None:
            task.custom_sleep_data = NOT_RESCHEDULED


async def test_jobs_are_right_without_the_mark_of_a_task(autojump_clock: MockClock) -> None:
    trio.lowlevel.add_instrument(NothingIsCleared())
    seen: list[str] = []

    async def look(context: JobContext, own: str) -> None:
        seen.append(name.get())
        name.set(own)

    async with open_job_queue(max_pending=None) as queue:
        for own in "abc":
            queue.submit_nowait(look, own)
        name.set("submitter")
        queue.submit_nowait(look, "d")

    assert seen == ["", "", "", "submitter"]


async def test_jobs_are_right_where_each_has_to_switch_the_context_of_its_worker(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    switched: list[str] = []
    seen: list[str] = []

    def switch(task: trio.lowlevel.Task, context: Context) -> None:
        switched.append(context.get(name, "none"))
        switch_context(task, context)

    async def look(context: JobContext) -> None:
        seen.append(name.get())
        name.set("left behind")
        if context.attempt == 1:
            raise RetryLater(0)

    monkeypatch.setattr(_worker, "switch_context", switch)
    async with open_job_queue(max_pending=None) as queue:
        queue.submit_nowait(plain(trio.lowlevel.checkpoint))  # so that no wake-up has switched
        for own in "abc":
            name.set(own)
            queue.submit_nowait(look)

    assert seen == ["a", "a", "b", "b", "c", "c"]
    assert [found for found in switched if found != "none"] == seen
