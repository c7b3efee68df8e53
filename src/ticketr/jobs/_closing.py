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
    from ticketr.jobs._core import QueueCore

logger = logging.getLogger("ticketr.jobs")


def start_draining(core: QueueCore) -> None:
    """The end of the queue has begun: no pause may hold it up."""
    core.draining = True
    paused = core.schedule.lift_pauses()
    for key_slot in core.key_table.unused():  # their pauses held them
        core.key_table.remove(key_slot)
    core.mark_changed(paused)


def refuse_submits(core: QueueCore) -> None:
    """Take no more jobs; close as soon as there are none."""
    core.refusing = True
    core.finished_jobs.evict_exactly()
    core.idle_event()  # whose coming closes it
    start_draining(core)
    for submission in core.schedule.remove_submissions():
        submission.refusal = QueueClosed()
        core.resume_submitter(submission)
    if core.is_idle and not core.closed:
        core.notify_idle()
        core.finished_jobs.evict(core.now())


def shorten_grace(core: QueueCore, seconds: float) -> None:
    """Cut the jobs off after so many seconds, if not before; wait for no time."""
    core.cancels_delayed_jobs = True
    for record in core.schedule.delayed():
        core.cancel(record, CancelCause.SHUTDOWN, "the queue is shutting down")
    if seconds <= 0:
        cut_off(core)
    else:
        core.cut_off_at = min(core.cut_off_at, core.now() + seconds)
    core.timer_scope.deadline = min(
        core.timer_scope.deadline, core.cut_off_at, core.stuck_warning_at
    )


def cut_off(core: QueueCore) -> None:
    """The time is over: cancel every job."""
    core.stuck_warning_at = min(core.stuck_warning_at, core.now() + core.stuck_warning_interval)
    for record in [*core.schedule.jobs(), *core.running.values()]:
        core.cancel(record, CancelCause.SHUTDOWN, "the queue is shutting down")
    core.wait_graph.request_check()


def warn_of_stuck_jobs(core: QueueCore) -> None:
    """Tell of the jobs that were cut off and go on all the same; less and less often."""
    now = core.now()
    if now < core.stuck_warning_at:
        return
    core.stuck_warning_interval *= 2
    core.stuck_warning_at = now + core.stuck_warning_interval if core.running else math.inf
    for worker, record in list(core.running.items()):
        key = f", key {safe_repr(record.key)}" if record.key is not None else ""
        place = describe_stuck_task(worker)
        logger.warning("Job %r (%s%s) does not stop: %s", record.id, record.name, key, place)


def abandon(core: QueueCore, cause: CancelCause) -> None:
    """The workers are being cancelled: cancel what is pending and take nothing more.

    The running jobs hear of it from the scope that is around the workers.
    """
    if core.cut_off_cause is None:
        core.cut_off_cause = cause
    refuse_submits(core)
    for record in core.schedule.jobs():
        core.cancel_pending(record, core.cut_off_cause)


def report_unseen_failures(core: QueueCore) -> None:
    """The block has been left: a failure that nobody asked about is told of."""
    for record in list(core.finished_jobs.jobs):
        core.finished_jobs.report_unseen_failure(record)


async def wait_until_idle(core: QueueCore, *, is_refusable: bool = True) -> None:  # noqa: ASYNC910 - a queue that is not idle is waited for
    """Return when no job is pending or running; a checkpoint in any case.

    Raises:
        WouldDeadlock: It may be refused, and one of the jobs waits for one that waits for this.
    """
    if core.is_idle:
        await trio.lowlevel.checkpoint()
    while not core.is_idle:
        await core.wait_graph.wait(QueueIdle(core, is_refusable), core.idle_event().wait)
