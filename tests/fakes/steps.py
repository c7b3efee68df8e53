"""Does something at the n-th scheduling step of a run."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio
from trio.testing import MockClock

T = TypeVar("T")


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


def at_every_step(main: Callable[[AtStep], Awaitable[T]], every: int = 1) -> list[T]:
    """Run a function in virtual time, with its event at the first step, at the next one, and so on.

    Returns the results. In the last run the event came too late.
    """
    results: list[T] = []
    for step in itertools.count(1, every):
        at_step, clock = AtStep(step), MockClock(autojump_threshold=0)
        results.append(trio.run(main, at_step, clock=clock, instruments=[at_step]))
        if not at_step.fired:
            break
    return results
