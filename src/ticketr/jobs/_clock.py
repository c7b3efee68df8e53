"""What a queue does because it is time for it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import trio
from trio.lowlevel import enable_ki_protection

from ticketr.jobs._closing import cut_off
from ticketr.jobs._job import CancelCause

if TYPE_CHECKING:
    from ticketr.jobs._ledger import Ledger


def new_timer_scope(ledger: Ledger) -> trio.CancelScope:
    """A scope that ends when it is time to look at the clock."""
    when = min(
        ledger.cut_off_at,
        ledger.stuck_warning_at,
        ledger.deadlock_check_at,
        ledger.schedule.next_time(),
    )
    ledger.timer_scope = trio.CancelScope(deadline=-math.inf if ledger.deadlock_check_due else when)
    return ledger.timer_scope


@enable_ki_protection
def handle_due_times(ledger: Ledger) -> None:
    """Do what it is time for, if it is."""
    now = ledger.now()
    if now < ledger.timer_scope.deadline:
        return
    if now >= ledger.cut_off_at:
        ledger.cut_off_at = math.inf
        cut_off(ledger)
    if now >= ledger.deadlock_check_at:
        ledger.deadlock_check_at = math.inf
        ledger.deadlock_check_due = True
    while (submission := ledger.schedule.expired_submission(now)) is not None:
        ledger.admit(submission)  # it enters above the bound, and expires with the others
    while late := ledger.schedule.expired(now):  # who is let in for one may be late as well
        for record in late:
            ledger.cancel_pending(record, CancelCause.EXPIRED)
    if due := ledger.schedule.due(now):
        ledger.mark_changed(due)
