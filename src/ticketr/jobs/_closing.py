"""How a queue comes to its end: it takes no more jobs, cuts off those there are, and closes."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

import trio

from ticketr._errors import QueueClosed
from ticketr.jobs._job import CancelCause
from ticketr.jobs._task_tree import describe_stuck_task
from ticketr.jobs._values import safe_repr
from ticketr.jobs._wait_targets import QueueIdle

if TYPE_CHECKING:
    from ticketr.jobs._ledger import Ledger

logger = logging.getLogger("ticketr.jobs")


def start_draining(ledger: Ledger) -> None:
    """The end of the queue has begun: no pause may hold it up."""
    ledger.draining = True
    paused = ledger.schedule.lift_pauses()
    for key_slot in ledger.key_table.unused():  # their pauses held them
        ledger.key_table.remove(key_slot)
    ledger.mark_changed(paused)


def refuse_submits(ledger: Ledger) -> None:
    """Take no more jobs; close as soon as there are none."""
    ledger.refusing = True
    ledger.finished_jobs.evict_exactly()
    ledger.idle_event()  # whose coming closes it
    start_draining(ledger)
    for submission in ledger.schedule.remove_submissions():
        submission.refusal = QueueClosed()
        ledger.resume_submitter(submission)
    if ledger.is_idle and not ledger.closed:
        ledger.notify_idle()
        ledger.finished_jobs.evict(ledger.now())


def shorten_grace(ledger: Ledger, seconds: float) -> None:
    """Cut the jobs off after so many seconds, if not before; wait for no time."""
    ledger.cancels_delayed_jobs = True
    for record in ledger.schedule.delayed():
        ledger.cancel(record, CancelCause.SHUTDOWN, "the queue is shutting down")
    if seconds <= 0:
        cut_off(ledger)
    else:
        ledger.cut_off_at = min(ledger.cut_off_at, ledger.now() + seconds)
    ledger.timer_scope.deadline = min(
        ledger.timer_scope.deadline, ledger.cut_off_at, ledger.stuck_warning_at
    )


def cut_off(ledger: Ledger) -> None:
    """The time is over: cancel every job."""
    ledger.stuck_warning_at = min(
        ledger.stuck_warning_at, ledger.now() + ledger.stuck_warning_interval
    )
    for record in [*ledger.schedule.jobs(), *ledger.running.values()]:
        ledger.cancel(record, CancelCause.SHUTDOWN, "the queue is shutting down")
    ledger.wait_graph.request_check()


def warn_of_stuck_jobs(ledger: Ledger) -> None:
    """Tell of the jobs that were cut off and go on all the same; less and less often."""
    now = ledger.now()
    if now < ledger.stuck_warning_at:
        return
    ledger.stuck_warning_interval *= 2
    ledger.stuck_warning_at = now + ledger.stuck_warning_interval if ledger.running else math.inf
    for worker, record in list(ledger.running.items()):
        key = f", key {safe_repr(record.key)}" if record.key is not None else ""
        place = describe_stuck_task(worker)
        logger.warning("Job %r (%s%s) does not stop: %s", record.id, record.name, key, place)


def abandon(ledger: Ledger, cause: CancelCause) -> None:
    """The workers are being cancelled: cancel what is pending and take nothing more.

    The running jobs hear of it from the scope that is around the workers.
    """
    if ledger.cut_off_cause is None:
        ledger.cut_off_cause = cause
    refuse_submits(ledger)
    for record in ledger.schedule.jobs():
        ledger.cancel_pending(record, ledger.cut_off_cause)


def report_unseen_failures(ledger: Ledger) -> None:
    """The block has been left: a failure that nobody asked about is told of."""
    for record in list(ledger.finished_jobs.jobs):
        ledger.finished_jobs.report_unseen_failure(record)


async def wait_until_idle(ledger: Ledger, *, is_refusable: bool = True) -> None:  # noqa: ASYNC910 - a queue that is not idle is waited for
    """Return when no job is pending or running; a checkpoint in any case.

    Raises:
        WouldDeadlock: It may be refused, and one of the jobs waits for one that waits for this.
    """
    if ledger.is_idle:
        await trio.lowlevel.checkpoint()
    while not ledger.is_idle:
        await ledger.wait_graph.wait(QueueIdle(ledger, is_refusable), ledger.idle_event().wait)
