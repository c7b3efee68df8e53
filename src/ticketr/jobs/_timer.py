"""Time in a queue: the task that does what it is time for, and the wall clock."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, final

import trio
from trio.abc import Clock
from trio.lowlevel import cancel_shielded_checkpoint, checkpoint, enable_ki_protection

from ticketr.jobs._job import CancelCause
from ticketr.jobs._shutdown import cancel_all_jobs, refuse_and_cancel_pending, warn_of_stuck_jobs

if TYPE_CHECKING:
    from ticketr.jobs._core import QueueCore


@final
@dataclass(eq=False, slots=True)
class Timer:
    """The alarm of a queue's timer task.

    Attributes:
        scope: The timer task sleeps in it; its deadline is when to look at the clock.
    """

    scope: trio.CancelScope = field(default_factory=trio.CancelScope)

    def wake_at(self, time: float) -> None:
        """Wake the timer task at this time, if not before."""
        self.scope.deadline = min(self.scope.deadline, time)


@enable_ki_protection
async def run_timer_and_bulk_actions(core: QueueCore) -> None:
    """Do what it is time for, and notice when the workers are cancelled from outside.

    The workers themselves may notice late, for instance while their jobs clean up.
    """
    phase, timer, reporter = core.phase, core.timer, core.reporter
    try:
        while True:
            while core.bulk_actions:
                core.do_next_bulk_chunk()
                await checkpoint()
            next_time = min(
                phase.cut_off_at,
                phase.stuck_warning_at,
                core.schedule.next_wake_time(),
                core.repeats.scheduled.first_rank(),
            )
            deadline = -math.inf if reporter.unreported_failures else next_time
            timer.scope = trio.CancelScope(deadline=deadline)
            with timer.scope:
                await trio.sleep_forever()
            handle_due_times(core)
            warn_of_stuck_jobs(core)
            if reporter.unreported_failures:
                await reporter.report_unawaited_failures_soon()
    except trio.Cancelled:
        if not phase.is_queue_over:  # as it is at the normal end of the block
            refuse_and_cancel_pending(core, CancelCause.SCOPE)
        while core.bulk_actions:
            core.do_next_bulk_chunk()
            await cancel_shielded_checkpoint()
        raise


@enable_ki_protection
def handle_due_times(core: QueueCore) -> None:
    """Do what it is time for, if it is."""
    now = core.now()
    if now < core.timer.scope.deadline:
        return
    if now >= core.phase.cut_off_at:
        cancel_all_jobs(core)
    for record in core.schedule.pending_newly_past_start_by(now):
        core.cancel_pending(record, CancelCause.EXPIRED)
    due = core.schedule.make_due_ready(now)
    if core.schedule.refill_due_rates(now) or due:
        core.notify_changed_and_wake_worker(due)
    if core.repeats.scheduled.first_rank() <= now:
        core.repeats.submit_due_runs(now)


MAX_DRIFT_SECONDS: Final = 1.0
"""The difference in seconds by which the two clocks may drift apart unnoticed."""


@final
class WallClockOffset:
    """Tells how far wall-clock time is from a Trio clock; from any thread, and after the run.

    The difference stays the same while the clocks agree within ``MAX_DRIFT_SECONDS``, so that the
    jitter between two readings does not move a job's times. It changes if a clock was set, or if the
    machine slept. Of a Trio clock that is not in step with real time, as in tests, it stays the
    same from the start. It is then exact in microseconds, as datetimes are.
    """

    def __init__(self, clock: Clock) -> None:
        self._now = clock.current_time
        second = clock.deadline_to_sleep_time(clock.current_time() + 1.0)
        self._is_fixed = not abs(second - 1.0) < MAX_DRIFT_SECONDS / 2  # as on a MockClock
        offset = time.time() - self._now()
        self._offset: float = round(offset * 64) / 64 if self._is_fixed else offset

    def offset(self) -> float:
        """Return wall-clock time minus the Trio clock's, in seconds."""
        if self._is_fixed:
            return self._offset
        new = time.time() - self._now()
        if not abs(new - self._offset) <= MAX_DRIFT_SECONDS:
            self._offset = new
        return self._offset
