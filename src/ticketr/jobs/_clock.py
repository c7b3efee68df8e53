"""What a queue does because it is time for it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import trio
from trio.lowlevel import enable_ki_protection

from ticketr.jobs._closing import cut_off
from ticketr.jobs._job import CancelCause

if TYPE_CHECKING:
    from ticketr.jobs._core import QueueCore


def new_timer_scope(core: QueueCore) -> trio.CancelScope:
    """A scope that ends when it is time to look at the clock."""
    when = min(
        core.cut_off_at,
        core.stuck_warning_at,
        core.deadlock_check_at,
        core.schedule.next_time(),
    )
    core.timer_scope = trio.CancelScope(deadline=-math.inf if core.deadlock_check_due else when)
    return core.timer_scope


@enable_ki_protection
def handle_due_times(core: QueueCore) -> None:
    """Do what it is time for, if it is."""
    now = core.now()
    if now < core.timer_scope.deadline:
        return
    if now >= core.cut_off_at:
        core.cut_off_at = math.inf
        cut_off(core)
    if now >= core.deadlock_check_at:
        core.deadlock_check_at = math.inf
        core.deadlock_check_due = True
    while (submission := core.schedule.expired_submission(now)) is not None:
        core.admit(submission)  # it enters above the bound, and expires with the others
    while late := core.schedule.expired(now):  # who is let in for one may be late as well
        for record in late:
            core.cancel_pending(record, CancelCause.EXPIRED)
    if due := core.schedule.due(now):
        core.mark_changed(due)
