"""Time in a queue: the task that does what it is time for, and the wall clock."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, final

import trio
from trio.abc import Clock
from trio.lowlevel import cancel_shielded_checkpoint, checkpoint, enable_ki_protection

from ticketr.jobs._job import CancelCause
from ticketr.jobs._shutdown import cancel_all_jobs, end_at_once, warn_of_stuck_jobs

if TYPE_CHECKING:
    from ticketr.jobs._core import QueueCore


@final
class Timer:
    """The alarm of a queue's timer task.

    Attributes:
        scope: The timer task sleeps in it; its deadline is when to look at the clock.
    """

    def __init__(self) -> None:
        self.scope: trio.CancelScope = trio.CancelScope()

    def reset(self, time: float) -> trio.CancelScope:
        """Return a new scope that ends at this time."""
        self.scope = trio.CancelScope(deadline=time)
        return self.scope

    def wake_at(self, time: float) -> None:
        """Wake the timer task at this time, if not before."""
        self.scope.deadline = min(self.scope.deadline, time)


@enable_ki_protection
async def run_timer(core: QueueCore) -> None:
    """Do what it is time for, and notice when the workers are cancelled from outside.

    The workers themselves may notice late, for instance while their jobs clean up.
    """
    try:
        while True:
            await wait_for_timer(core)
    except trio.Cancelled:
        end_at_once(core, CancelCause.SCOPE)
        while core.do_next_batch():
            await cancel_shielded_checkpoint()
        raise


async def wait_for_timer(core: QueueCore) -> None:
    """Wait until it is time for something, and do it."""
    phase = core.phase
    if core.do_next_batch():
        await checkpoint()
        return
    next_time = min(
        phase.cut_off_at,
        phase.stuck_warning_at,
        core.schedule.next_time(),
        core.repeats.next_time(),
    )
    with core.timer.reset(-math.inf if core.reporter.unreported else next_time):
        await trio.sleep_forever()
    handle_due_times(core)
    warn_of_stuck_jobs(core)
    if core.reporter.unreported:
        await core.reporter.report_soon()


@enable_ki_protection
def handle_due_times(core: QueueCore) -> None:
    """Do what it is time for, if it is."""
    now = core.now()
    if now < core.timer.scope.deadline:
        return
    if now >= core.phase.cut_off_at:
        cancel_all_jobs(core)
    for record in core.schedule.take_expired(now):
        core.cancel_pending(record, CancelCause.EXPIRED)
    due = core.schedule.make_due_ready(now)
    if core.schedule.refill_rates(now) or due:
        core.mark_changed(due)
    if core.repeats.next_time() <= now:
        core.repeats.submit_due_runs(now)


MAX_DRIFT_SECONDS: Final = 1.0
"""The difference in seconds by which the two clocks may drift apart unnoticed."""


@final
class WallClock:
    """Tells how far wall-clock time is from a Trio clock; from any thread, and after the run.

    The difference stays the same while the clocks agree within ``MAX_DRIFT_SECONDS``, so that the
    jitter between two readings does not move a job's times. It changes if a clock was set, or if the
    machine slept. Of a Trio clock that is not in step with real time, as in tests, it stays the
    same from the start. It is then exact in microseconds, as datetimes are.
    """

    def __init__(self, now: Callable[[], float], *, is_fixed: bool = False) -> None:
        self._now = now
        self._is_fixed = is_fixed
        offset = time.time() - now()
        self._offset: float = round(offset * 64) / 64 if is_fixed else offset

    def offset(self) -> float:
        """Return wall-clock time minus the Trio clock's, in seconds."""
        if self._is_fixed:
            return self._offset
        new = time.time() - self._now()
        if not abs(new - self._offset) <= MAX_DRIFT_SECONDS:
            self._offset = new
        return self._offset


def is_virtual(clock: Clock) -> bool:
    """Tell whether a second on a Trio clock takes other than a second, as on a ``MockClock``."""
    second = clock.deadline_to_sleep_time(clock.current_time() + 1.0)
    return not abs(second - 1.0) < MAX_DRIFT_SECONDS / 2
