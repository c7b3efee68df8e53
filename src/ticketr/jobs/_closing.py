"""How a queue comes to its end: it takes no more jobs, cuts off those there are, and closes."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

import trio

from ticketr._errors import QueueClosed
from ticketr.jobs._goals import AllEnded
from ticketr.jobs._job import CancelCause
from ticketr.jobs._values import shown
from ticketr.jobs._whereabouts import whereabouts

if TYPE_CHECKING:
    from ticketr.jobs._ledger import Ledger

logger = logging.getLogger("ticketr.jobs")


def leave(ledger: Ledger) -> None:
    """The end of the queue has begun: no pause may hold it up."""
    ledger.leaving = True
    paused = ledger.schedule.lift_pauses()
    for lane in ledger.keys.unused():  # their pauses held them
        ledger.keys.forget(lane)
    ledger.tell(paused)


def refuse(ledger: Ledger) -> None:
    """Take no more jobs; close as soon as there are none."""
    ledger.refusing = True
    ledger.past.be_exact()
    ledger.quiet()  # whose coming closes it
    leave(ledger)
    for submission in ledger.schedule.send_away():
        submission.refusal = QueueClosed()
        ledger.answer(submission)
    if ledger.is_idle and not ledger.closed:
        ledger.settle()
        ledger.past.forget(ledger.now())


def shorten_grace(ledger: Ledger, seconds: float) -> None:
    """Cut the jobs off after so many seconds, if not before; wait for no time."""
    ledger.bounded = True
    for record in ledger.schedule.timed():
        ledger.cancel(record, CancelCause.SHUTDOWN, "the queue is shutting down")
    if seconds <= 0:
        cut_off(ledger)
    else:
        ledger.cut_off_at = min(ledger.cut_off_at, ledger.now() + seconds)
    ledger.alarm.deadline = min(ledger.alarm.deadline, ledger.cut_off_at, ledger.report_at)


def cut_off(ledger: Ledger) -> None:
    """The time is over: cancel every job."""
    ledger.report_at = min(ledger.report_at, ledger.now() + ledger.patience)
    for record in [*ledger.schedule.jobs(), *ledger.running.values()]:
        ledger.cancel(record, CancelCause.SHUTDOWN, "the queue is shutting down")
    ledger.waits.reconsider()


def report(ledger: Ledger) -> None:
    """Tell of the jobs that were cut off and go on all the same; less and less often."""
    now = ledger.now()
    if now < ledger.report_at:
        return
    ledger.patience *= 2
    ledger.report_at = now + ledger.patience if ledger.running else math.inf
    for worker, record in list(ledger.running.items()):
        key = f", key {shown(record.key)}" if record.key is not None else ""
        place = whereabouts(worker)
        logger.warning("Job %r (%s%s) does not stop: %s", record.id, record.name, key, place)


def abandon(ledger: Ledger, cause: CancelCause) -> None:
    """The workers are being cancelled: cancel what is pending and take nothing more.

    The running jobs hear of it from the scope that is around the workers.
    """
    if ledger.ending is None:
        ledger.ending = cause
    refuse(ledger)
    for record in ledger.schedule.jobs():
        ledger.drop(record, ledger.ending)


def end(ledger: Ledger) -> None:
    """The block has been left: a failure that nobody asked about is told of."""
    for record in list(ledger.past.jobs):
        ledger.past.account_for(record)


async def until_idle(ledger: Ledger, *, is_refusable: bool = True) -> None:  # noqa: ASYNC910 - a queue that is not idle is waited for
    """Return when no job is pending or running; a checkpoint in any case.

    Raises:
        WouldDeadlock: It may be refused, and one of the jobs waits for one that waits for this.
    """
    if ledger.is_idle:
        await trio.lowlevel.checkpoint()
    while not ledger.is_idle:
        await ledger.waits.wait(AllEnded(ledger, is_refusable), ledger.quiet().wait)
