"""When the timer task of a queue next has something to do."""

from __future__ import annotations

import math
from typing import final

import trio
from trio.lowlevel import enable_ki_protection


@final
class Timer:
    """The alarm of a queue's timer task.

    Attributes:
        scope: The timer task sleeps in it; its deadline is when to look at the clock.
        deadlock_check_due: Whether to check for deadlocks now.
        deadlock_check_at: When to check for deadlocks, if no check is due before.
    """

    __slots__ = ("deadlock_check_at", "deadlock_check_due", "scope")

    def __init__(self) -> None:
        self.scope: trio.CancelScope = trio.CancelScope()
        self.deadlock_check_due: bool = False
        self.deadlock_check_at: float = math.inf

    def reset(self, time: float) -> trio.CancelScope:
        """Return a new scope that ends at this time, or when a deadlock check is due."""
        when = -math.inf if self.deadlock_check_due else min(time, self.deadlock_check_at)
        self.scope = trio.CancelScope(deadline=when)
        return self.scope

    def wake_at(self, time: float) -> None:
        """Wake the timer task at this time, if not before."""
        self.scope.deadline = min(self.scope.deadline, time)

    def wake(self) -> None:
        """Wake the timer task now."""
        self.scope.deadline = -math.inf

    @enable_ki_protection
    def request_deadlock_check(self) -> None:
        """Check for deadlocks soon."""
        self.deadlock_check_due = True
        self.scope.deadline = -math.inf

    def request_deadlock_check_at(self, time: float) -> None:
        """Also check for deadlocks at this time."""
        self.deadlock_check_at = min(self.deadlock_check_at, time)
        self.wake_at(time)

    def pass_time(self, now: float) -> None:
        """Make due the deadlock check whose time has come."""
        if now >= self.deadlock_check_at:
            self.deadlock_check_at = math.inf
            self.deadlock_check_due = True

    def begin_deadlock_check(self) -> bool:
        """Return whether a check is due; what is requested from now on is another one."""
        is_due, self.deadlock_check_due = self.deadlock_check_due, False
        return is_due
