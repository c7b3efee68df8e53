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


def set_alarm(ledger: Ledger) -> trio.CancelScope:
    """A scope that ends when it is time to look at the clock."""
    when = min(
        ledger.cut_off_at, ledger.report_at, ledger.look_again_at, ledger.schedule.next_time()
    )
    ledger.alarm = trio.CancelScope(deadline=-math.inf if ledger.is_suspect else when)
    return ledger.alarm


@enable_ki_protection
def look_at_clock(ledger: Ledger) -> None:
    """Do what it is time for, if it is."""
    now = ledger.now()
    if now < ledger.alarm.deadline:
        return
    if now >= ledger.cut_off_at:
        ledger.cut_off_at = math.inf
        cut_off(ledger)
    if now >= ledger.look_again_at:
        ledger.look_again_at = math.inf
        ledger.is_suspect = True
    while (submission := ledger.schedule.expired_outside(now)) is not None:
        ledger.admit(submission)  # it enters above the bound, and expires with the others
    while late := ledger.schedule.expired(now):  # who is let in for one may be late as well
        for record in late:
            ledger.drop(record, CancelCause.EXPIRED)
    if due := ledger.schedule.due(now):
        ledger.tell(due)
