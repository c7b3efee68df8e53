"""What ticketr uses of Trio beyond its documentation still works in the installed version."""

from __future__ import annotations

import math
from contextvars import ContextVar, copy_context

import trio
import trio.testing
from trio.testing import MockClock

from ticketr.jobs._record import ENDED_CALL, JobRecord
from ticketr.jobs._trio import (
    NO_CHECKPOINT_YET,
    needs_checkpoint_or_is_cancelled,
    switch_context,
    try_make_scope_reusable,
)

BREAKS = f"Trio {trio.__version__} breaks what _trio does in"
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

    task.custom_sleep_data = NO_CHECKPOINT_YET
    await trio.lowlevel.checkpoint()
    after_checkpoint = task.custom_sleep_data
    task.custom_sleep_data = NO_CHECKPOINT_YET
    await trio.sleep(0.1)
    after_sleep = task.custom_sleep_data

    assert (after_checkpoint, after_sleep) == (None, None), f"{BREAKS} NO_CHECKPOINT_YET"


async def test_a_scope_or_nursery_that_is_open_inside_a_scope_is_found() -> None:
    task = trio.lowlevel.current_task()
    record = JobRecord(ENDED_CALL, "job", math.inf, None)

    with trio.CancelScope() as outer:
        was_reset = [try_make_scope_reusable(outer, task, record)]
        with trio.CancelScope():
            await trio.lowlevel.checkpoint()
            was_reset.append(try_make_scope_reusable(outer, task, record))
        was_reset.append(try_make_scope_reusable(outer, task, record))
        async with trio.open_nursery():
            was_reset.append(try_make_scope_reusable(outer, task, record))
        was_reset.append(try_make_scope_reusable(outer, task, record))

    assert was_reset == [True, False, True, False, True], f"{BREAKS} try_make_scope_reusable"


async def test_a_task_needs_a_checkpoint_if_it_passed_none_or_is_cancelled() -> None:
    task = trio.lowlevel.current_task()

    await trio.lowlevel.checkpoint()
    needed = [needs_checkpoint_or_is_cancelled(task)]
    task.custom_sleep_data = NO_CHECKPOINT_YET
    needed.append(needs_checkpoint_or_is_cancelled(task))
    await trio.lowlevel.checkpoint()
    with trio.CancelScope() as outer, trio.CancelScope(shield=True) as inner:
        outer.cancel()
        needed.append(needs_checkpoint_or_is_cancelled(task))
        inner.shield = False
        needed.append(needs_checkpoint_or_is_cancelled(task))
        await trio.lowlevel.checkpoint()

    assert needed == [False, True, False, True], f"{BREAKS} needs_checkpoint_or_is_cancelled"
