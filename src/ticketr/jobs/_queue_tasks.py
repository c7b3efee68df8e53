"""The task that does what it is time for in a queue."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import trio
from trio.lowlevel import cancel_shielded_checkpoint, checkpoint, enable_ki_protection

from ticketr.jobs._job import CancelCause
from ticketr.jobs._shutdown import abandon, cut_off, warn_of_stuck_jobs

if TYPE_CHECKING:
    from ticketr.jobs._core import QueueCore


@enable_ki_protection
async def run_timer(core: QueueCore) -> None:
    """Do what it is time for, and notice when the workers are cancelled from outside.

    The workers themselves may notice late, for instance while their jobs clean up.
    """
    try:
        while True:
            await wait_for_timer(core)
    except trio.Cancelled:
        abandon(core, CancelCause.SCOPE)
        while core.cancel_next():
            await cancel_shielded_checkpoint()
        raise


async def wait_for_timer(core: QueueCore) -> None:
    """Wait until it is time for something, and do it."""
    phase = core.phase
    if core.cancel_next():
        await checkpoint()
        return
    next_time = min(
        phase.cut_off_at,
        phase.stuck_warning_at,
        core.schedule.next_time(),
        core.repeats.next_time(),
    )
    with core.timer.reset(-math.inf if core.failures.unreported else next_time):
        await trio.sleep_forever()
    handle_due_times(core)
    warn_of_stuck_jobs(core)
    if core.failures.unreported:
        await core.failures.report_soon()


@enable_ki_protection
def handle_due_times(core: QueueCore) -> None:
    """Do what it is time for, if it is."""
    now = core.now()
    if now < core.timer.scope.deadline:
        return
    if core.phase.is_cut_off_due(now):
        cut_off(core)
    while (submission := core.schedule.expired_submission(now)) is not None:
        core.admit(submission)  # it enters above the bound, and expires with the others
    for record in core.schedule.expired(now):
        core.cancel_pending(record, CancelCause.EXPIRED)
    due = core.schedule.due(now)
    if core.schedule.refill_rates(now) or due:
        core.mark_changed(due)
    if core.repeats.next_time() <= now:
        core.repeats.submit_due_runs(now)
