"""Count the checkpoints of a task, in place of measuring times."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio


class Steps(trio.abc.Instrument):
    """Counts the steps of one task.

    Attributes:
        count: How many steps have ended.
    """

    def __init__(self, task: trio.lowlevel.Task) -> None:
        self.count = 0
        self._task = task

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        self.count += task is self._task


@asynccontextmanager
async def count_steps() -> AsyncGenerator[Steps]:
    """Count the steps that the calling task takes within the block."""
    steps = Steps(trio.lowlevel.current_task())
    trio.lowlevel.add_instrument(steps)
    try:
        yield steps
    finally:
        trio.lowlevel.remove_instrument(steps)
