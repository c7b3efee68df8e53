"""Noticing the next step of a task that may end the waits of its job."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import trio

if TYPE_CHECKING:
    from ticketr.jobs._goals import Books


@final
class Steps(trio.abc.Instrument):
    """Tells of the first step that any of some tasks takes."""

    def __init__(self) -> None:
        self._hopes: dict[trio.lowlevel.Task, Books] = {}

    def watch(self, hopes: dict[trio.lowlevel.Task, Books]) -> None:
        """Have these tasks' queues look when a task has taken a step, instead of those before."""
        if hopes and not self._hopes:
            trio.lowlevel.add_instrument(self)
        elif self._hopes and not hopes:
            trio.lowlevel.remove_instrument(self)
        self._hopes = hopes

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        ledger = self._hopes.get(task)
        if ledger is not None:
            self.watch({})
            ledger.suspect()
