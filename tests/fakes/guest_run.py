"""Run Trio step by step from code that is not async.

Trio runs in guest mode on a host loop that is a list of callbacks. Its clock stands still until it
is set and never lets Trio sleep, so the run needs no thread of its own and each run is the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

import outcome
import trio

T = TypeVar("T")

MANY = 10_000


class HandClock(trio.abc.Clock):
    """A clock that shows the time it was set to."""

    now = 0.0

    def start_clock(self) -> None:
        pass

    def current_time(self) -> float:
        return self.now

    def deadline_to_sleep_time(self, deadline: float) -> float:
        return 0.0  # the host decides when to continue


class Steps(trio.abc.Instrument):
    """Counts the steps of all tasks."""

    count = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.count += 1


class GuestRun:
    """A Trio run that continues only in calls of this object."""

    def __init__(self, main: Callable[[], Awaitable[object]]) -> None:
        self.clock = HandClock()
        self.result: outcome.Outcome[object] | None = None
        self._steps = Steps()
        self._todo: deque[Callable[[], object]] = deque()
        self._calls, self._awaited_calls = trio.open_memory_channel[Callable[[], None]](1)
        trio.lowlevel.start_guest_run(
            self._run,
            main,
            run_sync_soon_threadsafe=self._todo.append,
            done_callback=self._finished,
            host_uses_signal_set_wakeup_fd=True,
            clock=self.clock,
            instruments=[self._steps],
        )
        self.crank()

    def crank(self) -> None:
        """Run until no task can run at this time."""
        quiet = 0
        for _ in range(MANY):
            before = self._steps.count
            if self.result is not None or quiet == 2:
                return
            self._todo.popleft()()
            quiet = quiet + 1 if self._steps.count == before else 0
        raise AssertionError("it does not come to rest")

    def crank_until(self, is_done: Callable[[], bool]) -> None:
        """Run until something is done that a thread does; the thread runs as Trio polls for I/O."""
        self.crank()
        while not is_done():
            self.crank()

    def do(self, act: Callable[[], T]) -> T:
        """Call a function in the run, run all that follows, and return the function's result."""
        assert self.result is None, f"the run has ended: {self.result}"
        answer: list[outcome.Outcome[T]] = []
        self._calls.send_nowait(lambda: answer.append(outcome.capture(act)))
        self.crank()
        return answer[0].unwrap()

    def set_time(self, now: float) -> None:
        self.clock.now = now
        self.crank()

    def _finished(self, result: outcome.Outcome[object]) -> None:
        self.result = result

    async def _run(self, main: Callable[[], Awaitable[object]]) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._obey)
            await main()
            nursery.cancel_scope.cancel("the main function has ended")

    async def _obey(self) -> None:
        async for act in self._awaited_calls:
            act()
