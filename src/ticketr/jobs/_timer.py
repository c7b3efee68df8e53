"""When the timer task of a queue next has something to do."""

from __future__ import annotations

import math
from typing import final

import trio


@final
class Timer:
    """The alarm of a queue's timer task.

    Attributes:
        scope: The timer task sleeps in it; its deadline is when to look at the clock.
    """

    __slots__ = ("scope",)

    def __init__(self) -> None:
        self.scope: trio.CancelScope = trio.CancelScope()

    def reset(self, time: float) -> trio.CancelScope:
        """Return a new scope that ends at this time."""
        self.scope = trio.CancelScope(deadline=time)
        return self.scope

    def wake_at(self, time: float) -> None:
        """Wake the timer task at this time, if not before."""
        self.scope.deadline = min(self.scope.deadline, time)

    def wake(self) -> None:
        """Wake the timer task now."""
        self.scope.deadline = -math.inf
