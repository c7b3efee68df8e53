"""Does something at the n-th scheduling step of a run."""

from __future__ import annotations

from collections.abc import Callable

import trio


class AtStep(trio.abc.Instrument):
    """Counts the steps of all tasks once armed, and acts after the n-th.

    Trio logs an exception in an instrument and takes the instrument away, so a test must assert
    ``fired``.
    """

    def __init__(self, step: int) -> None:
        self.step = step
        self.seen = 0
        self.fired = False
        self._act: Callable[[], object] | None = None

    def arm(self, act: Callable[[], object]) -> None:
        self._act = act

    def disarm(self) -> None:
        self._act = None

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        if self._act is None or task.parent_nursery is None:
            return
        self.seen += 1
        if self.seen == self.step:
            self._act()
            self.fired = True
