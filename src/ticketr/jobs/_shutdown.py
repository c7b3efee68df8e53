"""How a queue comes to its end: it takes no more jobs, cuts off those there are, and closes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import trio

from ticketr._errors import QueueClosed
from ticketr.jobs._task_tree import describe_stuck_task
from ticketr.jobs._values import safe_repr
from ticketr.jobs._wait_targets import QueueIdle

if TYPE_CHECKING:
    from ticketr.jobs._core import QueueCore
    from ticketr.jobs._job import CancelCause

logger = logging.getLogger("ticketr.jobs")


def start_draining(core: QueueCore) -> None:
    """Begin the end of the queue: lift all pauses, and allow no new ones."""
    core.phase.start_draining()
    core.repeats.end_all()
    paused = core.schedule.lift_pauses()
    for key_slot in core.registry.keys.unused():
        core.registry.remove_unused(key_slot)
    core.mark_changed(paused)


def refuse_submits(core: QueueCore) -> None:
    """Take no more jobs; close as soon as there are none."""
    core.phase.refuse()
    finished = core.registry.finished
    finished.evict_exactly()
    core.expect_idle()  # being idle closes the queue
    start_draining(core)
    for submission in core.schedule.submissions.clear():
        submission.refuse(QueueClosed())
        core.dispatcher.submit_returns()
        submission.resume()
    if core.is_idle and not core.phase.closed:
        core.notify_idle()
        finished.evict(core.now())


def shorten_grace(core: QueueCore, seconds: float) -> None:
    """Cut the jobs off after so many seconds, if not before.

    A job that waits for a time or a rate is cancelled as soon as it does.
    """
    core.phase.cancel_delayed_jobs()
    core.cancel_at_shutdown(core.schedule.delayed(core.now()))
    if seconds <= 0:
        cut_off(core)
    else:
        core.phase.cut_off_by(core.now() + seconds)
    core.timer.wake_at(min(core.phase.cut_off_at, core.phase.stuck_warning_at))


def cut_off(core: QueueCore) -> None:
    """Cancel every job, at the end of the grace."""
    core.phase.expect_stop(core.now())
    core.cancel_at_shutdown([*core.schedule.jobs(), *core.running.values()])
    core.wait_graph.request_check()


def warn_of_stuck_jobs(core: QueueCore) -> None:
    """Log the jobs that were cut off and do not stop, less and less often."""
    if not core.phase.is_stuck_warning_due(core.now(), has_running=bool(core.running)):
        return
    for worker, record in list(core.running.items()):
        key = f", key {safe_repr(record.extras.key)}" if record.extras.key is not None else ""
        place = describe_stuck_task(worker)
        logger.warning("Job %r (%s%s) does not stop: %s", record.id, record.name, key, place)


def abandon(core: QueueCore, cause: CancelCause) -> None:
    """Cancel what is pending and take nothing more, since the workers are being cancelled.

    The cancel scope that is around the workers stops the running jobs.
    """
    noted = core.phase.note_cause(cause)
    refuse_submits(core)
    for record in core.schedule.jobs():
        core.cancel_pending(record, noted)


async def wait_until_idle(core: QueueCore, *, is_refusable: bool = True) -> None:  # noqa: ASYNC910 - a queue that is not idle is waited for
    """Wait until no job is pending or running; a checkpoint in any case.

    Raises:
        WouldDeadlock: The wait is refusable, and could never end.
    """
    if core.is_idle:
        await trio.lowlevel.checkpoint()
    while not core.is_idle:
        await core.wait_graph.wait(QueueIdle(core, is_refusable), core.expect_idle().wait)
