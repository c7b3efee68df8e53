"""How a queue comes to its end: it takes no more jobs, cuts off those there are, and closes.

What leaves its block: a nursery calls the ``repr`` of each error, and splits groups. It stays open
if one of these raises. So no error of a job, a callback or the body goes through the queue's
nursery. The queue keeps the errors and cancels the nursery's scope. When the nursery is empty,
``error_to_raise`` returns what to raise. Two cases are easy to get wrong:

* A job interrupts the queue, and the nursery cancels the body. The body's ``Cancelled`` belongs to a
  scope that ends with the block. The job's error leaves the block.
* A scope around the block is cancelled, and the body and all workers raise. The body's own exception
  leaves the block, as in code without a nursery.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, final

import trio

from ticketr._errors import JobFailed, QueueClosed
from ticketr.jobs._groups import leaves, unwrap_single
from ticketr.jobs._job import CancelCause
from ticketr.jobs._trio import split_cancelled
from ticketr.jobs._values import safe_repr

if TYPE_CHECKING:
    from ticketr.jobs._core import QueueCore

FIRST_STUCK_WARNING_SECONDS: Final = 5.0
"""The seconds after which to warn of jobs that did not stop when they were cut off."""


@final
@dataclass(slots=True)
class ShutdownState:
    """The steps that a queue has taken to its end.

    Also written in ``_core``: ``is_queue_over``.

    Attributes:
        is_ending: The block is being left, or the queue refuses jobs; nothing can be paused.
        is_refusing: The queue takes no more jobs.
        is_queue_over: Whether no job will change from now on.
        cancels_delayed_jobs: A job that waits for a time or a rate is cancelled at once.
        cut_off_cause: Why the jobs are being cut off; None while they are not.
        cut_off_at: When to cut off the jobs; infinite while that is not planned, or is done.
        stuck_warning_at: When to warn of jobs that did not stop.
        stuck_warning_interval: The seconds until the next warning.
    """

    is_ending: bool = False
    is_refusing: bool = False
    is_queue_over: bool = False
    cancels_delayed_jobs: bool = False
    cut_off_cause: CancelCause | None = None
    cut_off_at: float = math.inf
    stuck_warning_at: float = math.inf
    stuck_warning_interval: float = FIRST_STUCK_WARNING_SECONDS

    def note_cut_off_cause(self, cause: CancelCause) -> None:
        """Note why jobs are cut off, unless a cause is noted already."""
        if self.cut_off_cause is None:
            self.cut_off_cause = cause


logger = logging.getLogger("ticketr.jobs")

MAX_LISTED_CODE_PLACES: Final = 3
"""The most places in the code to list for one job, which may have any number of child tasks."""
NON_USER_MODULE_PREFIXES: Final = ("trio.", "ticketr.jobs.", "outcome.")
"""What the names of modules begin with whose frames are not the user's code."""


def end_repeats_and_pauses(core: QueueCore, *, will_cancel_pending: bool = False) -> None:
    """Begin the end of the queue: end all repeats and pauses, and allow no new ones.

    Args:
        core: The queue.
        will_cancel_pending: Whether the pending jobs are about to be cancelled, so they stay as they are.
    """
    if core.phase.is_ending:
        return
    core.phase.is_ending = True
    for repeat in [*core.repeats.live.values()]:
        core.repeats.end(repeat)
    resume = partial(core.schedule.set_paused, is_paused=False)
    for slot in [core.schedule.queue_slot, *core.registry.keys.values()]:
        if slot.is_paused:
            core.change_pause_or_limit(slot.key, resume, marks_changed=not will_cancel_pending)
    core.waker.wake_one()


def refuse_submits(core: QueueCore, *, will_cancel_pending: bool = False) -> None:
    """Take no more jobs; close as soon as there are none."""
    core.phase.is_refusing = True
    core.expect_idle()  # being idle closes the queue
    end_repeats_and_pauses(core, will_cancel_pending=will_cancel_pending)
    while (submission := core.schedule.submissions.take()) is not None:
        core.waker.note_submit_returning(submission.record)
        submission.resume(QueueClosed())
    if core.is_idle and not core.phase.is_queue_over:
        core.notify_idle_and_end_if_refusing()


def shorten_grace_and_cancel_delayed(core: QueueCore, seconds: float) -> None:
    """Cut the jobs off after so many seconds, if not before.

    A job that waits for a time or a rate is cancelled at once.
    """
    core.phase.cancels_delayed_jobs = True
    if seconds <= 0:
        cancel_all_jobs(core)
    else:
        delayed = core.schedule.find_delayed_or_rate_limited(core.now())
        core.start_bulk_action(core.cancel_for_shutdown, delayed)
        core.phase.cut_off_at = min(core.phase.cut_off_at, core.now() + seconds)
    core.timer.wake_at(min(core.phase.cut_off_at, core.phase.stuck_warning_at))


def cancel_all_jobs(core: QueueCore) -> None:
    """Cancel every job, at the end of the grace."""
    phase = core.phase
    phase.cut_off_at = math.inf
    phase.stuck_warning_at = min(phase.stuck_warning_at, core.now() + phase.stuck_warning_interval)
    pause_and_begin_cancelling_pending(core)
    for record in [*core.running.values()]:
        core.cancel_for_shutdown(record)


def pause_and_begin_cancelling_pending(core: QueueCore) -> None:
    """Let no more jobs start, and cancel the first of the pending ones; the timer does the others."""
    if not core.schedule.queue_slot.is_paused:
        core.schedule.set_paused(core.schedule.queue_slot, is_paused=True)
        core.drop_bulk_actions()  # of the same jobs
        core.start_bulk_action(core.cancel_for_shutdown, core.schedule.pending_dependents_first())


def warn_of_stuck_jobs(core: QueueCore) -> None:
    """Log the jobs that were cut off and do not stop, less and less often."""
    phase, now = core.phase, core.now()
    if now < phase.stuck_warning_at:
        return
    phase.stuck_warning_interval *= 2
    phase.stuck_warning_at = now + phase.stuck_warning_interval if core.running else math.inf
    for worker, record in list(core.running.items()):
        key = f", key {safe_repr(record.extras.key)}" if record.extras.key is not None else ""
        place = describe_parked_places(worker)
        logger.warning("Job %r (%s%s) does not stop: %s", record.id, record.name, key, place)


def describe_parked_places(task: trio.lowlevel.Task) -> str:
    """Return a phrase that lists the places at which a task, or its child tasks, are parked."""
    places = [*dict.fromkeys(map(_user_code_line, _leaf_tasks(task)))]
    unlisted = len(places) - MAX_LISTED_CODE_PLACES
    more = f" and {unlisted} more" if unlisted > 0 else ""
    return f"it is at {', '.join(places[:MAX_LISTED_CODE_PLACES])}{more}"


def _leaf_tasks(task: trio.lowlevel.Task) -> list[trio.lowlevel.Task]:
    """Return the tasks at or below a task, at any depth, that have no child tasks."""
    children = [child for nursery in task.child_nurseries for child in nursery.child_tasks]
    return [leaf for child in children for leaf in _leaf_tasks(child)] or [task]


def _user_code_line(task: trio.lowlevel.Task) -> str:
    """Return the task's innermost line of user code."""
    place = f"an unknown place of {task.name}"
    for frame, line in task.iter_await_frames():
        if not f"{frame.f_globals.get('__name__', '')}.".startswith(NON_USER_MODULE_PREFIXES):
            code = frame.f_code
            place = f"{code.co_qualname} ({code.co_filename}, line {line})"
    return place


def refuse_and_cancel_pending(core: QueueCore, cause: CancelCause) -> None:
    """Cancel what is pending and take nothing more, since the workers are being cancelled.

    The cancel scope that is around the workers stops the running jobs.
    """
    core.phase.note_cut_off_cause(cause)
    refuse_submits(core, will_cancel_pending=True)
    pause_and_begin_cancelling_pending(core)


async def wait_until_idle(core: QueueCore) -> None:  # noqa: ASYNC910 - a queue that is not idle is waited for
    """Wait until no job is pending or running; a checkpoint in any case."""
    if core.is_idle:
        await trio.lowlevel.checkpoint()
    while not core.is_idle:
        await core.expect_idle().wait()
    if core.store is not None:
        await core.store.wait_all_written()


def error_to_raise(
    body: BaseException | None,
    fatal: Sequence[BaseException],
    nursery_error: BaseException | None,
    failed_job_error: BaseException | None = None,
) -> BaseException | None:
    """Return what to raise at the end of the block.

    Args:
        body: What the body raised, or the wait for the last jobs.
        fatal: The interrupts and exits that jobs and callbacks raised.
        nursery_error: What came out of the nursery: a Cancelled of an outer scope, or an interrupt.
        failed_job_error: The error of the job whose failure has cancelled the queue. It leaves in a
            group.
    """
    cancelled, rest = split_cancelled(nursery_error) if nursery_error is not None else (None, None)
    others = leaves(rest)
    if any(issubclass(type(leaf), Exception) for leaf in others) and nursery_error is not None:
        nursery_error.add_note("This is a fault of ticketr itself. Please report it.")
        return nursery_error
    fatal = [*fatal, *others]
    if not fatal and failed_job_error is None:
        return body if body is not None else next(iter(leaves(cancelled)), None)
    errors = [unwrap_single(error) for error in fatal]
    if failed_job_error is not None:
        errors.append(failed_job_error)
    own = split_cancelled(body)[1] if body is not None else None
    if own is not None and not _is_job_failed_caused_by(own, [*fatal, failed_job_error]):
        errors.insert(0, own)
    if len(errors) > 1 and not all(isinstance(error, KeyboardInterrupt) for error in errors):
        return BaseExceptionGroup("body and jobs failed", errors)
    return errors[0] if failed_job_error is None else BaseExceptionGroup("a job failed", errors)


def _is_job_failed_caused_by(own: BaseException, fatal: Sequence[BaseException | None]) -> bool:
    """Return whether the body's error is a ``JobFailed`` about an error that leaves anyway."""
    return type(own) is JobFailed and any(own.__cause__ is error for error in fatal)
